import type Dockerode from "dockerode";
import { z } from "zod";
import { containerHost, openContainerHost, reasonOf } from "./container-host.ts";
import {
  createContainer,
  findContainer,
  lastLines,
  pullImage,
  removeContainer,
  renameContainer,
  startContainer,
  stopContainer,
  until,
  type FoundContainer,
} from "./container-calls.ts";
import { bindsOf, envs, limitsOf, volumes, type CreateBody } from "./container-inputs.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { maskOf } from "./masked.ts";
import { sameProperty, type Properties } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  stack: z.string().min(1),
  release: z.string().min(1),
  name: z.string().min(1),
  image: z.string().min(1),
  command: z.array(z.string()).min(1),
  envs,
  /** MiB. */
  memory: z.int().min(0).optional(),
  networks: z.array(z.string()).default([]),
  volumes,
  host: containerHost,
  deadlineSeconds: z.number().positive(),
});

type JobInputs = Readonly<z.output<typeof inputs>>;

/** What makes it another job, and not another run of it. */
const identifying = ["stack", "name", "host"] as const;

/**
 * A container that runs once for a release, and must exit with 0. One for a stack, a release and a name: a run that was
 * cut off is waited for again, one that exited with 0 is not repeated, and one that failed is run anew by the next
 * update. The container stays when it has ended: it is what says so when the engine's state does not.
 */
export const job: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const names = [...new Set([...Object.keys(olds.inputs), ...Object.keys(news)])];
    const diffs = names.filter((name) => !sameProperty(olds.inputs[name], news[name]));
    return {
      changes: diffs.length > 0,
      diffs,
      replaces: identifying.filter((name) => diffs.includes(name)),
    };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: `${parsed.stack}:${parsed.name}`, outputs: await run(parsed, call) };
  },

  async update(_id, _olds, news, call) {
    return { outputs: call.preview ? {} : await run(parseInputs(inputs, news), call) };
  },

  /** Removes the containers of all its releases. */
  async delete(_id, olds, call) {
    const parsed = inputs.parse(olds.inputs);
    const { stack, name, host } = parsed;
    await asked(parsed, async () => {
      const docker = await openContainerHost(host);
      for (const id of await labelled(docker, { stack, name }, call.signal)) {
        await removeContainer(docker, id, graceSeconds, call.signal);
      }
    });
  },
};

const labels = { stack: "cutover.stack", release: "cutover.release", name: "cutover.job" } as const;

const graceSeconds = 10;
const failureLines = 20;
const keptBytes = 4096;

async function run(parsed: JobInputs, call: Call): Promise<Properties> {
  const { stack, release, name, host } = parsed;
  return asked(parsed, async () => {
    const docker = await openContainerHost(host);
    const container = nameOf(parsed);
    const found = await findContainer(docker, container, call.signal);
    if (found !== undefined && !isOf(found, parsed)) throw foreign(container, found);
    // What has another name was stopped at its deadline, or on its way there.
    for (const id of await labelled(docker, { stack, release, name }, call.signal)) {
      if (id !== found?.id) await removeContainer(docker, id, graceSeconds, call.signal);
    }
    return outcome(docker, parsed, await begun(docker, parsed, found, call), call);
  });
}

/** The container of this run: the one that is there, or a new one in place of one that failed. */
async function begun(
  docker: Dockerode,
  parsed: JobInputs,
  found: FoundContainer | undefined,
  call: Call,
): Promise<string> {
  const { name, release, image } = parsed;
  const ended = found?.status === "exited" || found?.status === "dead";
  if (found !== undefined && (!ended || found.exitCode === 0)) {
    const what = ended
      ? "has exited with 0 already: not run again"
      : "is still there: waiting for it";
    call.log("info", `job ${name} of release ${release} ${what}`);
    if (found.status === "created") await startContainer(docker, found.id, call.signal);
    return found.id;
  }
  if (found !== undefined) await removeContainer(docker, found.id, graceSeconds, call.signal);
  await pullImage(docker, image, call.signal);
  const id = await createContainer(docker, nameOf(parsed), bodyOf(parsed), call.signal);
  await startContainer(docker, id, call.signal);
  return id;
}

