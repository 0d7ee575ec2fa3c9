import type Dockerode from "dockerode";
import { z } from "zod";
import type { CreateBody } from "./container-inputs.ts";
import { statusOf } from "./container-host.ts";
import { pause } from "./pause.ts";
import { registryAuth } from "./registry-auth.ts";

/** What is known of a container. Times in ISO 8601; those that are not yet are undefined. */
export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `created`, `running`, `exited` and so on. */
  readonly status: string;
  readonly exitCode: number;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  /** `starting`, `healthy` or `unhealthy`; undefined without a health check. */
  readonly health: string | undefined;
  readonly restart: string;
}

/** A container by its very name; undefined when there is none. */
export async function findContainer(
  docker: Dockerode,
  name: string,
  signal?: AbortSignal,
): Promise<FoundContainer | undefined> {
  try {
    const options = withSignal({}, signal);
    const found = await docker.getContainer(name).inspect(options);
    const parsed = shape.parse(found);
    // The Engine takes the beginning of an id for a name, too.
    return parsed.Name === `/${name}` || parsed.Id === name ? foundOf(parsed) : undefined;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * Gets an image, unless the host has it, as who is logged in here. It throws when nothing of that name can be pulled.
 */
export async function pullImage(
  docker: Dockerode,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await docker.getImage(image).inspect();
    return;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  const authconfig = await registryAuth(image);
  const options = authconfig === undefined ? {} : { authconfig };
  const stream = await docker.pull(image, withSignal(options, signal));
  const told = await new Promise<readonly object[]>((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, progress: readonly object[]) => {
      if (error === null) resolve(progress);
      else reject(error);
    });
  });
  // A pull that fails on its way was answered with status 200 before.
  const failed = told.find((one) => "error" in one);
  if (failed !== undefined) throw new Error(String(failed.error));
}

/** Gives a container another name. */
export async function renameContainer(
  docker: Dockerode,
  id: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const options = withSignal({ name }, signal);
  await docker.getContainer(id).rename(options);
}

/** Makes a container and returns its id. */
export async function createContainer(
  docker: Dockerode,
  name: string,
  body: CreateBody,
  signal: AbortSignal,
): Promise<string> {
  // Given apart, or the client puts all of it into the URL, secrets as well.
  const apart = withSignal({ _query: { name }, _body: body }, signal);
  const { id } = await docker.createContainer(apart);
  return id;
}

/** Starts a container that may run already. */
export async function startContainer(
  docker: Dockerode,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await ignoring([304], docker.getContainer(id).start(withSignal({}, signal)));
}

/** Stops a container that may have stopped already: asks it to end, and kills it after that many seconds. */
export async function stopContainer(
  docker: Dockerode,
  id: string,
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  await ignoring([304], docker.getContainer(id).stop(withSignal({ t: graceSeconds }, signal)));
}

/** Stops and removes a container that may be gone already. Its volumes stay. */
export async function removeContainer(
  docker: Dockerode,
  id: string,
  graceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const container = docker.getContainer(id);
  await ignoring([304, 404], container.stop(withSignal({ t: graceSeconds }, signal)));
  await ignoring([404], container.remove(withSignal({ force: true }, signal)));
}

/** The last lines that a container has written, of both of its streams. */
export async function lastLines(
  docker: Dockerode,
  id: string,
  lines: number,
  signal: AbortSignal,
): Promise<string> {
  const options = { stdout: true, stderr: true, tail: lines, follow: false } as const;
  const bytes = await docker.getContainer(id).logs(withSignal(options, signal));
  return unframed(bytes);
}

/** A container that was stopped stays stopped when the daemon starts again: `always` starts it then. */
export async function keepStopped(
  docker: Dockerode,
  { id, restart }: FoundContainer,
  signal: AbortSignal,
): Promise<void> {
  if (restart !== "always") return;
  const policy = { RestartPolicy: { Name: "unless-stopped" } };
  await docker.getContainer(id).update(withSignal(policy, signal));
}

/** Looks at something again and again until it is there; the pauses grow from 0.1 s to 2 s. */
export async function until<Found>(
  look: () => Promise<Found | undefined>,
  deadline: number,
  signal: AbortSignal,
): Promise<Found | undefined> {
  for (let wait = 100; ; wait = Math.min(wait * 1.5, 2000)) {
    const found = await look();
    if (found !== undefined) return found;
    const left = deadline - Date.now();
    if (left <= 0) return undefined;
    await pause(Math.min(wait, left), signal);
  }
}

const time = z.string().transform((text) => (text.startsWith("0001-") ? undefined : text));

// What of ContainerInspectResponse is used: https://docs.docker.com/reference/api/engine/
const shape = z.looseObject({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  State: z.looseObject({
    Status: z.string(),
    ExitCode: z.int(),
    StartedAt: time,
    FinishedAt: time,
    Health: z.looseObject({ Status: z.string() }).nullish(),
  }),
  Config: z.looseObject({
    Image: z.string(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
  HostConfig: z.looseObject({ RestartPolicy: z.looseObject({ Name: z.string() }) }),
});

function foundOf(found: z.output<typeof shape>): FoundContainer {
  const { Status, ExitCode, StartedAt, FinishedAt, Health } = found.State;
  return {
    id: found.Id,
    name: found.Name.slice(1),
    image: found.Config.Image,
    imageId: found.Image,
    labels: found.Config.Labels ?? {},
    status: Status,
    exitCode: ExitCode,
    startedAt: StartedAt,
    finishedAt: FinishedAt,
    health: Health?.Status,
    restart: found.HostConfig.RestartPolicy.Name,
  };
}

/** The client takes the signal out of the options before it sends them. */
function withSignal<Options extends object>(
  options: Options,
  signal: AbortSignal | undefined,
): Options & { abortSignal?: AbortSignal } {
  return signal === undefined ? options : { ...options, abortSignal: signal };
}

async function ignoring(statuses: readonly number[], asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!statuses.includes(statusOf(error) ?? 0)) throw error;
  }
}

const headerBytes = 8;

/** Takes the Engine's frames off: a header of eight bytes before each part, the last four of it its length. */
function unframed(bytes: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + headerBytes <= bytes.length;) {
    const end = at + headerBytes + bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + headerBytes, end));
    at = end;
  }
  return Buffer.concat(parts).toString();
}
