import { randomBytes, randomInt } from "node:crypto";
import { z } from "zod";
import {
  PartialError,
  RefusedError,
  type Call,
  type ProviderDefinition,
  type ResourceType,
} from "../../infra/provider/serve.ts";
import type { Registry } from "../registry/registry.ts";
import {
  DaemonError,
  startDaemon,
  type ContainerRecord,
  type ContainerSpec,
  type Daemon,
  type HealthCheck,
} from "./containers.ts";
import { computedOf, standIn, textOf } from "./kind.ts";
import { notImitated } from "./refusal.ts";
import type { Collection, Store } from "./store.ts";

/** The provider `docker` on local means: containers are processes. They run until it closes. */
export async function openDocker(store: Store, registry: Registry): Promise<ProviderDefinition> {
  const daemon = await startDaemon(store, registry);
  const networks = store.collection<NetworkRecord>("docker-networks");
  return {
    name: "docker",
    version: "5.2.0",
    types: {
      "docker:index/container:Container": containerType(daemon, networks),
      "docker:index/network:Network": networkType(daemon, networks),
    },
    unsupported: notImitated,
    onShutdown: () => daemon.close(),
  };
}

interface NetworkRecord {
  readonly name: string;
}

const unitMilliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const duration = z
  .string()
  .regex(/^(0|(\d+(\.\d+)?(ms|s|m|h))+)$/, { error: "is not a duration, as in 1m30s" });

const healthCheckInputs = z.strictObject({
  tests: z.array(z.string()).refine((tests) => checkedUrl(tests) !== undefined, {
    error:
      'the rehearsal has no shell: it understands ["CMD", "curl" or "wget", options, "http://127.0.0.1:PORT/PATH"]',
  }),
  interval: duration.default("0s"),
  timeout: duration.default("0s"),
  startPeriod: duration.default("0s"),
  startInterval: duration.default("0s"),
  retries: z.int().min(0).default(0),
});

const port = z.int().min(1).max(65_535);

const containerInputs = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9][\w.-]*$/, {
    error: "only letters, digits and _.- are allowed, and the first must be a letter or digit",
  }),
  image: z.string(),
  ports: z
    .array(
      z.strictObject({
        internal: port,
        external: port.optional(),
        ip: z.ipv4({
          error: "the rehearsal publishes on one address: every address of the machine is too many",
        }),
        protocol: z.literal("tcp", { error: "the rehearsal only has tcp" }).default("tcp"),
      }),
    )
    .default([]),
  envs: z.array(z.string().regex(/^[^=]+=/, { error: "must be NAME=value" })).default([]),
  healthcheck: healthCheckInputs.optional(),
  wait: z.boolean().default(false),
  waitTimeout: z.int().default(60),
  restart: z.enum(["no", "on-failure", "always", "unless-stopped"]).default("no"),
  maxRetryCount: z.int().min(0).optional(),
  mustRun: z.boolean().default(true),
  destroyGraceSeconds: z.int().min(0).optional(),
  memory: z.int().min(0).optional(),
  memorySwap: z.int().min(-1).optional(),
  memoryReservation: z.int().min(0).optional(),
  cpuShares: z.int().min(0).optional(),
  cpus: z.string().optional(),
  networkMode: z.string().default("bridge"),
  networksAdvanced: z
    .array(z.strictObject({ name: z.string(), aliases: z.array(z.string()).optional() }))
    .optional(),
  readOnly: z.boolean().default(false),
  init: z.boolean().optional(),
  privileged: z.literal(false, { error: "the rehearsal has no privileged containers" }).optional(),
  user: z.string().optional(),
  hostname: z.string().optional(),
  labels: z.array(z.strictObject({ label: z.string(), value: z.string() })).optional(),
  capabilities: z
    .strictObject({ adds: z.array(z.string()).optional(), drops: z.array(z.string()).optional() })
    .optional(),
  securityOpts: z.array(z.string()).optional(),
  tmpfs: z.record(z.string(), z.string()).optional(),
  logDriver: z.string().default("json-file"),
  logOpts: z.record(z.string(), z.string()).optional(),
});

type ContainerInputs = z.output<typeof containerInputs>;

// Everything else forces a new container: resource_docker_container.go of kreuzwerker/terraform-provider-docker.
const updatable = new Set([
  "cpuShares",
  "destroyGraceSeconds",
  "healthcheck",
  "init",
  "maxRetryCount",
  "memory",
  "memorySwap",
  "mustRun",
  "restart",
  "tmpfs",
  "wait",
  "waitTimeout",
]);

