import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { places } from "./environment.ts";
import { dataCommands, RedisError, type Keys, type RedisReply, type Status } from "./redis-data.ts";

/** A Redis that speaks RESP 2, with its data in memory, and in its volume while it does not run. */
export interface Redis {
  readonly servers: readonly Server[];
  /** Ends all connections and saves what it holds. */
  end(): void;
}

/** Starts Redis; `REDIS_PASSWORD` is its password. */
export async function serveRedis(): Promise<Redis> {
  const [, volume] = Object.entries(process.env).find(([name]) => name.startsWith("VOLUME_")) ?? [];
  const dump = volume === undefined ? undefined : join(volume, "dump.json");
  const keys = load(dump);
  const sockets = new Set<Socket>();
  const servers = await Promise.all(
    places().map(async (place) => {
      const server = createServer((socket) => {
        sockets.add(socket.once("close", () => sockets.delete(socket)));
        serve(socket, keys);
      });
      server.listen(place);
      await once(server, "listening");
      return server;
    }),
  );
  return {
    servers,
    end() {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
      if (dump !== undefined) writeFileSync(dump, JSON.stringify(keys), { mode: 0o600 });
    },
  };
}

const ok: Status = { status: "OK" };
// Enough for what the rehearsal sends, and a bound on what a client can make this process hold.
const maxRequestBytes = 1024 * 1024;

/** What Redis remembers of one connection. */
interface Session {
  readonly keys: Keys;
  authenticated: boolean;
  /** Commands of a transaction that is open. */
  queue: string[][] | undefined;
  /** Whether one of them was refused already. */
  aborted: boolean;
  /** Whether the client has said goodbye. */
  ended: boolean;
}

type SessionCommand = (session: Session, args: readonly string[]) => RedisReply;

/** The commands about the connection that the rehearsal imitates. */
const sessionCommands: Readonly<Record<string, SessionCommand>> = {
  AUTH: (session, args) => authenticate(session, args),
  // Clients that speak RESP 3 go on with RESP 2 after this.
  HELLO() {
    throw new RedisError("NOPROTO unsupported protocol version");
  },
  PING: (_session, [text]) => text ?? { status: "PONG" },
  SELECT(_session, [index]) {
    if (index !== "0") throw new RedisError("ERR DB index is out of range");
    return ok;
  },
  CLIENT(_session, [word = ""]) {
    if (["SETINFO", "SETNAME"].includes(word.toUpperCase())) return ok;
    throw new RedisError(`ERR unknown subcommand '${word}'. Try CLIENT HELP.`);
  },
  QUIT(session) {
    session.ended = true;
    return ok;
  },
  MULTI(session) {
    if (session.queue !== undefined) throw new RedisError("ERR MULTI calls can not be nested");
    session.queue = [];
    session.aborted = false;
    return ok;
  },
  DISCARD(session) {
    if (session.queue === undefined) throw new RedisError("ERR DISCARD without MULTI");
    session.queue = undefined;
    return ok;
  },
};

/** What can be said before a password was. */
const openCommands = new Set(["AUTH", "HELLO", "QUIT"]);

function serve(socket: Socket, keys: Keys): void {
  const session: Session = {
    keys,
    authenticated: (process.env["REDIS_PASSWORD"] ?? "") === "",
    queue: undefined,
    aborted: false,
    ended: false,
  };
  let rest = Buffer.alloc(0);
  // A client that breaks off is nobody's error.
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    if (rest.length > maxRequestBytes) {
      socket.end("-ERR Protocol error: too big mbulk count string\r\n");
      return;
    }
    for (let request = parse(rest); request !== undefined; request = parse(rest)) {
      rest = rest.subarray(request.length);
      if (request.words.length > 0 && !session.ended) socket.write(answer(session, request.words));
    }
    if (session.ended) socket.end();
  });
}

