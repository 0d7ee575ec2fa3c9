import { z } from "zod";
import { containerHost, nameOf, openContainerHost, reasonOf } from "./container-host.ts";
import {
  findContainer,
  keepStopped,
  startContainer,
  stopContainer,
  until,
  type FoundContainer,
} from "./container-calls.ts";
import { containerName } from "./container-inputs.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import type { Properties } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  container: containerName,
  host: containerHost,
  state: z.enum(["running", "stopped"]),
  /** How long it gets to finish what it has begun. */
  graceSeconds: z.int().min(0).default(10),
  /** How long it may take to be healthy, where it has a health check. */
  healthSeconds: z.number().positive().default(60),
});

type StateInputs = Readonly<z.output<typeof inputs>>;

/**
 * Keeps a container that is there running, or stopped. It makes none and removes none, and delete leaves it as it is.
 */
export const containerState: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: parsed.container, outputs: await bring(parsed, call) };
  },

  async update(_id, _olds, news, call) {
    return { outputs: call.preview ? {} : await bring(parseInputs(inputs, news), call) };
  },

  /** A container that was started or stopped by somebody else shows as another state. */
  async read(id, state, call) {
    const { success, data } = inputs.safeParse(state.inputs);
    if (!success) return { id, ...state };
    const found = await asked(data, () => find(data, call));
    if (found === undefined) return undefined;
    const now = found.status === "running" ? "running" : "stopped";
    return { id, ...state, inputs: { ...state.inputs, state: now } };
  },
};

async function bring(parsed: StateInputs, call: Call): Promise<Properties> {
  const { container, host, state, graceSeconds } = parsed;
  return asked(parsed, async () => {
    const found = await find(parsed, call);
    if (found === undefined) {
      throw new RefusedError(
        [
          `the container ${container} cannot be ${state === "running" ? "started" : "stopped"}.`,
          `found:    no container of this name on ${nameOf(host)}`,
          `required: one that is to be ${state}`,
          "to do:    correct the name or the host (cutover:hosts)",
        ].join("\n"),
      );
    }
    const docker = await openContainerHost(host);
    if (state === "running") {
      await startContainer(docker, found.id, call.signal);
      await untilWell(parsed, call);
    } else {
      await keepStopped(docker, found, call.signal);
      await stopContainer(docker, found.id, graceSeconds, call.signal);
    }
    return { at: new Date().toISOString(), containerId: found.id };
  });
}

async function find(
  { container, host }: StateInputs,
  { signal }: Call,
): Promise<FoundContainer | undefined> {
  return findContainer(await openContainerHost(host), container, signal);
}

/** Running counts once it is healthy, or at once where nobody checks its health. */
async function untilWell(parsed: StateInputs, call: Call): Promise<void> {
  const { container, healthSeconds } = parsed;
  let last: FoundContainer | undefined;
  const well = await until(
    async () => {
      last = await find(parsed, call);
      const { status, health = "healthy" } = last ?? {};
      return status === "running" && health === "healthy" ? last : undefined;
    },
    Date.now() + healthSeconds * 1000,
    call.signal,
  );
  if (well !== undefined) return;
  throw new RefusedError(
    [
      `the container ${container} was started and is not well.`,
      `found:    ${last?.status ?? "gone"}, health ${last?.health ?? "none"}, after ${healthSeconds} s`,
      "required: running, and healthy where it has a health check",
      `to do:    docker logs ${container}, then run pulumi up again`,
    ].join("\n"),
  );
}

async function asked<Result>(
  { container, host }: StateInputs,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw new Error(`${container}: ${reasonOf(host, error)}`, { cause: error });
  }
}
