import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import { execa } from "execa";
import { createClient, type RedisClientType } from "redis";
import { generate } from "selfsigned";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { redisQueue } from "../../../../infra/readings/queues/redis-queue.ts";
import { eventually } from "../../../support/eventually.ts";
import { python } from "../../../support/python.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";

let port: number;
let redis: RedisClientType;
let server: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  server = await startRedis();
  ({ port } = server);
  redis = createClient({ socket: { port } });
  await redis.connect();
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushAll();
});
afterEach(() => vi.unstubAllEnvs());

const now = new Date("2026-11-21T12:00:00.000Z");

function read(target: object, signal?: AbortSignal) {
  return readFacts(
    redisQueue,
    redisQueue.target.parse({ host: "127.0.0.1", port, ...target }),
    contextOf({ now, ...(signal === undefined ? {} : { signal }) }),
  );
}

describe("lists", () => {
  test("are counted, and one that does not exist is empty", async () => {
    await redis.lPush("jobs", ["a", "b", "c"]);
    await redis.lPush("mails", "a");
    expect(await read({ queues: ["jobs", "mails", "absent"] })).toEqual({
      depth: 4,
      oldestMessageSeconds: null,
      deadLetterDepth: null,
      queues: {
        jobs: { depth: 3, oldestMessageSeconds: null },
        mails: { depth: 1, oldestMessageSeconds: null },
        absent: { depth: 0, oldestMessageSeconds: 0 },
      },
    });
  });

  test("that are empty have nothing old", async () => {
    expect(await read({ queues: ["jobs"] })).toMatchObject({ depth: 0, oldestMessageSeconds: 0 });
  });

  test("have a dead-letter list, which counts by itself", async () => {
    await redis.lPush("jobs", "a");
    await redis.lPush("jobs-dead", ["a", "b"]);
    const facts = await read({ queues: ["jobs"], deadLetter: "jobs-dead" });
    expect(facts).toMatchObject({ depth: 1, deadLetterDepth: 2 });
    expect(facts["queues"]).not.toHaveProperty("jobs-dead");
    expect(await read({ queues: ["jobs"], deadLetter: "absent" })).toMatchObject({
      deadLetterDepth: 0,
    });
  });

  test("may be their own dead-letter list", async () => {
    await redis.lPush("jobs", "0:1");
    expect(await read({ queues: ["jobs"], deadLetter: "jobs" })).toMatchObject({
      depth: 1,
      deadLetterDepth: 1,
    });
  });

  test.each<[string, () => Promise<unknown>]>([
    ["string", () => redis.set("jobs", "a")],
    ["stream", () => redis.xAdd("jobs", "*", { a: "a" })],
    ["zset", () => redis.zAdd("jobs", { score: 1, value: "a" })],
  ])("that are a %s are refused by name", async (type, make) => {
    await make();
    const error = await failureOf(read({ queues: ["mails", "jobs"] }));
    expect(error.message).toBe(
      `jobs on 127.0.0.1:${String(port)} is a ${type}, required is a list. To do: correct the name or the type`,
    );
    expect(error.again).toBe(false);
  });
});

describe("streams", () => {
  const stream = { type: "stream", queues: ["events"] };
  const id = (seconds: number) => `${String(now.getTime() - seconds * 1000)}-0`;

  test("are counted, with the age of the oldest entry", async () => {
    await redis.xAdd("events", id(90), { a: "canary" });
    await redis.xAdd("events", id(30), { a: "canary" });
    await redis.xAdd("more", id(1.5), { a: "canary" });
    const facts = await read({ ...stream, queues: ["events", "more"] });
    expect(facts).toEqual({
      depth: 3,
      oldestMessageSeconds: 90,
      deadLetterDepth: null,
      queues: {
        events: { depth: 2, oldestMessageSeconds: 90 },
        more: { depth: 1, oldestMessageSeconds: 1.5 },
      },
    });
    expect(JSON.stringify(facts)).not.toContain("canary");
  });

  test("that were emptied have nothing old", async () => {
    await redis.xAdd("events", id(90), { a: "a" });
    await redis.xTrim("events", "MAXLEN", 0);
    expect(await read(stream)).toMatchObject({ depth: 0, oldestMessageSeconds: 0 });
  });

  test("that do not exist hold something unknown, and so do all together", async () => {
    await redis.xAdd("events", id(90), { a: "a" });
    expect(await read({ ...stream, queues: ["events", "absent"], deadLetter: "absent" })).toEqual({
      depth: null,
      oldestMessageSeconds: null,
      deadLetterDepth: null,
      queues: {
        events: { depth: 1, oldestMessageSeconds: 90 },
        absent: { depth: null, oldestMessageSeconds: null },
      },
    });
  });

  test("written by a server whose clock is ahead are not older than now", async () => {
    await redis.xAdd("events", id(-5), { a: "a" });
    expect(await read(stream)).toMatchObject({ oldestMessageSeconds: 0 });
  });

  test("with IDs of their own are as old as these say", async () => {
    await redis.xAdd("events", "1-1", { a: "a" });
    expect(await read(stream)).toMatchObject({
      oldestMessageSeconds: now.getTime() / 1000 - 0.001,
    });
  });

  test("that are a list are refused by name", async () => {
    await redis.lPush("events", "a");
    const error = await failureOf(read(stream));
    expect(error.message).toContain("is a list, required is a stream");
  });
});

