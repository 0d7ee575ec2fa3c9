import type { ServiceConfig } from "../config.ts";
import type { FileMode, RenderedFile } from "./rendered-file.ts";
import { assignment, plain, unitText, word, type Section } from "./systemd-text.ts";
import { watchdogFiles } from "./watchdog.ts";

/** How a service runs under systemd, as the service table says it. */
type Conda = NonNullable<ServiceConfig["systemd"]>;

/** What the units of a service are made from. */
export interface UnitArgs {
  readonly system: string;
  readonly service: string;
  /** The slot, for a service that has two; undefined where it keeps its place. */
  readonly slot?: string | undefined;
  readonly settings: ServiceConfig & { readonly systemd: Conda };
  /** The version, and the image reference of the service in that release. */
  readonly release: { readonly version: string; readonly image: string };
  /** What the service is told; no secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether there are secrets, which then lie in {@link Unit.environmentFile}. */
  readonly hasSecrets: boolean;
  /** How long the service may take to be healthy. */
  readonly healthSeconds: number;
  /** The address on which the watchdog asks it. */
  readonly address: string;
  /** Names of units of the same host that it starts after. */
  readonly after: readonly string[];
}

/** The units of one service: the service, its watchdog, and the watchdog's timer. */
export interface Unit {
  /** Name of the service's unit, without `.service`. */
  readonly name: string;
  readonly files: readonly RenderedFile[];
  /** Paths that must be there before the unit can start: the release's folder, and what runs in it. */
  readonly required: readonly string[];
  /** Where its secrets lie, readable to root only; systemd reads it before it changes to the user. */
  readonly environmentFile: string;
}

/** The name of a service's unit. */
export function unitName({
  system,
  service,
  slot,
  settings,
}: Pick<UnitArgs, "system" | "service" | "slot"> & {
  readonly settings: { readonly systemd: Conda };
}): string {
  const name = settings.systemd.unit ?? `${system}-${service}`;
  return slot === undefined ? name : `${name}-${slot}`;
}

/** Where the code of a release lies: a folder of its own, so that the one before it can come back. */
export function releaseFolder(workingDirectory: string, version: string): string {
  return `${workingDirectory}/releases/${version}`;
}

/**
 * Renders the units of a service. The same arguments make the same text.
 *
 * The program runs from its conda environment without a shell between: `conda run` would hide it behind another process,
 * to which systemd's signals and notifications belong.
 */
export function renderUnit(args: UnitArgs): Unit {
  const { system, service, slot, settings, release } = args;
  const name = unitName(args);
  const folder = releaseFolder(settings.systemd.workingDirectory, release.version);
  const environmentFile = `/etc/${system}/${slot === undefined ? service : `${service}-${slot}`}.env`;
  const program = programOf(settings.systemd);
  const { listens } = settings.systemd;
  const watchdog = listens ? watchdogOf(args, name, program) : { timers: [], files: [] };
  const text = unitText({
    Unit: [
      ["Description", plain(`${system} ${service}, release ${release.version}`)],
      ["Wants", ["network-online.target", ...watchdog.timers].join(" ")],
      ["After", ["network-online.target", ...args.after].join(" ")],
      // Five starts in five minutes: a service that cannot start is not started for ever.
      ["StartLimitIntervalSec", "300"],
      ["StartLimitBurst", "5"],
    ],
    Service: [
      ...running(args, program),
      ...environment(args, folder, environmentFile),
      ["WorkingDirectory", plain(folder)],
      ["User", settings.systemd.user],
      ["MemoryMax", `${settings.memoryMib}M`],
      ...(settings.cpus === undefined
        ? []
        : ([["CPUQuota", `${Math.round(settings.cpus * 100)}%`]] as const)),
      ...confinement(settings),
    ],
    Install: [["WantedBy", "multi-user.target"]],
  });
  return {
    name,
    files: [
      { path: `/etc/systemd/system/${name}.service`, text, mode: "0644" satisfies FileMode },
      ...watchdog.files,
    ],
    required: [folder, program, ...Object.values(settings.volumes)],
    environmentFile,
  };
}

function watchdogOf(
  { settings, address }: UnitArgs,
  name: string,
  program: string,
): { timers: string[]; files: RenderedFile[] } {
  const files = watchdogFiles({
    name,
    url: `http://${address}:${settings.port}${settings.health}`,
    seconds: settings.systemd.watchdogSeconds,
    reloads: manners(program).reload !== undefined,
  });
  return { timers: [`${name}-watchdog.timer`], files };
}

