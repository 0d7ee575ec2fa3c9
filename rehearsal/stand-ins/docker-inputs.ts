import { randomInt } from "node:crypto";
import { z } from "zod";
import { healthCheckOf, testProblem } from "./container-health.ts";
import type { ContainerSpec } from "./container-record.ts";

const unitMilliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const duration = z
  .string()
  .regex(/^(0|(\d+(\.\d+)?(ms|s|m|h))+)$/, { error: "is not a duration, as in 1m30s" });

const healthCheckInputs = z.strictObject({
  tests: z.array(z.string()).superRefine((tests, context) => {
    const message = testProblem(tests);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  }),
  interval: duration.default("0s"),
  timeout: duration.default("0s"),
  startPeriod: duration.default("0s"),
  startInterval: duration.default("0s"),
  retries: z.int().min(0).default(0),
});

const port = z.int().min(1).max(65_535);

/** Inputs of a container that the rehearsal imitates. */
export const containerInputs = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9][\w.-]*$/, {
    error: "only letters, digits and _.- are allowed, and the first must be a letter or digit",
  }),
  image: z.string(),
  command: z.array(z.string()).optional(),
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
  start: z.boolean().default(true),
  wait: z.boolean().default(false),
  waitTimeout: z.int().default(60),
  attach: z.boolean().default(false),
  logs: z.boolean().default(false),
  rm: z.boolean().default(false),
  removeVolumes: z.boolean().default(true),
  restart: z.enum(["no", "on-failure", "always", "unless-stopped"]).default("no"),
  maxRetryCount: z.int().min(0).optional(),
  mustRun: z.boolean().default(true),
  destroyGraceSeconds: z.int().min(0).optional(),
  memory: z.int().min(0).optional(),
  memorySwap: z.int().min(-1).optional(),
  shmSize: z.int().min(0).optional(),
  memoryReservation: z.int().min(0).optional(),
  cpuShares: z.int().min(0).optional(),
  cpus: z.string().optional(),
  networkMode: z.string().default("bridge"),
  networksAdvanced: z
    .array(z.strictObject({ name: z.string(), aliases: z.array(z.string()).optional() }))
    .optional(),
  volumes: z
    .array(
      z.strictObject({
        volumeName: z.string().regex(/^[a-zA-Z0-9][\w.-]+$/, {
          error: "the rehearsal has named volumes only, and no folders of the host",
        }),
        containerPath: z.string().startsWith("/", { error: "must be an absolute path" }),
        readOnly: z.boolean().default(false),
      }),
    )
    .default([]),
  readOnly: z.boolean().default(false),
  init: z.boolean().optional(),
  privileged: z.literal(false, { error: "the rehearsal has no privileged containers" }).optional(),
  user: z.string().optional(),
  workingDir: z.string().optional(),
  hostname: z.string().optional(),
  dns: z.array(z.ipv4()).optional(),
  hosts: z.array(z.strictObject({ host: z.string(), ip: z.ipv4() })).optional(),
  labels: z.array(z.strictObject({ label: z.string(), value: z.string() })).optional(),
  capabilities: z
    .strictObject({ adds: z.array(z.string()).optional(), drops: z.array(z.string()).optional() })
    .optional(),
  securityOpts: z.array(z.string()).optional(),
  tmpfs: z.record(z.string(), z.string()).optional(),
  logDriver: z.string().default("json-file"),
  logOpts: z.record(z.string(), z.string()).optional(),
});

/** Inputs of a container, with the provider's defaults. */
export type ContainerInputs = z.output<typeof containerInputs>;

/** What the provider asks the daemon for. */
export function specOf(inputs: ContainerInputs): ContainerSpec {
  return {
    name: inputs.name,
    image: inputs.image,
    envs: inputs.envs,
    command: inputs.command ?? [],
    labels: Object.fromEntries((inputs.labels ?? []).map(({ label, value }) => [label, value])),
    // The daemon takes any port from 32768 on when none is asked for.
    ports: inputs.ports.map(({ internal, external, ip }) => ({
      internal,
      external: external ?? randomInt(32_768, 61_000),
      ip,
    })),
    networks: (inputs.networksAdvanced ?? []).map(({ name }) => name),
    volumes: inputs.volumes.map(({ volumeName, containerPath, readOnly }) => ({
      name: volumeName,
      path: containerPath,
      readOnly,
    })),
    healthCheck: checkOf(inputs),
    restart: inputs.restart,
    maxRetryCount: inputs.maxRetryCount ?? 0,
    autoRemove: inputs.rm,
    settings: settingsOf(inputs),
  };
}

/** Memory and swap in MiB as the daemon keeps them: it takes twice the memory for swap that nobody gave. */
export function swapOf({ memory, memorySwap }: ContainerInputs): Record<string, unknown> {
  return memory === undefined || memory === 0 ? {} : { memorySwap: memorySwap ?? memory * 2 };
}

function checkOf({ healthcheck }: ContainerInputs): ContainerSpec["healthCheck"] {
  if (healthcheck === undefined) return undefined;
  const { tests, interval, timeout, retries } = healthcheck;
  return healthCheckOf({
    test: tests,
    interval: millisecondsOf(interval),
    timeout: millisecondsOf(timeout),
    retries,
  });
}

const mebibyte = 1024 * 1024;

function settingsOf(inputs: ContainerInputs): Record<string, unknown> {
  const { memory = 0, memorySwap = memory * 2, cpus = "0", capabilities } = inputs;
  return {
    Memory: memory * mebibyte,
    MemorySwap: memorySwap === -1 ? -1 : memorySwap * mebibyte,
    NanoCpus: Math.round(Number(cpus) * 1e9),
    ReadonlyRootfs: inputs.readOnly,
    CapAdd: capabilities?.adds ?? null,
    CapDrop: capabilities?.drops ?? null,
    SecurityOpt: inputs.securityOpts ?? null,
    Tmpfs: inputs.tmpfs ?? null,
    LogConfig: { Type: inputs.logDriver, Config: inputs.logOpts ?? {} },
  };
}

function millisecondsOf(text: string): number {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) =>
      sum + Number(count) * unitMilliseconds[unit as keyof typeof unitMilliseconds],
    0,
  );
}
