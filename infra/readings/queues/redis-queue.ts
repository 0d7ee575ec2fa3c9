import { z } from "zod";
import { codeOf } from "../../provider/error-text.ts";
import { environmentName, environmentPassword, readCertificate } from "../credentials.ts";
import { ReadingError, readingKind } from "../reading.ts";

// A key of Redis may be anything; these are the names that people give to queues.
const name = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9{][\w{}.:/-]*$/, "must be a name of letters, digits and any of _ - . : / { }");

const target = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .meta({ description: "a host name or address", example: "redis.example.com" }),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .default(6379)
      .meta({ description: "a port, 1 to 65535", example: "6379" }),
    queues: z
      .array(name)
      .min(1)
      .max(50)
      .refine((names) => new Set(names).size === names.length, "must have each name once")
      .meta({
        description: "keys of lists or streams, or names of BullMQ queues",
        example: '["jobs"]',
      }),
    type: z
      .enum(["list", "stream", "bullmq"])
      .default("list")
      .meta({ description: "what the queues are: list, stream or bullmq", example: "list" }),
    deadLetter: name.optional().meta({
      description: "the queue of the same type that takes what failed",
      example: "jobs-dead",
    }),
    prefix: name
      .default("bull")
      .meta({ description: "what the keys of BullMQ begin with", example: "bull" }),
    user: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "a Redis user; its default one when absent", example: "reader" }),
    passwordEnv: environmentName.optional().meta({
      description: "the environment variable that holds the password",
      example: "REDIS_PASSWORD",
    }),
    tls: z.boolean().default(false).meta({ description: "true or false", example: "true" }),
    caFile: z.string().min(1).optional().meta({
      description: "a PEM file with the server's CA, from the project's top, with tls",
      example: "redis-ca.pem",
    }),
  })
  .refine(({ tls, caFile }) => tls || caFile === undefined, {
    path: ["caFile"],
    message: "must stand with tls: true",
  })
  .refine(({ user, passwordEnv }) => user === undefined || passwordEnv !== undefined, {
    path: ["user"],
    message: "must stand with passwordEnv",
  });

type Target = z.infer<typeof target>;

/**
 * What waits in queues of Redis, counted in one transaction of the server. Of streams it reads the first entry, and
 * tells nothing but its age. A list that does not exist is an empty one in Redis.
 */
export const redisQueue = readingKind({
  kind: "redis-queue",
  title: "depths of lists, streams or BullMQ queues in Redis",
  target,
  facts: {
    depth:
      "entries in all queues, read or not; in BullMQ, jobs that wait, run, are delayed or failed; null when a stream or a BullMQ queue does not exist",
    oldestMessageSeconds:
      "seconds, the age of the oldest entry of all streams; 0 where nothing waits; null where the type of queue does not tell it, or one does not exist",
    deadLetterDepth:
      "entries in the dead-letter queue; null when none is named, or it is a stream or a BullMQ queue that does not exist",
    queues:
      "by name, a record of `depth` and `oldestMessageSeconds`, of BullMQ also `waiting`, `active`, `delayed` and `failed`, which are absent when the queue does not exist",
  },
  subject: ({ queues, ...place }) => `${queues.join(", ")} on ${placeOf(place)}`,

  async read(wanted, { now, signal }) {
    const { queues, deadLetter } = wanted;
    const names = [...new Set([...queues, ...(deadLetter === undefined ? [] : [deadLetter])])];
    const parts = names.flatMap((queue) => partsOf(wanted, queue));
    const counted = countParts(wanted, parts, await ask(wanted, parts, signal));
    const factsFor = (queue: string): QueueFacts =>
      factsOf(
        wanted,
        counted.filter((part) => part.queue === queue),
        now,
      );
    const found = queues.map((queue) => [queue, factsFor(queue)] as const);
    const depths = known(found.map(([, { depth }]) => depth));
    const ages = known(found.map(([, { oldestMessageSeconds }]) => oldestMessageSeconds));
    return {
      depth: depths?.reduce((sum, depth) => sum + depth) ?? null,
      oldestMessageSeconds: ages === undefined ? null : Math.max(...ages),
      deadLetterDepth: deadLetter === undefined ? null : factsFor(deadLetter).depth,
      queues: Object.fromEntries(found),
    };
  },
});

