/** A unit file as the stand-in of systemd understands it. */
export interface ParsedUnit {
  /** With its suffix: `dashboard-web.service`. */
  readonly name: string;
  readonly type: "exec" | "notify" | "oneshot";
  /** The words of the command. */
  readonly execStart: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Files with more of it, which come after. */
  readonly environmentFiles: readonly string[];
  readonly workingDirectory: string | undefined;
  readonly user: string | undefined;
  readonly restart: "no" | "on-failure" | "always";
  /** Milliseconds. */
  readonly restartPause: number;
  readonly startTimeout: number;
  readonly stopTimeout: number;
  readonly startLimitInterval: number;
  readonly startLimitBurst: number;
  readonly wants: readonly string[];
  /** Units with which this one stops and starts. */
  readonly partOf: readonly string[];
  readonly wantedBy: readonly string[];
}

/** A unit file that the stand-in does not understand. systemd itself would pass over what it does not know. */
export class UnitFileError extends Error {
  override readonly name = "UnitFileError";
}

/** What is taken from a unit; directives with several values are lists. */
const read: ReadonlySet<string> = new Set([
  "Unit.Wants",
  "Unit.PartOf",
  "Unit.StartLimitIntervalSec",
  "Unit.StartLimitBurst",
  "Service.Type",
  "Service.ExecStart",
  "Service.Environment",
  "Service.EnvironmentFile",
  "Service.WorkingDirectory",
  "Service.User",
  "Service.Restart",
  "Service.RestartSec",
  "Service.TimeoutStartSec",
  "Service.TimeoutStopSec",
  "Install.WantedBy",
]);

/** What a process of the rehearsal has no use for, because nothing confines it and nobody reloads it. */
const passedOver: ReadonlySet<string> = new Set([
  ...["Description", "After"].map((name) => `Unit.${name}`),
  ...["OnActiveSec", "OnUnitInactiveSec", "AccuracySec"].map((name) => `Timer.${name}`),
  ...[
    "NotifyAccess",
    "ExecReload",
    "KillMode",
    "MemoryMax",
    "CPUQuota",
    "SyslogIdentifier",
    "NoNewPrivileges",
    "CapabilityBoundingSet",
    "AmbientCapabilities",
    "SocketBindAllow",
    "SocketBindDeny",
    "RestrictAddressFamilies",
    "ProtectSystem",
    "ReadWritePaths",
    "UMask",
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
    "ProtectProc",
    "SystemCallArchitectures",
    "SystemCallFilter",
  ].map((name) => `Service.${name}`),
]);

/**
 * Reads a unit file.
 *
 * @throws UnitFileError naming each line that is not understood
 */
export function parseUnit(name: string, text: string): ParsedUnit {
  const values = new Map<string, string[]>();
  const problems: string[] = [];
  let section = "";
  text.split("\n").forEach((line, index) => {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) return;
    const header = /^\[(\w+)\]$/.exec(trimmed);
    if (header !== null) {
      section = header[1] ?? "";
      return;
    }
    const at = trimmed.indexOf("=");
    const key = `${section}.${trimmed.slice(0, at).trim()}`;
    if (at < 1 || !(read.has(key) || passedOver.has(key))) {
      problems.push(`line ${index + 1}: ${at < 1 ? trimmed : key}`);
      return;
    }
    const value = trimmed.slice(at + 1).trim();
    // An empty value takes back what was said before.
    values.set(key, value === "" ? [] : [...(values.get(key) ?? []), value]);
  });
  if (problems.length > 0) {
    throw new UnitFileError(`${name}: the stand-in does not know ${problems.join(", ")}`);
  }
  const last = (key: string): string | undefined => values.get(key)?.at(-1);
  const listed = (key: string): string[] =>
    (values.get(key) ?? []).flatMap((one) => one.split(/\s+/));
  return {
    name,
    type: oneOf(name, "Type", last("Service.Type") ?? "exec", ["exec", "notify", "oneshot"]),
    execStart: wordsOf(name, last("Service.ExecStart") ?? "").map((word) =>
      word.replaceAll("$$", "$"),
    ),
    environment: Object.fromEntries(
      (values.get("Service.Environment") ?? [])
        .flatMap((line) => wordsOf(name, line))
        .map(assignmentOf),
    ),
    environmentFiles: values.get("Service.EnvironmentFile") ?? [],
    workingDirectory: last("Service.WorkingDirectory")?.replaceAll("%%", "%"),
    user: last("Service.User"),
    restart: oneOf(name, "Restart", last("Service.Restart") ?? "no", [
      "no",
      "on-failure",
      "always",
    ]),
    restartPause: seconds(name, last("Service.RestartSec") ?? "0.1"),
    startTimeout: seconds(name, last("Service.TimeoutStartSec") ?? "90"),
    stopTimeout: seconds(name, last("Service.TimeoutStopSec") ?? "90"),
    startLimitInterval: seconds(name, last("Unit.StartLimitIntervalSec") ?? "10"),
    startLimitBurst: Number(last("Unit.StartLimitBurst") ?? "5"),
    wants: listed("Unit.Wants"),
    partOf: listed("Unit.PartOf"),
    wantedBy: listed("Install.WantedBy"),
  };
}

/** Reads an `EnvironmentFile=`: lines `NAME="value"`, where a backslash takes the meaning from what follows it. */
export function parseEnvironmentFile(text: string): Record<string, string> {
  const lines = text.matchAll(/^([A-Za-z_]\w*)=(?:"((?:[^"\\]|\\[^])*)"|(\S*))$/gm);
  return Object.fromEntries(
    [...lines].map(([, name = "", quoted, bare]): [string, string] => [
      name,
      quoted === undefined ? (bare ?? "") : quoted.replaceAll(/\\([^])/g, "$1"),
    ]),
  );
}

function oneOf<Choice extends string>(
  unit: string,
  name: string,
  found: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((each) => each === found);
  if (choice !== undefined) return choice;
  throw new UnitFileError(`${unit}: the stand-in does not know ${name}=${found}`);
}

function seconds(unit: string, text: string): number {
  const count = Number(text);
  if (Number.isFinite(count)) return count * 1000;
  throw new UnitFileError(
    `${unit}: the stand-in knows lengths of time in plain seconds, not ${text}`,
  );
}

/** The words of a line: bare ones, and quoted ones with escapes. `%%` is a `%`; other specifiers are refused. */
function wordsOf(unit: string, line: string): string[] {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare = ""]) =>
      quoted?.replaceAll(/\\(.)/g, (_, character: string) =>
        character === "n" ? "\n" : character,
      ) ?? bare,
  );
  const specifier = words.map((word) => /%[^%]/.exec(word.replaceAll("%%", ""))?.[0]).find(Boolean);
  if (specifier !== undefined) {
    throw new UnitFileError(`${unit}: the stand-in does not know the specifier ${specifier}`);
  }
  return words.map((word) => word.replaceAll("%%", "%"));
}

function assignmentOf(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}