describe("BullMQ", () => {
  const bullmq = { type: "bullmq", queues: ["mails"] };

  /** What BullMQ keeps of a queue that was used: its keys, with as many entries as are given. */
  async function fill(counts: Record<string, number>, prefix = "bull"): Promise<void> {
    await redis.hSet(`${prefix}:mails:meta`, {
      "opts.maxLenEvents": "10000",
      version: "bullmq:5.1",
    });
    for (const [last, count] of Object.entries(counts)) {
      for (let at = 1; at <= count; at += 1) {
        const key = `${prefix}:mails:${last}`;
        if (["wait", "paused", "active"].includes(last)) await redis.lPush(key, String(at));
        else await redis.zAdd(key, { score: at, value: String(at) });
      }
    }
  }

  test("counts what waits, runs, is delayed and failed", async () => {
    await fill({ wait: 1, active: 2, delayed: 3, failed: 4, completed: 50 });
    const counts = { depth: 10, waiting: 1, active: 2, delayed: 3, failed: 4 };
    expect(await read(bullmq)).toEqual({
      depth: 10,
      oldestMessageSeconds: null,
      deadLetterDepth: null,
      queues: { mails: { ...counts, oldestMessageSeconds: null } },
    });
  });

  test.each(["paused", "prioritized", "waiting-children"])(
    "counts what waits as %s",
    async (last) => {
      await fill({ wait: 1, [last]: 2 });
      expect(await read(bullmq)).toMatchObject({ queues: { mails: { depth: 3, waiting: 3 } } });
    },
  );

  test("does not count the marker of old versions", async () => {
    await fill({});
    await redis.lPush("bull:mails:wait", "0:0");
    expect(await read(bullmq)).toMatchObject({ depth: 0, oldestMessageSeconds: 0 });
    await redis.lPush("bull:mails:wait", "1");
    expect(await read(bullmq)).toMatchObject({ depth: 1 });
  });

  test("with an idle queue has nothing", async () => {
    await fill({ completed: 3 });
    expect(await read(bullmq)).toMatchObject({ depth: 0, oldestMessageSeconds: 0 });
  });

  test("with a queue that does not exist has something unknown", async () => {
    await fill({ wait: 1 });
    expect(await read({ ...bullmq, queues: ["mails", "mail"] })).toMatchObject({
      depth: null,
      queues: { mails: { depth: 1 }, mail: { depth: null, oldestMessageSeconds: null } },
    });
  });

  test("may have another prefix", async () => {
    await fill({ wait: 2 }, "{orders}");
    expect(await read(bullmq)).toMatchObject({ depth: null });
    expect(await read({ ...bullmq, prefix: "{orders}" })).toMatchObject({ depth: 2 });
  });

  test("with a key of another type is refused by name", async () => {
    await fill({});
    await redis.lPush("bull:mails:failed", "1");
    const error = await failureOf(read(bullmq));
    expect(error.message).toContain("bull:mails:failed on ");
    expect(error.message).toContain("is a list, required is a zset");
  });
});

