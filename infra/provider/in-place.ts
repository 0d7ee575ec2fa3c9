import type Dockerode from "dockerode";
import {
  createContainer,
  findContainer,
  keepStopped,
  lastLines,
  pullImage,
  removeContainer,
  renameContainer,
  startContainer,
  stopContainer,
  until,
  type FoundContainer,
} from "./container-calls.ts";
import { reasonOf } from "./container-host.ts";
import type { CreateBody } from "./container-inputs.ts";
import type { Mask } from "./masked.ts";
import { RefusedError, type Call } from "./resource-type.ts";

/** A container that is to run under its name, in place of what runs there. */
export interface Placement {
  readonly name: string;
  readonly host: string | null | undefined;
  readonly release: string;
  readonly body: CreateBody;
  /** Tells whether a container is one that this service made. */
  isOurs(found: FoundContainer): boolean;
  /** Tells whether a container is made from the same as this one. */
  isWanted(found: FoundContainer): boolean;
  releaseOf(found: FoundContainer): string;
  readonly healthSeconds: number;
  readonly graceSeconds: number;
  readonly mask: Mask;
}

/** The name of the container that waits, stopped, until the one in its place is healthy. */
export function previousName(name: string): string {
  return `${name}-previous`;
}

/**
 * Makes a container run in place of another of its name, and waits until it is healthy. What an earlier call that was
 * cut off has left is finished or undone: the two names say how far it came.
 *
 * @returns the container, healthy
 * @throws RefusedError when the image cannot be had, when another's container has the name, and when the new one is not
 *   healthy in time; it says what runs then
 */
export async function replaceInPlace(
  docker: Dockerode,
  placement: Placement,
  call: Call,
): Promise<FoundContainer> {
  const run = { docker, ...placement, signal: call.signal };
  await pullFirst(run);
  const found = await ownContainer(run, placement.name);
  const aside = await ownContainer(run, previousName(placement.name));
  try {
    return await place(run, found, aside);
  } catch (error) {
    if (!call.signal.aborted) throw error;
    throw new Error(
      `${placement.name} was being replaced when the run was stopped: what ran before it may be ` +
        `stopped as ${previousName(placement.name)}. To do: run pulumi up again, which finishes this or puts that back`,
      { cause: error },
    );
  }
}

interface Run extends Placement {
  readonly docker: Dockerode;
  readonly signal: AbortSignal;
}

async function place(
  run: Run,
  found: FoundContainer | undefined,
  aside: FoundContainer | undefined,
): Promise<FoundContainer> {
  const { docker, graceSeconds, signal } = run;
  const isThere = found !== undefined && run.isWanted(found);
  if (isThere && aside === undefined) return orUnhealthy(run, () => startHealthy(run, found.id));
  if (!isThere && found !== undefined && aside !== undefined) {
    // Nobody has seen it healthy: the run that made it was cut off.
    await removeContainer(docker, found.id, graceSeconds, signal);
  }
  const previous = aside ?? (isThere ? undefined : found);
  if (previous === undefined) return putNew(run, undefined, undefined);
  if (!isThere && run.isWanted(previous)) return orUnhealthy(run, () => bringBack(run, previous));
  return putNew(run, isThere ? found : undefined, previous);
}