/** The first request in the bytes, and how long it is; undefined while it is not whole. */
function parse(bytes: Buffer): { words: string[]; length: number } | undefined {
  const end = bytes.indexOf("\r\n");
  if (end === -1) return undefined;
  const line = bytes.subarray(0, end).toString();
  if (!line.startsWith("*")) {
    return { words: line.split(/\s+/).filter((word) => word !== ""), length: end + 2 };
  }
  const words: string[] = [];
  let at = end + 2;
  for (let left = Number(line.slice(1)); left > 0; left -= 1) {
    const headEnd = bytes.indexOf("\r\n", at);
    if (headEnd === -1) return undefined;
    const size = Number(bytes.subarray(at + 1, headEnd).toString());
    const start = headEnd + 2;
    if (bytes.length < start + size + 2) return undefined;
    words.push(bytes.subarray(start, start + size).toString());
    at = start + size + 2;
  }
  return { words, length: at };
}

function answer(session: Session, words: readonly string[]): string {
  const [command = "", ...args] = words;
  const name = command.toUpperCase();
  try {
    if (name === "EXEC") return `*${execute(session)}`;
    return encode(replyTo(session, name, [command, ...args]));
  } catch (error) {
    if (session.queue !== undefined) session.aborted = true;
    return encodeError(error);
  }
}

function replyTo(session: Session, name: string, [command = "", ...args]: string[]): RedisReply {
  const own = sessionCommands[name];
  const data = dataCommands[name];
  if (!session.authenticated && !openCommands.has(name)) {
    throw new RedisError("NOAUTH Authentication required.");
  }
  if (own !== undefined) return own(session, args);
  if (data === undefined) {
    const given = args.map((arg) => `'${arg.slice(0, 128)}' `).join("");
    throw new RedisError(`ERR unknown command '${command}', with args beginning with: ${given}`);
  }
  if (args.length < data.least || args.length > (data.most ?? Infinity)) {
    throw new RedisError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
  }
  if (session.queue === undefined) return data.run(session.keys, args);
  session.queue.push([name, ...args]);
  return { status: "QUEUED" };
}

/** Runs a transaction: how many replies, and the replies. An error of one ends no other. */
function execute(session: Session): string {
  const { queue, aborted, keys } = session;
  if (queue === undefined) throw new RedisError("ERR EXEC without MULTI");
  session.queue = undefined;
  if (aborted) {
    throw new RedisError("EXECABORT Transaction discarded because of previous errors.");
  }
  const replies = queue.map(([name = "", ...args]) => {
    try {
      return encode(dataCommands[name]?.run(keys, args) ?? null);
    } catch (error) {
      return encodeError(error);
    }
  });
  return `${replies.length}\r\n${replies.join("")}`;
}

function authenticate(session: Session, args: readonly string[]): RedisReply {
  const password = process.env["REDIS_PASSWORD"] ?? "";
  const given = args.at(-1);
  const user = args.length === 2 ? args[0] : "default";
  if (args.length < 1 || args.length > 2) {
    throw new RedisError("ERR wrong number of arguments for 'auth' command");
  }
  if (password === "" && args.length === 1) {
    throw new RedisError(
      "ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?",
    );
  }
  if (user !== "default" || (password !== "" && given !== password)) {
    throw new RedisError("WRONGPASS invalid username-password pair or user is disabled.");
  }
  session.authenticated = true;
  return ok;
}

function encode(reply: RedisReply): string {
  if (reply === null) return "$-1\r\n";
  if (typeof reply === "number") return `:${reply}\r\n`;
  if (typeof reply === "string") return `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`;
  if ("status" in reply) return `+${reply.status}\r\n`;
  return `*${reply.length}\r\n${reply.map(encode).join("")}`;
}

function encodeError(error: unknown): string {
  const text = error instanceof RedisError ? error.message : "ERR internal error";
  return `-${text.replaceAll(/[\r\n]/g, " ")}\r\n`;
}

function load(file: string | undefined): Keys {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Keys;
  } catch {
    // It never ran before.
    return {};
  }
}