/** One key of a queue. */
interface Part {
  readonly queue: string;
  readonly key: string;
  readonly type: keyof typeof lengthCommands;
  /** What its entries are to the queue; those of `meta` are none. */
  readonly count: "entries" | "waiting" | "active" | "delayed" | "failed" | "meta";
}

/** The command that counts, by the type of the key. */
const lengthCommands = { list: "LLEN", stream: "XLEN", zset: "ZCARD", hash: "HLEN" } as const;

/** The keys of a BullMQ queue. Jobs that wait lie elsewhere when it is paused, and when they have a priority. */
const bullmqKeys: readonly (readonly [string, Part["type"], Part["count"]])[] = [
  ["wait", "list", "waiting"],
  ["paused", "list", "waiting"],
  ["prioritized", "zset", "waiting"],
  ["waiting-children", "zset", "waiting"],
  ["active", "list", "active"],
  ["delayed", "zset", "delayed"],
  ["failed", "zset", "failed"],
  ["meta", "hash", "meta"],
];

function partsOf({ type, prefix }: Target, queue: string): Part[] {
  if (type !== "bullmq") return [{ queue, key: queue, type, count: "entries" }];
  return bullmqKeys.map(([last, keyType, count]) => {
    return { queue, key: `${prefix}:${queue}:${last}`, type: keyType, count };
  });
}

/** Type and length of a key, and of some keys the entry at one end. */
function commandsOf({ key, type, count }: Part): readonly (readonly string[])[] {
  const both = [
    ["TYPE", key],
    [lengthCommands[type], key],
  ];
  if (type === "stream") return [...both, ["XRANGE", key, "-", "+", "COUNT", "1"]];
  if (type === "list" && count === "waiting") return [...both, ["LINDEX", key, "-1"]];
  return both;
}

const connectMilliseconds = 5000;

/** Runs the commands of all parts in one transaction; a reply may be an error. Connects once and never again. */
async function ask(
  wanted: Target,
  parts: readonly Part[],
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  signal.throwIfAborted();
  const { createClient, MultiErrorReply } = await import("redis");
  const place = placeOf(wanted);
  const { host, port, user, passwordEnv, caFile } = wanted;
  const password = passwordEnv === undefined ? undefined : environmentPassword(passwordEnv, place);
  const ca = caFile === undefined ? undefined : await readCertificate(caFile, place);
  const socket = {
    host,
    port,
    connectTimeout: connectMilliseconds,
    reconnectStrategy: false,
  } as const;
  const client = createClient({
    // What every version of the server speaks.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: "disabled",
    socket: wanted.tls ? { ...socket, tls: true, ...(ca === undefined ? {} : { ca }) } : socket,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
  });
  let isConnected = false as boolean;
  client.once("connect", () => {
    isConnected = true;
  });
  const ended = new Promise<never>((_resolve, reject) => {
    client.on("error", reject);
    signal.addEventListener("abort", reject, { once: true });
  });
  const asked = async (): Promise<readonly unknown[]> => {
    await client.connect();
    const transaction = client.multi();
    for (const command of parts.flatMap(commandsOf)) transaction.addCommand([...command]);
    return transaction.exec();
  };
  try {
    return await Promise.race([ended, asked()]);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MultiErrorReply) return error.replies;
    throw unreadable(wanted, error);
  } finally {
    // While it connects, the client has nothing to destroy yet, and would forget what it is going to have.
    if (!isConnected) client.once("connect", () => client.destroy());
    else if (client.isOpen) client.destroy();
  }
}

/** What a part holds. */
interface CountedPart extends Part {
  readonly exists: boolean;
  readonly length: number;
  /** The entry at its end, where it was asked for. */
  readonly end: unknown;
}

function countParts(
  wanted: Target,
  parts: readonly Part[],
  replies: readonly unknown[],
): CountedPart[] {
  const rest = [...replies];
  return parts.map((part) => {
    const [type, length, end] = rest.splice(0, commandsOf(part).length);
    if (type !== "none" && type !== part.type && typeof type === "string") {
      throw new ReadingError(
        `${part.key} on ${placeOf(wanted)} is a ${type}, required is a ${part.type}. To do: correct the name or the type`,
      );
    }
    if (typeof length !== "number" || !Number.isSafeInteger(length)) {
      throw unreadable(wanted, length);
    }
    return { ...part, exists: type !== "none", length, end };
  });
}