describe("passwords", () => {
  const queues = ["jobs"];
  const canary = `canary-${randomUUID()}`;
  let locked: Awaited<ReturnType<typeof startRedis>>;

  beforeAll(async () => {
    locked = await startRedis(["--requirepass", canary]);
  });
  afterAll(() => locked.stop());

  function readLocked(more: object = {}) {
    return read({ port: locked.port, queues, ...more });
  }

  test("come from the environment", async () => {
    vi.stubEnv("REDIS_PASSWORD", canary);
    expect(await readLocked({ passwordEnv: "REDIS_PASSWORD" })).toMatchObject({ depth: 0 });
  });

  test("that are missing are asked for", async () => {
    const error = await failureOf(readLocked());
    expect(error.message).toContain("it wants a password. To do: name its variable as passwordEnv");
    expect(error.again).toBe(false);
  });

  test.each([undefined, ""])("from a variable that holds %j are asked for", async (value) => {
    vi.stubEnv("REDIS_PASSWORD", value);
    const error = await failureOf(readLocked({ passwordEnv: "REDIS_PASSWORD" }));
    expect(error.message).toContain("the environment variable REDIS_PASSWORD is empty");
  });

  test("that are refused are not told", async () => {
    const wrong = `wrong-${randomUUID()}`;
    vi.stubEnv("REDIS_PASSWORD", wrong);
    const error = await failureOf(readLocked({ passwordEnv: "REDIS_PASSWORD" }));
    expect(error.message).toContain(
      "it refused the password. To do: set the current one in REDIS_PASSWORD",
    );
    expect(error.again).toBe(false);
    expect(`${error.stack ?? ""} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(
      wrong,
    );
  });

  test("for a server that has none are refused", async () => {
    vi.stubEnv("REDIS_PASSWORD", canary);
    const error = await failureOf(read({ queues, passwordEnv: "REDIS_PASSWORD" }));
    expect(error.message).toContain("cannot be asked");
    expect(error.message).not.toContain(canary);
  });

  test("of a user that may only count are enough", async () => {
    vi.stubEnv("READER_PASSWORD", "reader-password");
    const user = { user: "reader", passwordEnv: "READER_PASSWORD" };
    const rules = ["on", ">reader-password", "~jobs", "+multi", "+exec", "+type", "+llen"];
    await redis.aclSetUser("reader", rules);
    expect(await read({ queues, ...user })).toMatchObject({ depth: 0 });
    const error = await failureOf(read({ queues: ["others"], ...user }));
    expect(error.message).toContain("the user may not count");
    expect(error.message).not.toContain("others");
  });
});

describe("TLS", () => {
  const queues = ["jobs"];

  /** Something that speaks TLS before the server, which was built without. */
  async function startTls() {
    const { cert, private: key } = await generate([{ name: "commonName", value: "127.0.0.1" }], {
      algorithm: "sha256",
      extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
    });
    const tls = createTls({ cert, key }, (socket) => {
      const inner = connect(port, "127.0.0.1");
      for (const one of [inner, socket]) one.on("error", () => undefined);
      socket.pipe(inner).pipe(socket);
    });
    const folder = await mkdtemp(join(tmpdir(), "cutover-redis-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const caFile = join(folder, "ca.pem");
    await writeFile(caFile, cert);
    return { port: await portOf(tls), caFile };
  }

  test("is spoken with a server that the CA vouches for", async () => {
    await redis.lPush("jobs", "a");
    expect(await read({ queues, tls: true, ...(await startTls()) })).toMatchObject({ depth: 1 });
  });

  test("refuses a server that nobody or another vouches for", async () => {
    const other = await startTls();
    const server = await startTls();
    for (const ca of [{}, { caFile: other.caFile }]) {
      const error = await failureOf(read({ queues, tls: true, port: server.port, ...ca }));
      expect(error.message).toMatch(/cannot be asked: .*\(.*(CERT|SIGNATURE).*\)/);
    }
  });

  test("refuses a server that does not speak it, before the password", async () => {
    vi.stubEnv("REDIS_PASSWORD", "canary");
    const heard: string[] = [];
    const plain = await portOf(
      createServer((socket) => {
        socket.on("data", (chunk) => {
          heard.push(chunk.toString("latin1"));
          socket.end("-ERR unknown command\r\n");
        });
      }),
    );
    const error = await failureOf(
      read({ queues, tls: true, port: plain, passwordEnv: "REDIS_PASSWORD" }),
    );
    expect(error.message).toContain("cannot be asked");
    expect(heard.join("")).not.toContain("canary");
  });

  test("with a CA file that is none is refused by name", async () => {
    const error = await failureOf(read({ queues, tls: true, caFile: "/nowhere/ca.pem" }));
    expect(error.message).toContain("/nowhere/ca.pem is no readable PEM file");
  });
});

describe("a server that does not answer as it should", () => {
  const queues = ["jobs"];

  /** A server that answers whatever it is sent with the same words, and counts its connections. */
  async function startFake(answer: string | undefined) {
    const connections: Socket[] = [];
    const fake = createServer((socket) => {
      connections.push(socket);
      socket.on("error", () => undefined);
      if (answer === undefined) socket.destroy();
      else socket.on("data", () => socket.write(answer));
    });
    return { port: await portOf(fake), connections };
  }

  test("is not asked by this reading a second time", async () => {
    const fake = await startFake(undefined);
    const error = await failureOf(read({ port: fake.port, queues }));
    expect(error.message).toContain(
      "it did not answer as Redis does (SocketClosedUnexpectedlyError)",
    );
    expect(error.again).toBe(true);
    expect(fake.connections).toHaveLength(1);
  });

  test.each([
    [
      "another protocol",
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "it did not answer as Redis does",
      true,
    ],
    [
      "starting",
      "-LOADING Redis is loading the dataset in memory\r\n",
      "it is still starting",
      true,
    ],
    ["part of a cluster", "-MOVED 3999 192.0.2.1:6381\r\n", "it is one node of a cluster", false],
    [
      "an unknown refusal",
      "-STRANGE canary\r\n",
      "it did not answer as Redis does (STRANGE)",
      false,
    ],
    ["a refusal in other words", "-canary refused\r\n", "it did not answer as Redis does", true],
  ])("%s", async (_what, answer, message, again) => {
    const fake = await startFake(answer);
    const error = await failureOf(read({ port: fake.port, queues }));
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("canary");
    expect(error.again).toBe(again);
  });

  test.each([
    ["a text for a length", "*2\r\n+list\r\n$1\r\n3\r\n"],
    ["nothing for a length", "*2\r\n+list\r\n$-1\r\n"],
    ["one reply too few", "*1\r\n+list\r\n"],
    ["a length that is too large", "*2\r\n+list\r\n:9223372036854775807\r\n"],
  ])("%s", async (_what, reply) => {
    const answers = ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", reply].join("");
    const fake = createServer((socket) => {
      socket.once("data", () => socket.write(answers));
    });
    const error = await failureOf(read({ port: await portOf(fake), queues }));
    expect(error.message).toContain("it did not answer as Redis does");
  });

  test.each([
    ["it connects", "connection"],
    ["it waits for an answer", "data"],
  ])("is left when the time is over while %s, and the connection with it", async (_what, when) => {
    vi.stubEnv("REDIS_PASSWORD", "canary");
    const controller = new AbortController();
    let socket: Socket | undefined;
    const silent = createServer((connection) => {
      socket = connection.on("error", () => undefined);
      const end = (): void => {
        controller.abort(new Error("the time is over"));
      };
      if (when === "connection") end();
      connection.once("data", end).resume();
    });
    const wanted = { port: await portOf(silent), queues, passwordEnv: "REDIS_PASSWORD" };
    await expect(read(wanted, controller.signal)).rejects.toThrow("the time is over");
    await eventually(() => {
      expect(socket?.destroyed).toBe(true);
    });
  });

  test("is not there", async () => {
    const server = createServer();
    const free = await portOf(server);
    await new Promise((resolve) => server.close(resolve));
    const error = await failureOf(read({ port: free, queues }));
    expect(error.message).toContain("nothing listens there");
    expect(error.again).toBe(true);
  });
});

describe("the target", () => {
  const good = { host: "127.0.0.1", queues: ["jobs"] };

  test.each([
    ["no queue", { queues: [] }],
    ["a queue twice", { queues: ["jobs", "jobs"] }],
    ["an empty name", { queues: [""] }],
    ["a blank", { queues: ["a b"] }],
    ["a line break", { queues: ["jobs\n"] }],
    ["__proto__", { queues: ["__proto__"] }],
    ["a port of zero", { port: 0 }],
    ["a port that is too high", { port: 65_536 }],
    ["a port as a text", { port: "6379" }],
    ["another type", { type: "set" }],
    ["a CA without TLS", { caFile: "ca.pem" }],
    ["a user without a password", { user: "reader" }],
    ["a password in clear", { password: "canary" }],
  ])("refuses %s", (_what, more) => {
    expect(redisQueue.target.safeParse({ ...good, ...more }).success).toBe(false);
  });

  test("parsed twice it stays the same", () => {
    const once = redisQueue.target.parse(good);
    expect(once).toEqual({ ...good, port: 6379, type: "list", prefix: "bull", tls: false });
    expect(redisQueue.target.parse(once)).toEqual(once);
    expect(redisQueue.subject(once)).toBe("jobs on 127.0.0.1:6379");
  });
});

/** Starts a Redis of one's own that keeps nothing on disk. */
async function startRedis(more: readonly string[] = []) {
  const { bin } = await python();
  const reserved = createServer();
  const free = await portOf(reserved, false);
  await new Promise((resolve) => reserved.close(resolve));
  const folder = await mkdtemp(join(tmpdir(), "cutover-redis-"));
  const settings = ["--port", String(free), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const program = execa(join(bin, "redis-server"), [...settings, ...more], { reject: false });
  await eventually(async () => {
    const socket = connect(free, "127.0.0.1");
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    socket.destroy();
  });
  return {
    port: free,
    async stop() {
      program.kill();
      await program;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function portOf(server: Server, endsWithTest = true): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  if (endsWithTest) {
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }
  return (server.address() as AddressInfo).port;
}