async function pullFirst(run: Run): Promise<void> {
  const { name, host, body, mask, signal } = run;
  try {
    await pullImage(run.docker, body.Image, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new RefusedError(
      [
        `${name} was not touched: its new image cannot be had.`,
        `found:    ${mask(reasonOf(host, error))}`,
        `required: ${body.Image}`,
        "to do:    push it, or let the container host pull it; then run pulumi up again",
      ].join("\n"),
    );
  }
}

async function ownContainer(run: Run, name: string): Promise<FoundContainer | undefined> {
  const found = await findContainer(run.docker, name, run.signal);
  if (found === undefined || run.isOurs(found)) return found;
  throw new RefusedError(
    [
      `the container ${name} is not one that ${run.name} of this stack made. Nothing was touched.`,
      `found:    ${found.id.slice(0, 12)} with image ${found.image}`,
      "required: no container of this name",
      `to do:    docker rename ${name} <another name>, and stop it when it has the same port`,
    ].join("\n"),
  );
}

/** Stops what runs and gives it the other name. Any part of it may have been done before. */
async function setAside(run: Run, previous: FoundContainer): Promise<void> {
  const { docker, name, graceSeconds, signal } = run;
  await stopContainer(docker, previous.id, graceSeconds, signal);
  await keepStopped(docker, previous, signal);
  if (previous.name === previousName(name)) return;
  await renameContainer(docker, previous.id, previousName(name), signal);
}

async function putNew(
  run: Run,
  made: FoundContainer | undefined,
  previous: FoundContainer | undefined,
): Promise<FoundContainer> {
  const { docker, name, body, signal } = run;
  let id = made?.id;
  try {
    if (previous !== undefined) await setAside(run, previous);
    id ??= await createContainer(docker, name, body, signal);
    const healthy = await startHealthy(run, id);
    if (previous !== undefined) {
      await removeContainer(docker, previous.id, run.graceSeconds, signal);
    }
    return healthy;
  } catch (error) {
    signal.throwIfAborted();
    throw await undone(run, id, previous, error);
  }
}

/** Takes the new one away, and puts back what ran before. Returns what to say of both. */
async function undone(
  run: Run,
  id: string | undefined,
  previous: FoundContainer | undefined,
  error: unknown,
): Promise<RefusedError> {
  const { docker, name, host, release, body, mask, graceSeconds, signal } = run;
  const lines =
    id === undefined ? "" : await lastLines(docker, id, shownLines, signal).catch(() => "");
  const found = error instanceof NotHealthy ? error.message : reasonOf(host, error);
  let now = `none runs under the name ${name}: there was none before`;
  try {
    if (id !== undefined) await removeContainer(docker, id, graceSeconds, signal);
    if (previous !== undefined) {
      await bringBack(run, previous);
      now = `the container of release ${run.releaseOf(previous)} runs again under ${name} and is healthy`;
    }
  } catch (failure) {
    signal.throwIfAborted();
    const reason = failure instanceof NotHealthy ? failure.message : reasonOf(host, failure);
    now = `${previous === undefined ? "the new one" : `the container of release ${run.releaseOf(previous)}`} is not back as it was: ${mask(reason)}`;
  }
  return new RefusedError(
    [
      `${name} was not replaced by release ${release}.`,
      `found:    ${mask(found)}`,
      `required: ${body.Image} healthy within ${run.healthSeconds} s (cutover:deadlines.healthSeconds)`,
      `now:      ${now}`,
      "to do:    find out why, then run pulumi up again",
      ...(lines === "" ? [] : ["its last lines:", ...mask(lines).trimEnd().split("\n")]),
    ].join("\n"),
  );
}

const shownLines = 10;

/** Starts the container that was set aside under its own name again, and waits until it is healthy. */
async function bringBack(run: Run, previous: FoundContainer): Promise<FoundContainer> {
  const { docker, name, signal } = run;
  const current = await findContainer(docker, previous.id, signal);
  if (current?.name === previousName(name)) {
    await renameContainer(docker, previous.id, name, signal);
  }
  return startHealthy(run, previous.id);
}

/** Says of a container that is left as it is that it is not healthy. */
async function orUnhealthy(
  run: Run,
  start: () => Promise<FoundContainer>,
): Promise<FoundContainer> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof NotHealthy)) throw error;
    throw new RefusedError(
      [
        `${run.name} is not healthy.`,
        `found:    ${error.message}`,
        `required: healthy within ${run.healthSeconds} s (cutover:deadlines.healthSeconds)`,
        `to do:    docker logs ${run.name} tells why; it was left as it is`,
      ].join("\n"),
    );
  }
}

/** What a container was in place of healthy. */
class NotHealthy extends Error {
  override readonly name = "NotHealthy";
}

/** Starts a container that may run already, and waits until it is healthy. */
async function startHealthy(run: Run, id: string): Promise<FoundContainer> {
  const { docker, healthSeconds, signal } = run;
  await startContainer(docker, id, signal);
  let last: FoundContainer | undefined;
  const healthy = await until(
    async () => {
      last = await findContainer(docker, id, signal);
      return last?.health === "healthy" && last.status === "running" ? last : undefined;
    },
    Date.now() + healthSeconds * 1000,
    signal,
  );
  if (healthy !== undefined) return healthy;
  throw new NotHealthy(
    last === undefined
      ? "the container is gone"
      : last.status === "running"
        ? `health ${last.health ?? "none"} after ${healthSeconds} s`
        : `the container is ${last.status}, with exit code ${last.exitCode}`,
  );
}