/** How a program behaves under systemd, by its name. */
interface Manners {
  /** `notify`: it says when it is ready (`READY=1`). */
  readonly type: "notify" | "exec";
  /** The signal on which it starts its workers anew. */
  readonly reload?: string;
  /** `mixed`: only the main process is asked to end, and ends its workers itself. */
  readonly killMode: "mixed" | "control-group";
}

const othersManners: Manners = { type: "exec", killMode: "control-group" };

const mannersOf: Readonly<Record<string, Manners>> = {
  // READY=1 since Gunicorn 20. It sends no WATCHDOG=1 (benoitc/gunicorn#2726), so WatchdogSec= would kill it.
  gunicorn: { type: "notify", reload: "HUP", killMode: "mixed" },
};

function manners(program: string): Manners {
  return mannersOf[program.slice(program.lastIndexOf("/") + 1)] ?? othersManners;
}

const condaFolder = "/opt/conda";

function programOf({ environment, command }: Conda): string {
  const [program = ""] = command;
  return program.startsWith("/") ? program : `${condaFolder}/envs/${environment}/bin/${program}`;
}

function running({ settings, healthSeconds }: UnitArgs, program: string): Section {
  const { type, reload, killMode } = manners(program);
  const words = [program, ...settings.systemd.command.slice(1)];
  return [
    ["Type", type],
    ...(type === "notify" ? ([["NotifyAccess", "main"]] as const) : []),
    ["ExecStart", words.map(word).join(" ")],
    ...(reload === undefined ? [] : ([["ExecReload", `/bin/kill -s ${reload} $MAINPID`]] as const)),
    ["KillMode", killMode],
    // It covers what ends badly, is killed, or does not start in time.
    ["Restart", "on-failure"],
    ["RestartSec", "2"],
    ["TimeoutStartSec", `${healthSeconds}`],
    ["TimeoutStopSec", `${settings.drainSeconds}`],
  ];
}

function environment(
  { settings, release, environment: told, hasSecrets }: UnitArgs,
  folder: string,
  file: string,
): Section {
  const prefix = `${condaFolder}/envs/${settings.systemd.environment}`;
  const all = {
    ...(settings.systemd.listens ? { PORT: `${settings.port}` } : {}),
    CONDA_PREFIX: prefix,
    PATH: `${prefix}/bin:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    PYTHONUNBUFFERED: "1",
    ...told,
    RELEASE: release.version,
    RELEASE_IMAGE: release.image,
  };
  return [
    ...Object.entries(all).map(
      ([name, value]) => ["Environment", assignment(name, value)] as const,
    ),
    ...(hasSecrets ? ([["EnvironmentFile", file]] as const) : []),
  ];
}

/** What a service may do that it need not do: nothing. */
function confinement({ port, writable, volumes, systemd }: UnitArgs["settings"]): Section {
  const privileged = port < 1024 ? "CAP_NET_BIND_SERVICE" : "";
  const written = [...(writable ? [systemd.workingDirectory] : []), ...Object.values(volumes)];
  return [
    ["NoNewPrivileges", "yes"],
    ["CapabilityBoundingSet", privileged],
    ["AmbientCapabilities", privileged],
    // One port for everything: the kernel refuses any other to the service and its workers.
    ...(systemd.listens ? ([["SocketBindAllow", `tcp:${port}`]] as const) : []),
    ["SocketBindDeny", "any"],
    ["RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"],
    ["ProtectSystem", "strict"],
    ...(written.length === 0 ? [] : ([["ReadWritePaths", written.map(word).join(" ")]] as const)),
    ["UMask", "0077"],
    ...[
      "PrivateTmp",
      "PrivateDevices",
      "ProtectHome",
      "ProtectClock",
      "ProtectControlGroups",
      "ProtectHostname",
      "ProtectKernelLogs",
      "ProtectKernelModules",
      "ProtectKernelTunables",
      "RestrictNamespaces",
      "RestrictRealtime",
      "RestrictSUIDSGID",
      "LockPersonality",
      "RemoveIPC",
    ].map((name) => [name, "yes"] as const),
    ["ProtectProc", "invisible"],
    ["SystemCallArchitectures", "native"],
    ["SystemCallFilter", "@system-service"],
  ];
}