async function outcome(
  docker: Dockerode,
  parsed: JobInputs,
  id: string,
  call: Call,
): Promise<Properties> {
  const { name, release, deadlineSeconds } = parsed;
  const { signal } = call;
  const started = await findContainer(docker, id, signal);
  // A run that is waited for again has used up some of its time.
  const since = Date.parse(started?.startedAt ?? new Date().toISOString());
  const ended = await until(
    async () => {
      const current = await findContainer(docker, id, signal);
      if (current === undefined) throw new RefusedError(goneText(parsed));
      return current.status === "exited" || current.status === "dead" ? current : undefined;
    },
    since + deadlineSeconds * 1000,
    signal,
  );
  const mask = maskOf(parsed.envs);
  if (ended === undefined) {
    // Renamed first: were this cut off, one that exits with 0 when it is stopped would count as done.
    await renameContainer(docker, id, `${nameOf(parsed)}-late-${id.slice(0, 12)}`, signal);
    await stopContainer(docker, id, graceSeconds, signal);
    const lines = mask(await lastLines(docker, id, failureLines, signal));
    await removeContainer(docker, id, graceSeconds, signal);
    throw failure(
      parsed,
      `it was still running after ${deadlineSeconds} s, and was stopped`,
      lines,
    );
  }
  const { exitCode, startedAt, finishedAt } = ended;
  if (exitCode !== 0) {
    const lines = mask(await lastLines(docker, id, failureLines, signal));
    throw failure(parsed, `exit code ${exitCode}`, lines);
  }
  const written = mask(await lastLines(docker, id, 200, signal));
  const logs = Buffer.from(written).subarray(-keptBytes).toString();
  call.log("debug", `job ${name} of release ${release} exited with 0`);
  return { exitCode, startedAt, finishedAt, release, logs };
}

function bodyOf(parsed: JobInputs): CreateBody {
  const { stack, release, name, image, command, memory, networks } = parsed;
  return {
    Image: image,
    Cmd: command,
    Env: parsed.envs,
    Labels: { [labels.stack]: stack, [labels.release]: release, [labels.name]: name },
    HostConfig: {
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      // Without swap of its own: Docker adds as much again when none is given.
      ...limitsOf({ memory, memorySwap: memory }),
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
      Binds: bindsOf(parsed.volumes),
      NetworkMode: networks[0],
    },
    NetworkingConfig: {
      EndpointsConfig: Object.fromEntries(networks.map((network) => [network, {}])),
    },
  };
}

/** One name for one stack, release and job, so that two runs cannot both be started. */
function nameOf({ stack, release, name }: JobInputs): string {
  return [stack, name, release].map((part) => part.replaceAll(/[^\w.-]/g, "-")).join("-");
}

function isOf(found: FoundContainer, { stack, release, name }: JobInputs): boolean {
  return (
    found.labels[labels.stack] === stack &&
    found.labels[labels.release] === release &&
    found.labels[labels.name] === name
  );
}

/** Ids of the containers with these labels, running or not. */
async function labelled(
  docker: Dockerode,
  of: Partial<Record<keyof typeof labels, string>>,
  signal: AbortSignal,
): Promise<string[]> {
  const label = Object.entries(of).map(
    ([name, value]) => `${labels[name as keyof typeof labels]}=${value}`,
  );
  const found = await docker.listContainers({ all: true, filters: { label }, abortSignal: signal });
  return found.map(({ Id }) => Id);
}

function foreign(container: string, found: FoundContainer): RefusedError {
  return new RefusedError(
    [
      `the container ${container} is not one that this job made. Nothing was run.`,
      `found:    ${found.id.slice(0, 12)} with image ${found.image}`,
      "required: no container of this name",
      `to do:    docker rename ${container} <another name>`,
    ].join("\n"),
  );
}

function goneText({ name, release }: JobInputs): string {
  return (
    `the container of job ${name} of release ${release} was removed while it ran. ` +
    "To do: find out by whom, then run pulumi up again, which runs the job anew"
  );
}

function failure(
  { name, release, command }: JobInputs,
  found: string,
  lines: string,
): RefusedError {
  return new RefusedError(
    [
      `job ${name} of release ${release} failed.`,
      `found:    ${found}`,
      `required: ${command[0] ?? ""} exits with 0`,
      `to do:    correct what it complains of, then run pulumi up again, which runs it anew`,
      ...(lines === ""
        ? ["it wrote nothing"]
        : ["its last lines:", ...lines.trimEnd().split("\n")]),
    ].join("\n"),
  );
}

async function asked<Result>(
  { name, host, envs: lines }: JobInputs,
  ask: () => Promise<Result>,
): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw new Error(`job ${name}: ${maskOf(lines)(reasonOf(host, error))}`, { cause: error });
  }
}
