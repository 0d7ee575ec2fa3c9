import { randomInt } from "node:crypto";
import { z } from "zod";
import { healthCheckOf, testProblem } from "./container-health.ts";
import { DaemonError, type ContainerSpec } from "./container-record.ts";
import { notImitated } from "./refusal.ts";

// Names and meanings: ContainerCreate of https://docs.docker.com/reference/api/engine/
const restartPolicy = z.looseObject({
  Name: z.enum(["", "no", "on-failure", "always", "unless-stopped"]).default(""),
  MaximumRetryCount: z.int().min(0).default(0),
});

const nanoseconds = z.int().min(0).default(0);

const hostConfig = z.looseObject({
  PortBindings: z
    .record(
      z.string(),
      z.array(z.looseObject({ HostIp: z.string().default(""), HostPort: z.string().default("") })),
    )
    .nullish(),
  RestartPolicy: restartPolicy.nullish(),
  Binds: z.array(z.string()).nullish(),
  NetworkMode: z.string().nullish(),
  AutoRemove: z.boolean().nullish(),
});

const body = z.looseObject({
  Image: z.string(),
  Cmd: z.array(z.string()).nullish(),
  Env: z.array(z.string()).nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  Healthcheck: z
    .strictObject({
      Test: z.array(z.string()).nullish(),
      Interval: nanoseconds,
      Timeout: nanoseconds,
      StartPeriod: nanoseconds,
      StartInterval: nanoseconds,
      Retries: z.int().min(0).default(0),
    })
    .nullish(),
  HostConfig: hostConfig.nullish(),
  NetworkingConfig: z
    .looseObject({ EndpointsConfig: z.record(z.string(), z.unknown()).nullish() })
    .nullish(),
});

/** What a process has no use for, and is told as it was given. */
const settings = new Set([
  "CapAdd",
  "CapDrop",
  "CpuShares",
  "Dns",
  "ExtraHosts",
  "Init",
  "LogConfig",
  "Memory",
  "MemoryReservation",
  "MemorySwap",
  "NanoCpus",
  "ReadonlyRootfs",
  "SecurityOpt",
  "ShmSize",
  "Tmpfs",
]);

/** What makes no difference to a process, or is what it does anyway. */
const harmless = new Set([
  "AttachStderr",
  "AttachStdout",
  "ExposedPorts",
  "Hostname",
  "StopTimeout",
  "User",
  "WorkingDir",
  "ConsoleSize",
  "CgroupnsMode",
  "IpcMode",
  "MemorySwappiness",
  "OomKillDisable",
]);

/**
 * What a request asks the daemon to make.
 *
 * @throws DaemonError when it asks for what the rehearsal does not imitate, which is named
 */
export function specOfBody(name: string, value: unknown): ContainerSpec {
  const parsed = body.safeParse(value);
  if (!parsed.success) throw new DaemonError(400, z.prettifyError(parsed.error));
  const given = parsed.data;
  const host = given.HostConfig ?? {};
  refuseOthers("", given, body);
  refuseOthers("HostConfig.", host, hostConfig);
  const { Name = "", MaximumRetryCount = 0 } = host.RestartPolicy ?? {};
  return {
    name,
    image: given.Image,
    envs: given.Env ?? [],
    command: given.Cmd ?? [],
    labels: given.Labels ?? {},
    ports: portsOf(host),
    networks: networksOf(given),
    volumes: (host.Binds ?? []).map(volumeOf),
    healthCheck: checkOf(given),
    restart: Name === "" ? "no" : Name,
    maxRetryCount: MaximumRetryCount,
    autoRemove: host.AutoRemove ?? false,
    settings: Object.fromEntries(Object.entries(host).filter(([key]) => settings.has(key))),
  };
}

/**
 * How a container is restarted from now on, of a request that changes one.
 *
 * @throws DaemonError when it changes anything else
 */
export function restartOfBody(value: unknown): Pick<ContainerSpec, "restart" | "maxRetryCount"> {
  const parsed = z.strictObject({ RestartPolicy: restartPolicy }).safeParse(value);
  if (!parsed.success)
    throw new DaemonError(501, notImitated("an update of all but RestartPolicy"));
  const { Name, MaximumRetryCount } = parsed.data.RestartPolicy;
  return { restart: Name === "" ? "no" : Name, maxRetryCount: MaximumRetryCount };
}

function refuseOthers(where: string, given: object, { shape }: { shape: object }): void {
  const other = Object.entries(given).find(
    ([key, value]) =>
      !Object.hasOwn(shape, key) && !settings.has(key) && !harmless.has(key) && !isNothing(value),
  );
  if (other !== undefined) throw new DaemonError(501, notImitated(`${where}${other[0]}`));
}

/** Clients send what they do not ask for as well. */
function isNothing(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).every(isNothing);
  return [undefined, null, false, 0, -1, ""].some((nothing) => nothing === value);
}

function portsOf({ PortBindings }: z.output<typeof hostConfig>): ContainerSpec["ports"] {
  return Object.entries(PortBindings ?? {}).flatMap(([port, bindings]) => {
    const [internal = "", protocol = "tcp"] = port.split("/");
    if (protocol !== "tcp") throw new DaemonError(501, notImitated(`the protocol ${protocol}`));
    return bindings.map(({ HostIp, HostPort }) => {
      if (HostIp === "" || HostIp === "0.0.0.0" || HostIp === "::") {
        throw new DaemonError(501, notImitated("a port on every address of the machine"));
      }
      // The daemon takes any port from 32768 on when none is asked for.
      const external = HostPort === "" ? randomInt(32_768, 61_000) : Number(HostPort);
      return { internal: Number(internal), external, ip: HostIp };
    });
  });
}

const commonNetworks = new Set(["", "default", "bridge", "none"]);

function networksOf({ HostConfig, NetworkingConfig }: z.output<typeof body>): string[] {
  const named = Object.keys(NetworkingConfig?.EndpointsConfig ?? {});
  return [...new Set([HostConfig?.NetworkMode ?? "", ...named])].filter(
    (name) => !commonNetworks.has(name),
  );
}

function volumeOf(bind: string): ContainerSpec["volumes"][number] {
  const [name = "", path = "", options = "rw"] = bind.split(":");
  if (!/^[a-zA-Z0-9][\w.-]+$/.test(name)) {
    throw new DaemonError(501, notImitated("a folder of the host as a volume"));
  }
  return { name, path, readOnly: options.split(",").includes("ro") };
}

function checkOf({ Healthcheck }: z.output<typeof body>): ContainerSpec["healthCheck"] {
  const { Test, Interval = 0, Timeout = 0, Retries = 0 } = Healthcheck ?? {};
  if (Test === null || Test === undefined || Test.length === 0 || Test[0] === "NONE") {
    return undefined;
  }
  const problem = testProblem(Test);
  if (problem !== undefined) throw new DaemonError(501, problem);
  return healthCheckOf({
    test: Test,
    interval: Interval / 1e6,
    timeout: Timeout / 1e6,
    retries: Retries,
  });
}
