import { z } from "zod";
import { containerHost, openContainerHost, reasonOf } from "./container-host.ts";
import { findContainer, removeContainer } from "./container-calls.ts";
import { containerShape, createBody, specDigest, type CreateBody } from "./container-inputs.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { replaceInPlace, previousName, type Placement } from "./in-place.ts";
import { sameProperty, type Properties } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";
import { maskOf } from "./masked.ts";

const inputs = z.strictObject({
  stack: z.string().min(1),
  release: z.string().min(1),
  host: containerHost,
  ...containerShape,
  wait: z.literal(true, "required is true: it waits until the container is healthy").optional(),
  waitTimeout: z.number().positive().default(60),
  mustRun: z.literal(true, "required is true").optional(),
  destroyGraceSeconds: z.int().min(0).default(10),
});

type InPlaceInputs = Readonly<z.output<typeof inputs>>;

/** What makes it another service, and not another release of it. */
const identifying = ["stack", "name", "host"] as const;

/**
 * A container that keeps its name and port. A new release takes the old one's place: its image is there before anything
 * stops, the old container stays beside it, stopped, until the new one is healthy, and comes back when that does not
 * happen. An operation that was cut off is finished, or put back, by the next one.
 */
export const inPlaceService: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const names = [...new Set([...Object.keys(olds.inputs), ...Object.keys(news)])];
    const diffs = names.filter((name) => !sameProperty(olds.inputs[name], news[name]));
    const replaces = identifying.filter((name) => diffs.includes(name));
    // Its port is wanted by the new one.
    return { changes: diffs.length > 0, diffs, replaces, deleteBeforeReplace: true };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: `${parsed.stack}:${parsed.name}`, outputs: await put(parsed, call) };
  },

  async update(_id, _olds, news, call) {
    return { outputs: call.preview ? {} : await put(parseInputs(inputs, news), call) };
  },

  /** One that does not run, or is another than was declared, shows: as gone, or with the image that it has. */
  async read(id, state, call) {
    const { success, data } = inputs.safeParse(state.inputs);
    if (!success) return { id, ...state };
    const { name, host, image } = data;
    const found = await asked(data, async () =>
      findContainer(await openContainerHost(host), name, call.signal),
    );
    if (found?.status !== "running") return undefined;
    if (found.labels[labels.spec] === specDigest(bodyOf(data))) return { id, ...state };
    if (found.image === image) return undefined;
    return { id, ...state, inputs: { ...state.inputs, image: found.image } };
  },

  async delete(_id, olds, call) {
    const parsed = inputs.parse(olds.inputs);
    const { name, host, stack, destroyGraceSeconds } = parsed;
    await asked(parsed, async () => {
      const docker = await openContainerHost(host);
      for (const each of [name, previousName(name)]) {
        const found = await findContainer(docker, each, call.signal);
        if (found === undefined || found.labels[labels.stack] !== stack) continue;
        await removeContainer(docker, found.id, destroyGraceSeconds, call.signal);
      }
    });
  },
};

/** Labels by which a container is known to be of a stack and a release. */
const labels = {
  stack: "cutover.stack",
  release: "cutover.release",
  name: "cutover.name",
  /** Digest of what it was made from. */
  spec: "cutover.spec",
} as const;

async function put(parsed: InPlaceInputs, call: Call): Promise<Properties> {
  const { stack, release, name, host, waitTimeout, destroyGraceSeconds } = parsed;
  const body = bodyOf(parsed);
  const placement: Placement = {
    name,
    host,
    release,
    body: {
      ...body,
      Labels: {
        ...body.Labels,
        [labels.stack]: stack,
        [labels.release]: release,
        [labels.name]: name,
        [labels.spec]: specDigest(body),
      },
    },
    isOurs: (found) => found.labels[labels.stack] === stack && found.labels[labels.name] === name,
    isWanted: (found) => found.labels[labels.spec] === specDigest(body),
    releaseOf: (found) => found.labels[labels.release] ?? "unknown",
    healthSeconds: waitTimeout,
    graceSeconds: destroyGraceSeconds,
    mask: maskOf(parsed.envs),
  };
  const found = await asked(parsed, async () =>
    replaceInPlace(await openContainerHost(host), placement, call),
  );
  return { containerId: found.id, imageId: found.imageId, startedAt: found.startedAt, release };
}

/** The release is part of it: each release has a container of its own. */
function bodyOf(parsed: InPlaceInputs): CreateBody {
  const body = createBody(parsed);
  return { ...body, Labels: { ...body.Labels, [labels.release]: parsed.release } };
}

/** Tells a daemon's error in its own words, without what is secret. */
async function asked<Result>(
  { name, host, envs }: InPlaceInputs,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw new Error(`${name}: ${maskOf(envs)(reasonOf(host, error))}`, { cause: error });
  }
}
