import { z } from "zod";
import { messageOf } from "./error-text.ts";
import {
  completeFreeze,
  freezeWrites,
  liftFreeze,
  readFreeze,
  type Freeze,
  type FreezeKey,
} from "./freeze.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { connectionSchema, type Connection } from "./postgres-session.ts";
import { hasUnknown, sameProperty, type Properties } from "./properties.ts";
import type { Call, ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  connection: connectionSchema,
  stack: z.string().min(1),
  release: z.string().min(1),
  /** What must be so after this resource: no writes, or writes again. */
  writes: z.enum(["frozen", "open"]),
  /** How long open transactions may go on before their sessions are ended. */
  drainSeconds: z.number().min(0),
});

/** Inputs of a write freeze: `frozen` stops the writes of a release's database, `open` ends that freeze. */
type WriteFreezeInputs = Readonly<z.infer<typeof inputs>>;

/** Outputs of a write freeze. */
interface WriteFreezeOutputs extends Freeze {
  readonly writes: WriteFreezeInputs["writes"];
}

/**
 * Stops and restores writes on a PostgreSQL database. The step ledger in the database, not the engine's state, says
 * whether a freeze holds: one that was lifted before its `open` step is made again, with a new token.
 */
export const writeFreeze: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  async diff(olds, news, call) {
    const diffs = [...new Set([...Object.keys(olds.inputs), ...Object.keys(news)])].filter(
      (name) => !sameProperty(olds.inputs[name], news[name]),
    );
    if (diffs.length > 0 || hasUnknown(news)) return { changes: true, diffs };
    const parsed = parseInputs(inputs, news);
    const stands = await standsAsWanted(parsed, call);
    return { changes: !stands, diffs: stands ? [] : ["writes"] };
  },

  async create(news, call) {
    const { stack, writes } = news;
    if (call.preview) return { id: "", outputs: await foreseen(news, call) };
    const outputs = await apply(parseInputs(inputs, news), call);
    return { id: `${String(stack)}:${String(writes)}`, outputs: { ...outputs } };
  },

  async update(_id, olds, news, call) {
    if (call.preview && hasUnknown(news)) return { outputs: { writes: news["writes"] } };
    const parsed = parseInputs(inputs, news);
    if (await keeps(olds.inputs, parsed, call)) return { outputs: olds.outputs };
    if (call.preview) return { outputs: await foreseen(news, call) };
    return { outputs: { ...(await apply(parsed, call)) } };
  },
};

/**
 * The dead man's switch: takes back every freeze that this process made or took over and that was not completed.
 * Called when the provider goes, so it gives up on a database after a second.
 */
export async function liftStandingFreezes(reason: string): Promise<void> {
  await Promise.all(
    [...standing.values()].map(async ({ connection, stack, release, log }) => {
      const say = (message: string): void => {
        log("warning", message);
      };
      try {
        await liftFreeze(connection, { stack, release, reason, log: say, waitSeconds: 1 });
      } catch (error) {
        log(
          "error",
          `the write freeze of release ${release} could not be lifted, so the database takes no writes: ` +
            messageOf(error),
        );
      }
    }),
  );
  standing.clear();
}

interface Standing extends FreezeKey {
  readonly connection: Connection;
  readonly log: Call["log"];
}

/** Freezes of this process that are not completed, by database and key. Entered before the database changes. */
const standing = new Map<string, Standing>();

function keyOf({ connection, stack, release }: Omit<Standing, "log">): string {
  const { host, port, database } = connection;
  return JSON.stringify([host, port, database, stack, release]);
}

async function apply(parsed: WriteFreezeInputs, call: Call): Promise<WriteFreezeOutputs> {
  const { connection, stack, release, writes, drainSeconds } = parsed;
  const options = {
    signal: call.signal,
    log: (message: string) => {
      call.log("info", message);
    },
  };
  const key = { stack, release };
  if (writes === "open") {
    const freeze = await completeFreeze(connection, key, options);
    standing.delete(keyOf(parsed));
    return { writes, ...freeze };
  }
  const onStanding = (stands: boolean): void => {
    if (stands) standing.set(keyOf(parsed), { ...key, connection, log: call.log.bind(call) });
    else standing.delete(keyOf(parsed));
  };
  const freeze = await freezeWrites(connection, key, drainSeconds, { ...options, onStanding });
  return { writes, ...freeze };
}

/** What a preview knows of the outputs: of a freeze that holds and will be taken over, its token and its begin. */
async function foreseen(news: Properties, call: Call): Promise<Properties> {
  const { writes } = news;
  if (hasUnknown(news) || writes !== "frozen") return { writes };
  const { connection, stack, release } = parseInputs(inputs, news);
  try {
    const { record, isFrozen } = await readFreeze(connection, { stack, release }, call.signal);
    if (record?.state !== "frozen" || !isFrozen) return { writes };
    return { writes, token: record.token, since: record.since };
  } catch {
    // A database that does not exist yet cannot be asked.
    return { writes };
  }
}

/** Whether the database is as this resource left it. One that cannot be asked counts as not. */
async function standsAsWanted(parsed: WriteFreezeInputs, call: Call): Promise<boolean> {
  const { connection, stack, release, writes } = parsed;
  try {
    const { record, isFrozen } = await readFreeze(connection, { stack, release }, call.signal);
    if (record?.state === "completed") return true;
    // A freeze of an earlier process is taken over, or nobody would lift it if this run fails.
    return (
      writes === "frozen" && record?.state === "frozen" && isFrozen && standing.has(keyOf(parsed))
    );
  } catch (error) {
    call.log("warning", `cannot tell whether writes are ${writes}: ${messageOf(error)}`);
    return false;
  }
}

/** Whether an update leaves the database alone: the freeze of the same release is over, or holds in this process. */
async function keeps(olds: Properties, parsed: WriteFreezeInputs, call: Call): Promise<boolean> {
  const isSame = (["stack", "release", "writes"] as const).every(
    (name) => olds[name] === parsed[name],
  );
  return isSame && (await standsAsWanted(parsed, call));
}