const containerOutputs = ["bridge", "exitCode", "hostname", "networkDatas", "ports"];

function containerType(daemon: Daemon, networks: Collection<NetworkRecord>): ResourceType {
  return standIn({
    inputs: containerInputs,
    replaceOn: (name) => !updatable.has(name),
    deleteFirst: true,
    // The daemon takes twice the memory for the swap that nobody gave, and the provider compares it with nothing.
    driftOf: ({ outputs }, news) =>
      outputs["memorySwap"] !== undefined && news["memorySwap"] === undefined ? ["memorySwap"] : [],
    async create(inputs, call) {
      const record = makeContainer(daemon, networks, inputs);
      const outputs = { ...inputs, ...outputsOf(record, inputs) };
      try {
        await bringUp(daemon, record.id, inputs, call);
      } catch (error) {
        if (daemon.find(record.id) === undefined) throw error;
        throw new PartialError(messageOf(error), record.id, outputs);
      }
      return { id: record.id, outputs };
    },
    // As the provider: it neither looks at health nor does anything about most of what may change.
    update(olds, inputs) {
      const { restart, maxRetryCount = 0 } = inputs;
      if (daemon.find(olds.id) === undefined) {
        throw new RefusedError(`Unable to update a container: No such container: ${olds.id}`);
      }
      daemon.update(olds.id, { restart, maxRetryCount });
      return Promise.resolve({ ...computedOf(olds, containerOutputs), ...swapOf(inputs) });
    },
    async exists(olds) {
      const record = daemon.find(olds.id);
      if (record === undefined) return false;
      if (record.status === "running" || olds.inputs["mustRun"] === false) return true;
      // A container that must run and does not is removed when the provider looks at it, so that it is made again.
      await daemon.remove(olds.id, 0);
      return false;
    },
    async delete(olds) {
      if (daemon.find(olds.id) === undefined) return;
      // Without this the provider removes by force: the process is killed in the middle of what it does.
      const grace = olds.inputs["destroyGraceSeconds"];
      await daemon.remove(olds.id, typeof grace === "number" ? grace * 1000 : 0);
    },
  });
}

function makeContainer(
  daemon: Daemon,
  networks: Collection<NetworkRecord>,
  inputs: ContainerInputs,
): ContainerRecord {
  const wanted = (inputs.networksAdvanced ?? []).map(({ name }) => name);
  try {
    const record = daemon.create(specOf(inputs));
    const missing = wanted.find((name) => networkOf(networks, name) === undefined);
    if (missing === undefined) return record;
    throw new PartialError(
      `Unable to connect to network '${missing}': Error response from daemon: network ${missing} not found`,
      record.id,
      { ...inputs, ...outputsOf(record, inputs) },
    );
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    const what = error.message.startsWith("manifest")
      ? `Unable to create container with image ${inputs.image}: unable to pull image ${inputs.image}`
      : "Unable to create container";
    throw new RefusedError(`${what}: Error response from daemon: ${error.message}`);
  }
}

async function bringUp(
  daemon: Daemon,
  id: string,
  { wait, waitTimeout, mustRun, healthcheck, restart }: ContainerInputs,
  call: Call,
): Promise<void> {
  await daemon.start(id);
  const exited = (): boolean => daemon.find(id)?.status !== "running";
  if (mustRun && restart === "no" && exited()) {
    await daemon.remove(id, 0);
    throw new RefusedError("container exited immediately");
  }
  if (!wait) return;
  if (healthcheck === undefined) {
    throw new RefusedError(
      "you need to specify a healthcheck to wait for the container to be healthy",
    );
  }
  if (!(await daemon.waitHealthy(id, waitTimeout * 1000, call.signal))) {
    throw new RefusedError("container failed to be in healthy state");
  }
}

