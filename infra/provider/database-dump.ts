import { z } from "zod";
import { containerHost, openContainerHost } from "./container-host.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { openObjectStore, storeSchema } from "./object-store.ts";
import { sameProperty, type Properties } from "./properties.ts";
import { storeDump } from "./recovery-dump.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

/** A part of an object's key: no path out of its folder. */
const keyPart = z.string().regex(/^[\w][\w.-]*$/, "required are letters, digits and _.-");

const inputs = z.strictObject({
  stack: z.string().min(1),
  system: keyPart,
  release: keyPart,
  /** Name of the database. */
  name: keyPart,
  /** Identifies the freeze that it is taken in. */
  token: keyPart,
  user: z.string().min(1),
  password: z.string().min(1),
  /** Name of the container that the database runs in. */
  container: z.string().min(1),
  host: containerHost,
  store: storeSchema,
  /** Default 3600. */
  deadlineSeconds: z.number().positive().optional(),
});

/** Inputs of a dump. */
type DumpInputs = Readonly<z.infer<typeof inputs>>;

const defaultDeadlineSeconds = 3600;

/** What makes it another dump. The rest is only how to get at the database and the bucket. */
const identifying = ["stack", "system", "release", "name", "token", "store"] as const;

/**
 * A dump of a database that runs in a container, in a bucket: made by the `pg_dump` of that container, so of the
 * server's own version. It is made once for a stack, release and freeze; the bucket, not the engine's state, says
 * whether that has happened. Delete does nothing: recovery points outlive what they were taken for.
 */
export const databaseDump: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const diffs = identifying.filter((name) => !sameProperty(olds.inputs[name], news[name]));
    return { changes: diffs.length > 0, diffs };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const outputs = await take(parseInputs(inputs, news), call);
    return { id: String(outputs["key"]), outputs };
  },

  async update(_id, _olds, news, call) {
    return { outputs: call.preview ? {} : await take(parseInputs(inputs, news), call) };
  },
};

/** The key of a dump: by system and release, so that a person finds it without this program. */
export function dumpKey(of: Pick<DumpInputs, "system" | "release" | "name" | "token">): string {
  return `${of.system}/${of.release}/${of.name}-${of.token}.dump`;
}

async function take(parsed: DumpInputs, call: Call): Promise<Properties> {
  const { stack, release, token, name, user, password, host, store: place } = parsed;
  const { deadlineSeconds = defaultDeadlineSeconds } = parsed;
  const late = AbortSignal.timeout(deadlineSeconds * 1000);
  const signal = AbortSignal.any([call.signal, late]);
  const docker = await openContainerHost(host);
  const container = docker.getContainer(parsed.container);
  const from = { container, host, database: name, user, password };
  const store = await openObjectStore(place, signal);
  try {
    const dump = await storeDump(from, store, dumpKey(parsed), { stack, release, token }, signal);
    call.log("info", `${store.name}/${dump.key}: ${String(dump.bytes)} bytes`);
    return { ...dump };
  } catch (error) {
    if (!late.aborted || call.signal.aborted) throw error;
    throw new RefusedError(
      `the dump was not done within ${String(deadlineSeconds)} s, and does not count.\n` +
        "To do: see what pg_dump waits for, or raise deadlineSeconds of the dump",
      { cause: error },
    );
  } finally {
    store.close();
  }
}
