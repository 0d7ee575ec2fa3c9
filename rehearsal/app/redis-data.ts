/** An error of Redis, in its words. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/** One reply: an error is thrown, a status is a {@link Status}, nothing is null. */
export type RedisReply = string | number | null | Status | readonly RedisReply[];

/** A reply that is a word and no value, such as `OK`. */
export interface Status {
  readonly status: string;
}

interface Entry {
  readonly id: string;
  readonly fields: readonly string[];
}

type Value =
  | { readonly type: "string"; text: string }
  | { readonly type: "list"; readonly items: string[] }
  | { readonly type: "hash"; readonly fields: Record<string, string> }
  | { readonly type: "zset"; readonly scores: Record<string, number> }
  | { readonly type: "stream"; readonly entries: Entry[] };

type ValueOf<Type extends Value["type"]> = Extract<Value, { type: Type }>;

/** Every key of a database, as it is saved. */
export type Keys = Record<string, Value>;

const ok: Status = { status: "OK" };

/** A command on data: how many arguments it takes at least and at most, and what it does. */
interface DataCommand {
  readonly least: number;
  readonly most?: number;
  run(keys: Keys, args: readonly string[]): RedisReply;
}

/** The commands on data that the rehearsal imitates. */
export const dataCommands: Readonly<Record<string, DataCommand>> = {
  SET: {
    least: 2,
    run(keys, [key = "", text = "", ...options]) {
      if (options.length > 0) throw new RedisError("ERR syntax error");
      keys[key] = { type: "string", text };
      return ok;
    },
  },
  GET: { least: 1, most: 1, run: (keys, [key]) => valueAt(keys, key, "string")?.text ?? null },
  DEL: {
    least: 1,
    run: (keys, names) =>
      names.filter((name) => Object.hasOwn(keys, name) && Reflect.deleteProperty(keys, name))
        .length,
  },
  TYPE: {
    least: 1,
    most: 1,
    run: (keys, [key = ""]) => ({ status: own(keys, key)?.type ?? "none" }),
  },
  LPUSH: {
    least: 2,
    run: (keys, [key, ...items]) => listAt(keys, key).unshift(...items.toReversed()),
  },
  RPUSH: { least: 2, run: (keys, [key, ...items]) => listAt(keys, key).push(...items) },
  LPOP: { least: 1, most: 1, run: (keys, [key]) => popped(keys, key, (items) => items.shift()) },
  RPOP: { least: 1, most: 1, run: (keys, [key]) => popped(keys, key, (items) => items.pop()) },
  LLEN: { least: 1, most: 1, run: (keys, [key]) => valueAt(keys, key, "list")?.items.length ?? 0 },
  LINDEX: {
    least: 2,
    most: 2,
    run: (keys, [key, index]) => valueAt(keys, key, "list")?.items.at(wholeOf(index)) ?? null,
  },
  HSET: {
    least: 3,
    run(keys, [key = "", ...pairs]) {
      const { fields } =
        valueAt(keys, key, "hash") ?? kept(keys, key, { type: "hash", fields: {} });
      const before = Object.keys(fields).length;
      for (const [name, text] of paired(pairs)) fields[name] = text;
      return Object.keys(fields).length - before;
    },
  },
  HLEN: {
    least: 1,
    most: 1,
    run: (keys, [key]) => Object.keys(valueAt(keys, key, "hash")?.fields ?? {}).length,
  },
  ZADD: {
    least: 3,
    run(keys, [key = "", ...pairs]) {
      const { scores } =
        valueAt(keys, key, "zset") ?? kept(keys, key, { type: "zset", scores: {} });
      const before = Object.keys(scores).length;
      for (const [score, member] of paired(pairs)) scores[member] = numberOf(score);
      return Object.keys(scores).length - before;
    },
  },
  ZCARD: {
    least: 1,
    most: 1,
    run: (keys, [key]) => Object.keys(valueAt(keys, key, "zset")?.scores ?? {}).length,
  },
  XADD: {
    least: 4,
    run(keys, [key = "", wanted = "", ...fields]) {
      const { entries } =
        valueAt(keys, key, "stream") ?? kept<"stream">(keys, key, { type: "stream", entries: [] });
      paired(fields);
      const id = nextId(wanted, entries.at(-1)?.id ?? "0-0");
      entries.push({ id, fields });
      return id;
    },
  },
  XLEN: {
    least: 1,
    most: 1,
    run: (keys, [key]) => valueAt(keys, key, "stream")?.entries.length ?? 0,
  },
  XRANGE: {
    least: 3,
    most: 5,
    run(keys, [key, from, to, word, count]) {
      if (from !== "-" || to !== "+") throw new RedisError("ERR the rehearsal has XRANGE - + only");
      if (word !== undefined && word.toUpperCase() !== "COUNT") {
        throw new RedisError("ERR syntax error");
      }
      const entries = valueAt(keys, key, "stream")?.entries ?? [];
      const most = count === undefined ? entries.length : wholeOf(count);
      return entries.slice(0, most).map(({ id, fields }) => [id, fields]);
    },
  },
  DBSIZE: { least: 0, most: 0, run: (keys) => Object.keys(keys).length },
};

function own(keys: Keys, key: string): Value | undefined {
  return Object.hasOwn(keys, key) ? keys[key] : undefined;
}

function valueAt<Type extends Value["type"]>(
  keys: Keys,
  key = "",
  type: Type,
): ValueOf<Type> | undefined {
  const found = own(keys, key);
  if (found === undefined || found.type === type) return found as ValueOf<Type> | undefined;
  throw new RedisError("WRONGTYPE Operation against a key holding the wrong kind of value");
}

function kept<Type extends Value["type"]>(
  keys: Keys,
  key: string,
  value: ValueOf<Type>,
): ValueOf<Type> {
  keys[key] = value;
  return value;
}

function listAt(keys: Keys, key = ""): string[] {
  return (valueAt(keys, key, "list") ?? kept<"list">(keys, key, { type: "list", items: [] })).items;
}

/** An empty list is no list. */
function popped(keys: Keys, key = "", pop: (items: string[]) => string | undefined): string | null {
  const items = valueAt(keys, key, "list")?.items ?? [];
  const item = pop(items) ?? null;
  if (items.length === 0) Reflect.deleteProperty(keys, key);
  return item;
}

function paired(words: readonly string[]): [string, string][] {
  if (words.length % 2 === 1) throw new RedisError("ERR syntax error");
  return words.flatMap((word, index) =>
    index % 2 === 0 ? [[word, words[index + 1] ?? ""] as [string, string]] : [],
  );
}

function wholeOf(text = ""): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new RedisError("ERR value is not an integer or out of range");
}

function numberOf(text: string): number {
  const value = Number(text);
  if (text !== "" && !Number.isNaN(value)) return value;
  throw new RedisError("ERR value is not a valid float");
}

/** Milliseconds and a number that tells entries of one millisecond apart; each is larger than the last. */
function nextId(wanted: string, last: string): string {
  const [lastTime = 0, lastNumber = 0] = last.split("-").map(Number);
  if (wanted === "*") {
    const time = Math.max(Date.now(), lastTime);
    return `${time}-${time === lastTime ? lastNumber + 1 : 0}`;
  }
  if (!/^\d{1,15}(-\d{1,15})?$/.test(wanted)) {
    throw new RedisError("ERR Invalid stream ID specified as stream command argument");
  }
  const [time = 0, number = 0] = wanted.split("-").map(Number);
  if (time > lastTime || (time === lastTime && number > lastNumber)) return `${time}-${number}`;
  throw new RedisError(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item",
  );
}