function messageOf(error: unknown): string {
  if (error instanceof DaemonError) {
    return `Unable to start container: Error response from daemon: ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}

function specOf(inputs: ContainerInputs): ContainerSpec {
  return {
    name: inputs.name,
    image: inputs.image,
    envs: inputs.envs,
    // The daemon takes any port from 32768 on when none is asked for.
    ports: inputs.ports.map(({ internal, external, ip }) => ({
      internal,
      external: external ?? randomInt(32_768, 61_000),
      ip,
    })),
    networks: (inputs.networksAdvanced ?? []).map(({ name }) => name),
    healthCheck: healthCheckOf(inputs.healthcheck),
    restart: inputs.restart,
    maxRetryCount: inputs.maxRetryCount ?? 0,
  };
}

// What the daemon takes for a value of nothing: https://docs.docker.com/reference/dockerfile/#healthcheck
const defaultMilliseconds = 30_000;
const defaultRetries = 3;

function healthCheckOf(
  inputs: z.output<typeof healthCheckInputs> | undefined,
): HealthCheck | undefined {
  const url = inputs === undefined ? undefined : checkedUrl(inputs.tests);
  if (inputs === undefined || url === undefined) return undefined;
  const or = (value: number, otherwise: number): number => (value === 0 ? otherwise : value);
  return {
    port: Number(url.port === "" ? 80 : url.port),
    path: `${url.pathname}${url.search}`,
    interval: or(millisecondsOf(inputs.interval), defaultMilliseconds),
    timeout: or(millisecondsOf(inputs.timeout), defaultMilliseconds),
    retries: or(inputs.retries, defaultRetries),
  };
}

function millisecondsOf(text: string): number {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) =>
      sum + Number(count) * unitMilliseconds[unit as keyof typeof unitMilliseconds],
    0,
  );
}

/** The URL that a health check asks inside of the container; undefined for what is not one curl or wget. */
function checkedUrl(tests: readonly string[]): URL | undefined {
  const [form, ...rest] = tests;
  const words = form === "CMD-SHELL" ? rest.flatMap((text) => text.split(/\s+/)) : rest;
  if (form !== "CMD" && form !== "CMD-SHELL") return undefined;
  const [program = "", ...args] = words;
  if (!/^(\/usr\/bin\/|\/bin\/)?(curl|wget)$/.test(program)) return undefined;
  const targets = args.filter((arg) => URL.canParse(arg)).map((arg) => new URL(arg));
  const [url] = targets;
  const inside = ["localhost", "127.0.0.1", "[::1]"];
  return targets.length === 1 && url?.protocol === "http:" && inside.includes(url.hostname)
    ? url
    : undefined;
}

function outputsOf(record: ContainerRecord, inputs: ContainerInputs): Record<string, unknown> {
  return {
    bridge: "",
    exitCode: 0,
    hostname: inputs.hostname ?? record.id.slice(0, 12),
    networkDatas: [{ networkName: inputs.networkMode }],
    ports: record.ports.map((each) => ({ ...each, protocol: "tcp" })),
    ...swapOf(inputs),
  };
}

function swapOf({ memory, memorySwap }: ContainerInputs): Record<string, unknown> {
  return memory === undefined || memory === 0 ? {} : { memorySwap: memorySwap ?? memory * 2 };
}

const networkInputs = z.strictObject({
  name: z.string(),
  driver: z.literal("bridge", { error: "the rehearsal only has bridge" }).default("bridge"),
  internal: z.boolean().optional(),
  attachable: z.boolean().optional(),
  labels: z.array(z.strictObject({ label: z.string(), value: z.string() })).optional(),
});

/** Networks are kept and named; all processes of a rehearsal reach each other without. */
function networkType(daemon: Daemon, networks: Collection<NetworkRecord>): ResourceType {
  return standIn({
    inputs: networkInputs,
    replaceOn: "every",
    physicalName: "name",
    create({ name }) {
      if (networks.items().some((network) => network.name === name)) {
        throw new RefusedError(
          `Unable to create network: Error response from daemon: network with name ${name} already exists`,
        );
      }
      const id = randomBytes(32).toString("hex");
      networks.set(id, { name });
      return Promise.resolve({ id, outputs: { scope: "local" } });
    },
    exists: ({ id }) => networks.get(id) !== undefined,
    delete(olds) {
      const name = textOf(olds, "name");
      const inUse = daemon.containers
        .items()
        .some((container) => container.networks.some((each) => [name, olds.id].includes(each)));
      if (inUse) {
        throw new RefusedError(
          `Unable to remove network: Error response from daemon: error while removing network: network ${name} id ${olds.id} has active endpoints`,
        );
      }
      networks.delete(olds.id);
      return Promise.resolve();
    },
  });
}

function networkOf(
  networks: Collection<NetworkRecord>,
  nameOrId: string,
): NetworkRecord | undefined {
  return networks.get(nameOrId) ?? networks.items().find(({ name }) => name === nameOrId);
}