interface QueueFacts {
  readonly depth: number | null;
  readonly oldestMessageSeconds: number | null;
}

function factsOf({ type }: Target, parts: readonly CountedPart[], now: Date): QueueFacts {
  if (type !== "list" && !parts.some(({ exists }) => exists)) {
    return { depth: null, oldestMessageSeconds: null };
  }
  const counts = { waiting: 0, active: 0, delayed: 0, failed: 0, entries: 0, meta: 0 };
  for (const { count, length, end } of parts) {
    // Old versions of BullMQ keep a marker among what waits.
    counts[count] += length - (typeof end === "string" && end.startsWith("0:") ? 1 : 0);
  }
  const { entries, waiting, active, delayed, failed } = counts;
  const depth = entries + waiting + active + delayed + failed;
  const oldestMessageSeconds = depth === 0 ? 0 : ageOf(parts[0]?.end, now);
  return {
    depth,
    oldestMessageSeconds,
    ...(type === "bullmq" ? { waiting, active, delayed, failed } : {}),
  };
}

/** Seconds since a stream's first entry was written, from its ID: milliseconds since 1970 and a number. */
function ageOf(entries: unknown, now: Date): number | null {
  if (!Array.isArray(entries)) return null;
  const [first] = entries as unknown[];
  const [id] = Array.isArray(first) ? (first as unknown[]) : [];
  const [, since] = /^(\d{1,16})-\d+$/.exec(String(id)) ?? [];
  if (since === undefined) return null;
  // The server's clock may be ahead of this one.
  return Math.max(0, (now.getTime() - Number(since)) / 1000);
}

/** All of the values, or undefined when one is unknown. */
function known(values: readonly (number | null)[]): number[] | undefined {
  const found = values.filter((value) => value !== null);
  return found.length === values.length ? found : undefined;
}

function placeOf({ host, port }: Pick<Target, "host" | "port">): string {
  return `${host}:${port}`;
}

/** Says why Redis could not be asked. Of what it says, only the first word is told, which is its code. */
function unreadable(wanted: Target, error: unknown): ReadingError {
  const { message, constructor } = error instanceof Error ? error : new Error();
  const [word = ""] = /^[A-Z]{3,20}(?= )/.exec(message) ?? [];
  const code = codeOf(error) ?? (word === "" ? constructor.name : word);
  const { text, again = false } = failures[code] ?? {
    text: "it did not answer as Redis does",
    again: word === "",
  };
  const todo = text.replace("$passwordEnv", wanted.passwordEnv ?? "passwordEnv");
  // The client's error may hold the commands, and so the password: it is no cause.
  return new ReadingError(`Redis at ${placeOf(wanted)} cannot be asked: ${todo} (${code})`, {
    again,
  });
}

const failures: Readonly<
  Record<string, { readonly text: string; readonly again?: true } | undefined>
> = {
  NOAUTH: { text: "it wants a password. To do: name its variable as passwordEnv" },
  WRONGPASS: { text: "it refused the password. To do: set the current one in $passwordEnv" },
  NOPERM: { text: "the user may not count. To do: allow it MULTI, EXEC, TYPE and what counts" },
  DENIED: { text: "it takes no connection from this machine. To do: let this machine in" },
  MOVED: { text: "it is one node of a cluster. To do: name the node that holds the queue" },
  CROSSSLOT: { text: "it is a cluster. To do: read queues of one slot only" },
  LOADING: { text: "it is still starting", again: true },
  BUSY: { text: "it is busy with a script", again: true },
  MASTERDOWN: { text: "it has lost its primary", again: true },
  CLUSTERDOWN: { text: "its cluster is down", again: true },
  TRYAGAIN: { text: "its cluster moves the queue", again: true },
  ECONNREFUSED: {
    text: "nothing listens there. To do: start it, or correct the port",
    again: true,
  },
  ECONNRESET: { text: "the connection broke off", again: true },
  ENOTFOUND: { text: "there is no such host. To do: correct the host", again: true },
};
