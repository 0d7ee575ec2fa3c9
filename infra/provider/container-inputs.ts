import { z } from "zod";
import { digestOf } from "../../policies/contract/digest.ts";

/** Lines `NAME=value`. */
export const envs = z.array(z.string().regex(/^[^=]+=/, "required is NAME=value")).default([]);

/** Volumes, in the shape that `docker:index/container:Container` has. */
export const volumes = z
  .array(
    z.strictObject({
      volumeName: z.string().min(1).optional(),
      hostPath: z.string().startsWith("/").optional(),
      containerPath: z.string().startsWith("/"),
      readOnly: z.boolean().optional(),
    }),
  )
  .default([]);

/** The name of a container. */
export const containerName = z
  .string()
  .regex(/^[a-zA-Z0-9][\w.-]{1,200}$/, "required are letters, digits and _.-");

const port = z.int().min(1).max(65_535);

const duration = z
  .string()
  .regex(/^(0|(\d+(\.\d+)?(ms|s|m|h))+)$/, "required is a duration, as in 1m30s");

/** What a container is made from, in the names and shapes of `docker:index/container:Container`. */
export const containerShape = {
  name: containerName,
  image: z.string().min(1),
  command: z.array(z.string()).optional(),
  ports: z
    .array(
      z.strictObject({
        internal: port,
        external: port.optional(),
        ip: z.string().optional(),
        protocol: z.enum(["tcp", "udp"]).optional(),
      }),
    )
    .default([]),
  envs,
  healthcheck: z.strictObject({
    tests: z.array(z.string()).min(1),
    interval: duration.optional(),
    timeout: duration.optional(),
    startPeriod: duration.optional(),
    startInterval: duration.optional(),
    retries: z.int().min(0).optional(),
  }),
  restart: z.enum(["no", "on-failure", "always", "unless-stopped"]).default("no"),
  maxRetryCount: z.int().min(0).optional(),
  /** MiB. */
  memory: z.int().min(0).optional(),
  /** MiB; -1 for as much as there is. */
  memorySwap: z.int().min(-1).optional(),
  cpus: z
    .string()
    .regex(/^\d+(\.\d+)?$/, "required is a number of CPUs, as in 0.5")
    .optional(),
  readOnly: z.boolean().optional(),
  init: z.boolean().optional(),
  user: z.string().optional(),
  hostname: z.string().optional(),
  dns: z.array(z.string()).optional(),
  tmpfs: z.record(z.string(), z.string()).optional(),
  capabilities: z
    .strictObject({ adds: z.array(z.string()).optional(), drops: z.array(z.string()).optional() })
    .optional(),
  securityOpts: z.array(z.string()).optional(),
  privileged: z.literal(false, "required is false").optional(),
  logDriver: z.string().optional(),
  logOpts: z.record(z.string(), z.string()).optional(),
  networksAdvanced: z
    .array(z.strictObject({ name: z.string(), aliases: z.array(z.string()).optional() }))
    .default([]),
  volumes,
  labels: z.array(z.strictObject({ label: z.string(), value: z.string() })).default([]),
};

const container = z.strictObject(containerShape);

/** What a container is made from. */
export type ContainerInputs = Readonly<z.output<typeof container>>;

/** A request to make a container: ContainerCreate of https://docs.docker.com/reference/api/engine/ */
export interface CreateBody {
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly [name: string]: unknown;
}

/** The request for a container of these inputs. */
export function createBody(inputs: Omit<ContainerInputs, "name">): CreateBody {
  const { restart, maxRetryCount = 0, logDriver, logOpts = {}, networksAdvanced } = inputs;
  return {
    Image: inputs.image,
    Cmd: inputs.command,
    Env: inputs.envs,
    Labels: Object.fromEntries(inputs.labels.map(({ label, value }) => [label, value])),
    User: inputs.user,
    Hostname: inputs.hostname,
    Healthcheck: healthOf(inputs.healthcheck),
    ExposedPorts: Object.fromEntries(inputs.ports.map((each) => [portName(each), {}])),
    HostConfig: {
      PortBindings: bindingsOf(inputs.ports),
      RestartPolicy: { Name: restart, MaximumRetryCount: maxRetryCount },
      ...limitsOf(inputs),
      ReadonlyRootfs: inputs.readOnly,
      Init: inputs.init,
      Dns: inputs.dns,
      Tmpfs: inputs.tmpfs,
      CapAdd: inputs.capabilities?.adds,
      CapDrop: inputs.capabilities?.drops,
      SecurityOpt: inputs.securityOpts,
      LogConfig: logDriver === undefined ? undefined : { Type: logDriver, Config: logOpts },
      Binds: bindsOf(inputs.volumes),
      NetworkMode: networksAdvanced[0]?.name,
    },
    NetworkingConfig: {
      EndpointsConfig: Object.fromEntries(
        networksAdvanced.map(({ name, aliases }) => [name, { Aliases: aliases }]),
      ),
    },
  };
}

/** Memory, swap and CPUs as the Engine counts them: in bytes and billionths. */
export function limitsOf({
  memory,
  memorySwap,
  cpus,
}: Pick<ContainerInputs, "memory" | "memorySwap" | "cpus">): Record<string, number | undefined> {
  return {
    Memory: memory === undefined ? undefined : memory * mebibyte,
    MemorySwap: memorySwap === undefined || memorySwap === -1 ? memorySwap : memorySwap * mebibyte,
    NanoCpus: cpus === undefined ? undefined : Math.round(Number(cpus) * 1e9),
  };
}

/** Volumes as the Engine takes them. */
export function bindsOf(given: z.output<typeof volumes>): string[] {
  return given.map(({ volumeName, hostPath, containerPath, readOnly }) =>
    [hostPath ?? volumeName, containerPath, ...(readOnly === true ? ["ro"] : [])].join(":"),
  );
}

/** Tells one container from another that is made from anything else. */
export function specDigest(body: CreateBody): string {
  return digestOf(body);
}

const mebibyte = 1024 * 1024;
const unitNanoseconds = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

function healthOf(given: ContainerInputs["healthcheck"]): Record<string, unknown> {
  return {
    Test: given.tests,
    Interval: nanosecondsOf(given.interval),
    Timeout: nanosecondsOf(given.timeout),
    StartPeriod: nanosecondsOf(given.startPeriod),
    StartInterval: nanosecondsOf(given.startInterval),
    Retries: given.retries,
  };
}

function nanosecondsOf(text = "0"): number {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) =>
      sum + Math.round(Number(count) * unitNanoseconds[unit as keyof typeof unitNanoseconds]),
    0,
  );
}

type Port = ContainerInputs["ports"][number];

function portName({ internal, protocol = "tcp" }: Port): string {
  return `${internal}/${protocol}`;
}

function bindingsOf(ports: readonly Port[]): Record<string, object[]> {
  const bindings: Record<string, object[]> = {};
  for (const each of ports) {
    const { external, ip = "" } = each;
    const HostPort = external === undefined ? "" : String(external);
    (bindings[portName(each)] ??= []).push({ HostIp: ip, HostPort });
  }
  return bindings;
}
