import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { rm } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { Client } from "pg";
import { createClient } from "redis";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { redisQueue } from "../../infra/readings/queues/redis-queue.ts";
import { contextOf } from "../infra/readings/context.ts";
import { EngineSideError, type Wire } from "../support/engine.ts";
import {
  databaseInputs,
  databaseUrl,
  startTestCloud,
  temporaryFolder,
  until,
  type Made,
  type Subject,
  type TestCloud,
} from "./support.ts";

const repository = "registry.example.com/flagship";

/** Images of this test: one as released, one for every fault, and those that need a migration. */
const images = [
  { service: "legacy", version: "legacy", columns: [], faults: {} },
  { service: "legacy", version: "crashing", columns: [], faults: { crashes: true } },
  { service: "api", version: "1.0.0", columns: ["orders.channel"], faults: {} },
  { service: "api", version: "unhealthy", columns: [], faults: { unhealthy: true } },
  { service: "api", version: "failing", columns: [], faults: { writesFail: true } },
  {
    service: "api",
    version: "1.1.0",
    columns: ["orders.channel", "order_events.order_id"],
    faults: {},
  },
  { service: "worker", version: "1.0.0", columns: ["orders.processed_at"], faults: {} },
  { service: "web", version: "1.0.0", columns: [], faults: {} },
  { service: "redis", version: "8.0.0", columns: [], faults: {} },
  { service: "keycloak", version: "26.0.0", columns: [], realms: ["flagship"], faults: {} },
  {
    service: "legacy",
    version: "documents",
    columns: [],
    writes: { path: "/api/documents", table: "Documents" },
    faults: {},
  },
  {
    service: "worker",
    version: "documents",
    columns: ["Documents.processed_at"],
    writes: { path: "/api/documents", table: "Documents" },
    faults: {},
  },
].map((image) => ({ repository: `${repository}/${image.service}`, ...image }));

let folder: string;
let cloud: TestCloud;
let containers: Subject;
let url: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const manifests = join(folder, "images");
  mkdirSync(manifests);
  for (const image of images) {
    const file = join(manifests, `${image.service}-${image.version}.json`);
    writeFileSync(file, JSON.stringify(image));
  }
  cloud = await startTestCloud({ folder, images: manifests });
  containers = cloud.subject("docker:index/container:Container");
  url = databaseUrl(
    await cloud.subject("aws:rds/instance:Instance").create(databaseInputs("flagship")),
  );
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

let names = 0;

/** Inputs of a container with a name and, unless `more` says otherwise, a port of its own. */
function containerInputs(tag: string, more: Wire = {}): Wire {
  names += 1;
  const [service = "", version = ""] = tag.split(":");
  const image = cloud.cloud.registry.resolve(`${repository}/${service}:${version}`);
  return {
    name: `${service}-${String(names)}`,
    image: image?.reference ?? `${repository}/${tag}`,
    ports: [{ internal: 8080, external: 9000 + names, ip: cloud.cloud.network.blue }],
    envs: ["PORT=8080", "SLOT=blue", `DATABASE_URL=${url}`],
    healthcheck: {
      tests: ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:8080/healthz"],
      interval: "100ms",
      timeout: "2s",
      retries: 3,
    },
    wait: true,
    waitTimeout: 10,
    ...more,
  };
}

async function create(tag: string, more: Wire = {}): Promise<Made> {
  const made = await containers.create(containerInputs(tag, more));
  onTestFinished(() => containers.delete(made).catch(() => undefined));
  return made;
}

function addressOf({ outputs }: Made): string {
  const [port] = outputs["ports"] as { ip: string; external: number }[];
  return `http://${String(port?.ip)}:${String(port?.external)}`;
}

async function get(made: Made, path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${addressOf(made)}${path}`);
  return { status: answer.status, text: await answer.text() };
}

async function order(made: Made, id: number): Promise<Response> {
  return fetch(`${addressOf(made)}/orders`, {
    method: "POST",
    body: JSON.stringify({ id, note: "test" }),
  });
}

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({
    connectionString: url,
    options: "-c default_transaction_read_only=off",
  });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

async function failureOf(creating: Promise<unknown>): Promise<EngineSideError["failure"]> {
  const error = await creating.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof EngineSideError) return error.failure;
  throw new Error("nothing failed");
}

test("a container is a process that is healthy when its creation returns", async () => {
  const made = await create("legacy:legacy");

  expect(made.outputs).toMatchObject({ name: made.inputs["name"], restart: "no", mustRun: true });
  expect(JSON.parse((await get(made, "/healthz")).text)).toEqual({
    status: "ok",
    service: "legacy",
    version: "legacy",
    slot: "blue",
  });
  expect((await order(made, 1)).status).toBe(201);
  expect((await order(made, 1)).status).toBe(201);
  expect(await sql("SELECT id, note FROM orders WHERE id = 1")).toEqual([
    { id: "1", note: "test" },
  ]);
  expect((await get(made, "/metrics")).text).toContain(
    'http_requests_total{service="legacy",version="legacy",slot="blue",code="201"} 2',
  );
  await containers.delete(made);
  await expect(get(made, "/healthz")).rejects.toThrow("fetch failed");
});

test("a container that is never healthy fails its creation and stays", async () => {
  const inputs = containerInputs("api:unhealthy", { waitTimeout: 1 });
  const { message, partial } = await failureOf(containers.create(inputs));
  const made = { id: String(partial?.id), inputs, outputs: partial?.outputs ?? {} };

  expect(message).toBe("container failed to be in healthy state");
  expect(partial?.reasons).toEqual(["container failed to be in healthy state"]);
  expect((await get(made, "/healthz")).status).toBe(503);
  // As with the real provider: the next update asks nobody about health.
  await containers.update(made, inputs);
  expect(await containers.exists(made)).toBe(true);
  await containers.delete(made);
});

test("the api is not healthy before the migrations that it needs", async () => {
  await create("legacy:legacy");
  const before = await failureOf(
    containers.create(containerInputs("api:1.0.0", { name: "early", waitTimeout: 1 })),
  );
  expect(before.message).toBe("container failed to be in healthy state");
  await sql("ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'web'");
  await sql("ALTER TABLE orders ADD COLUMN processed_at timestamptz");
  const made = await create("api:1.0.0");

  expect((await order(made, 10)).status).toBe(201);
  expect(await sql("SELECT channel FROM orders WHERE id = 10")).toEqual([{ channel: "web" }]);
  await containers.delete({ id: String(before.partial?.id), inputs: {}, outputs: {} });
});

test("the api with events writes order and event together", async () => {
  await sql(
    `CREATE TABLE order_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       order_id bigint NOT NULL REFERENCES orders (id), event text NOT NULL)`,
  );
  const made = await create("api:1.1.0");
  await order(made, 20);
  await order(made, 20);

  expect(await sql("SELECT event FROM order_events WHERE order_id = 20")).toEqual([
    { event: "placed" },
  ]);
});

test("a frozen database and ended sessions are answered with 503, and the service lives on", async () => {
  const made = await create("api:1.0.0");
  expect((await order(made, 30)).status).toBe(201);
  await sql("ALTER DATABASE flagship SET default_transaction_read_only = on");
  await sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'api-blue'",
  );
  let refused = await order(made, 31);
  // The first answer may be about the ended session, the next is about the freeze.
  if (!(await refused.clone().text()).includes("read-only")) refused = await order(made, 31);

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.text()).toContain("read-only transaction");
  expect((await get(made, "/healthz")).status).toBe(200);
  await sql("ALTER DATABASE flagship RESET default_transaction_read_only");
  await sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'api-blue'",
  );
  await until("orders are taken again", async () => (await order(made, 32)).status === 201);
  expect(await sql("SELECT id FROM orders WHERE id BETWEEN 30 AND 32 ORDER BY id")).toEqual([
    { id: "30" },
    { id: "32" },
  ]);
});

test("the worker marks orders, says how many wait, and ends what it began", async () => {
  await sql("INSERT INTO orders (id) SELECT generate_series(1000, 1999)");
  const made = await create("worker:1.0.0", { destroyGraceSeconds: 10 });
  await until("all orders are marked", async () => {
    return (JSON.parse((await get(made, "/healthz")).text) as Wire)["worker_queue_depth"] === 0;
  });

  expect((await get(made, "/metrics")).text).toMatch(
    /worker_orders_processed_total\{.*\} [1-9]\d{3}/,
  );
  await containers.delete(made);
  const waiting = "SELECT count(*)::int AS open FROM pg_stat_activity";
  expect(await sql(`${waiting} WHERE application_name = 'worker-blue'`)).toEqual([{ open: 0 }]);
});

test.each([
  ["finishes the order under way when it gets time", { destroyGraceSeconds: 10 }, 201],
  ["is killed in the middle of it when it gets none, as with the real provider", {}, "killed"],
])("a container that is removed %s", async (_, grace, outcome) => {
  const made = await create("legacy:legacy", grace);
  const id = typeof outcome === "number" ? 60 : 61;
  const lock = new Client(url);
  await lock.connect();
  await lock.query("BEGIN; LOCK TABLE orders");
  const ordering = order(made, id).then(
    ({ status }) => status,
    () => "killed",
  );
  await until("the order waits at the database", async () => {
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    return (await sql(waiting)).length > 0;
  });
  const removing = containers.delete(made);
  // A process that drains takes no further clients; one that is killed takes none either.
  await until("it takes no more clients", async () => {
    return get(made, "/version").then(
      () => false,
      () => true,
    );
  });
  await lock.query("COMMIT");
  await lock.end();
  await removing;

  expect(await ordering).toBe(outcome);
});

test("the web hands orders on to its api, and is healthy only with it", async () => {
  const api = await create("api:1.0.0");
  const web = await create("web:1.0.0", {
    envs: ["PORT=8080", "SLOT=blue", `API_URL=${addressOf(api)}`],
  });
  expect((await order(web, 40)).status).toBe(201);
  await containers.delete(api);

  expect((await get(web, "/healthz")).status).toBe(503);
  const refused = await order(web, 41);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await sql("SELECT id FROM orders WHERE id IN (40, 41)")).toEqual([{ id: "40" }]);
});

test("an image whose writes fail is healthy and fails writes", async () => {
  const made = await create("api:failing");

  expect((await get(made, "/healthz")).status).toBe(200);
  expect((await order(made, 50)).status).toBe(500);
  expect((await get(made, "/metrics")).text).toMatch(/http_request_errors_total\{.*\} 1/);
});

test.each([
  ["no order at all", "{"],
  ["a number that is none", '{"id": "1"}'],
])("%s is answered with 400", async (_, body) => {
  const made = await create("legacy:legacy");
  const answer = await fetch(`${addressOf(made)}/orders`, { method: "POST", body });

  expect(answer.status).toBe(400);
});

test("a container that crashes is started again as its policy says", async () => {
  const made = await create("legacy:legacy", { restart: "unless-stopped" });
  const pid = await pidOf(made);
  process.kill(pid, "SIGKILL");
  await until("another process answers", async () => {
    const now = await pidOf(made).catch(() => pid);
    return now !== pid;
  });

  expect((await get(made, "/healthz")).status).toBe(200);
  expect(await containers.exists(made)).toBe(true);
});

test("a container that must run and ended is gone at the next look, so that it is made again", async () => {
  const made = await create("legacy:legacy");
  process.kill(await pidOf(made), "SIGKILL");

  await until("it is gone", async () => !(await containers.exists(made)));
  const again = await containers.create(made.inputs);
  await containers.delete(again);
});

test("a container that ends at once is not made", async () => {
  expect(await containers.refusal(containerInputs("legacy:crashing", { name: "crashing" }))).toBe(
    "container exited immediately",
  );
  await create("legacy:legacy", { name: "crashing" });
});

test("another image replaces the container, the old one first", async () => {
  const made = await create("legacy:legacy");
  const news = { ...made.inputs, image: containerInputs("api:1.0.0")["image"] };

  expect(await containers.diff(made, news)).toEqual({
    changes: ["image"],
    replaces: ["image"],
    deleteFirst: true,
  });
});

test("what the daemon can change on a running container is an update", async () => {
  const made = await create("legacy:legacy", { memory: 64, memorySwap: 128 });
  const news = { ...made.inputs, restart: "always", memory: 32, memorySwap: 64, waitTimeout: 3 };

  expect((await containers.diff(made, news)).replaces).toEqual([]);
  expect((await containers.update(made, news)).outputs).toMatchObject({ memorySwap: 64 });
});

test("memory without swap differs for ever, as with the real provider", async () => {
  const made = await create("legacy:legacy", { memory: 64 });
  expect(made.outputs["memorySwap"]).toBe(128);
  expect((await containers.diff(made, made.inputs)).changes).toEqual(["memorySwap"]);

  const updated = await containers.update(made, made.inputs);
  expect((await containers.diff(updated, made.inputs)).changes).toEqual(["memorySwap"]);
});

test("a port that another container has is refused in the daemon's words, and the container stays", async () => {
  const first = await create("legacy:legacy");
  const inputs = containerInputs("legacy:legacy", { ports: first.inputs["ports"] });
  const { message, partial } = await failureOf(containers.create(inputs));

  expect(message).toContain(
    `Bind for ${addressOf(first).slice("http://".length)} failed: port is already allocated`,
  );
  expect((await get(first, "/healthz")).status).toBe(200);
  await containers.delete({ id: String(partial?.id), inputs, outputs: {} });
});

test("a port that somebody else has is refused", async () => {
  const { blue } = cloud.cloud.network;
  const other = createServer().listen(0, blue);
  await once(other, "listening");
  onTestFinished(() => {
    other.close();
  });
  const { port } = other.address() as { port: number };
  const ports = [{ internal: 8080, external: port, ip: blue }];
  const inputs = containerInputs("legacy:legacy", { ports });
  const { message, partial } = await failureOf(containers.create(inputs));

  expect(message).toContain("address already in use");
  await containers.delete({ id: String(partial?.id), inputs, outputs: {} });
});

test("a taken name, an unknown image and an unknown network are refused in the daemon's words", async () => {
  const made = await create("legacy:legacy");
  expect(
    await containers.refusal(containerInputs("legacy:legacy", { name: made.inputs["name"] })),
  ).toMatch(/Conflict. The container name "\/legacy-\d+" is already in use by container/);
  const image = `${repository}/api@sha256:${"0".repeat(64)}`;
  expect(await containers.refusal(containerInputs("api:1.0.0", { image }))).toContain(
    `manifest for ${image} not found: manifest unknown`,
  );
  const lost = containerInputs("legacy:legacy", { networksAdvanced: [{ name: "none" }] });
  const { message, partial } = await failureOf(containers.create(lost));
  expect(message).toContain("network none not found");
  await containers.delete({ id: String(partial?.id), inputs: lost, outputs: {} });
});

test("a network that containers use stays", async () => {
  const networks = cloud.subject("docker:index/network:Network");
  const network = await networks.create({ name: "flagship" });
  const made = await create("legacy:legacy", { networksAdvanced: [{ name: "flagship" }] });

  await expect(networks.delete(network)).rejects.toThrow("has active endpoints");
  await containers.delete(made);
  await networks.delete(network);
  expect(await networks.exists(network)).toBe(false);
});

test("a port that is not published is only reached from inside", async () => {
  const made = await create("legacy:legacy", { ports: [] });

  expect(made.outputs["ports"]).toEqual([]);
});

test("a check on a port where nothing listens never succeeds", async () => {
  const inputs = containerInputs("legacy:legacy", {
    waitTimeout: 1,
    healthcheck: { tests: ["CMD-SHELL", "curl -f http://localhost:9999/healthz"] },
  });
  const { message, partial } = await failureOf(containers.create(inputs));

  expect(message).toBe("container failed to be in healthy state");
  await containers.delete({ id: String(partial?.id), inputs, outputs: {} });
});

test.each([
  [
    "a check that is not curl or wget",
    { healthcheck: { tests: ["CMD", "pg_isready"] } },
    "healthcheck.tests",
    /the rehearsal has no shell/,
  ],
  [
    "a check of another machine",
    { healthcheck: { tests: ["CMD", "curl", "http://example.com/"] } },
    "healthcheck.tests",
    /the rehearsal has no shell/,
  ],
  [
    "a port on every address",
    { ports: [{ internal: 80, external: 80 }] },
    "ports[0].ip",
    /Missing required/,
  ],
  [
    "an interval that is none",
    { healthcheck: { tests: ["CMD", "curl", "http://localhost/"], interval: "often" } },
    "healthcheck.interval",
    /is not a duration/,
  ],
  [
    "a folder of the host",
    { volumes: [{ volumeName: "etc", hostPath: "/etc", containerPath: "/etc" }] },
    "volumes[0].hostPath",
    /does not imitate this property of docker:index\/container:Container/,
  ],
  [
    "a property that is not imitated",
    { gpus: "all" },
    "gpus",
    /does not imitate this property of docker:index\/container:Container/,
  ],
])("%s is refused before anything is made", async (_, change, property, reason) => {
  expect(await containers.check({ ...containerInputs("legacy:legacy"), ...change })).toEqual({
    [property]: expect.stringMatching(reason) as unknown,
  });
});

test("a system writes to a path and a table of its own", async () => {
  const made = await create("legacy:documents");
  const write = (path: string) =>
    fetch(`${addressOf(made)}${path}`, { method: "POST", body: '{"id": 70, "note": "test"}' });

  expect((await write("/api/documents")).status).toBe(201);
  expect((await write("/orders")).status).toBe(404);
  expect(await sql('SELECT id FROM "Documents"')).toEqual([{ id: "70" }]);
  await sql('ALTER TABLE "Documents" ADD COLUMN processed_at timestamptz');
  await create("worker:documents");
  await until("the write is processed", async () => {
    const waiting = 'SELECT 1 FROM "Documents" WHERE processed_at IS NULL';
    return (await sql(waiting)).length === 0;
  });
});

test.each([
  ["READ_ONLY=1", 503],
  ["SAFE_MODE=true", 503],
  ["SAFE_MODE=0", 201],
  ["SAFE_MODE=", 201],
])("a container that is told %s answers writes with %i", async (line, status) => {
  const envs = ["PORT=8080", "SLOT=blue", `DATABASE_URL=${url}`, line];
  const made = await create("legacy:legacy", { envs });
  const answer = await order(made, 71);

  expect(answer.status).toBe(status);
  expect(answer.headers.get("retry-after")).toBe(status === 503 ? "1" : null);
  expect((await get(made, "/healthz")).status).toBe(200);
});

test("an image is pulled before anything runs as it, and stays when nothing needs it", async () => {
  const remote = cloud.subject("docker:index/remoteImage:RemoteImage");
  const published = cloud.cloud.registry.resolve(`${repository}/web:1.0.0`);
  const name = published?.reference ?? "";
  const inputs = { name, keepLocally: true };
  const made = await remote.create(inputs);

  expect(made.outputs).toMatchObject({ imageId: published?.digest, repoDigest: name });
  expect(
    (await remote.diff(made, { ...inputs, name: `${repository}/web:2.0.0` })).replaces,
  ).toEqual(["name"]);
  await remote.delete(made);
  expect(await remote.exists(made)).toBe(true);
  expect(await remote.refusal({ ...inputs, name: `${repository}/web:2.0.0` })).toMatch(
    /unable to pull image .*web:2\.0\.0.*manifest unknown/,
  );
  expect(await remote.check({ ...inputs, keepLocally: false })).toEqual({
    keepLocally: expect.stringMatching(/removes no image/) as unknown,
  });
});

test("flags are shown where the version and the health are", async () => {
  const envs = ["PORT=8080", `DATABASE_URL=${url}`, 'FLAGS={"tags": true}'];
  const made = await create("legacy:legacy", { envs });

  for (const path of ["/version", "/healthz", "/health", "/api/health"]) {
    const { text } = await get(made, path);
    expect(JSON.parse(text)).toMatchObject({ version: "legacy", flags: { tags: true } });
  }
});

test("frontends that are named may read the answers, and no others", async () => {
  const allowed = "https://app.example.com";
  const envs = [
    "PORT=8080",
    `DATABASE_URL=${url}`,
    `CORS_ORIGINS=${allowed}, https://b.example.com`,
  ];
  const made = await create("legacy:legacy", { envs });
  const ask = async (method: string, origin: string) => {
    const { status, headers } = await fetch(`${addressOf(made)}/healthz`, {
      method,
      headers: { origin },
    });
    return [status, headers.get("access-control-allow-origin"), headers.get("vary")];
  };

  expect(await ask("OPTIONS", allowed)).toEqual([204, allowed, "Origin"]);
  expect(await ask("GET", "https://b.example.com")).toEqual([
    200,
    "https://b.example.com",
    "Origin",
  ]);
  expect(await ask("GET", "https://evil.example.com")).toEqual([200, null, "Origin"]);
});

test("nobody else's frontend may read anything where none is named", async () => {
  const made = await create("legacy:legacy");
  const answer = await fetch(`${addressOf(made)}/healthz`, { headers: { origin: "https://a.b" } });

  expect(answer.headers.get("access-control-allow-origin")).toBe(null);
});

test("keycloak answers for its realms, and says of others that they do not exist", async () => {
  const made = await create("keycloak:26.0.0", {
    envs: ["PORT=8080", "KC_HOSTNAME=https://id.example.com"],
    healthcheck: { tests: ["CMD", "curl", "-f", "http://localhost:8080/health/ready"] },
  });
  const discovery = (realm: string) =>
    get(made, `/realms/${realm}/.well-known/openid-configuration`);

  expect(JSON.parse((await discovery("flagship")).text)).toMatchObject({
    issuer: "https://id.example.com/realms/flagship",
    token_endpoint: "https://id.example.com/realms/flagship/protocol/openid-connect/token",
  });
  expect(await discovery("other")).toEqual({
    status: 404,
    text: '{"error":"Realm does not exist"}\n',
  });
});

/** Inputs of a Redis, which keeps what it holds in a volume. */
function redisInputs(more: Wire = {}): Wire {
  const inputs = containerInputs("redis:8.0.0");
  const [port] = inputs["ports"] as Wire[];
  return {
    ...inputs,
    ports: [{ ...port, internal: 6379 }],
    envs: ["REDIS_PASSWORD=right"],
    healthcheck: { tests: ["CMD", "redis-cli", "ping"], interval: "100ms" },
    destroyGraceSeconds: 5,
    ...more,
  };
}

test("redis is a queue that the reading of queues can count, and its volume outlives it", async () => {
  const volumes = cloud.subject("docker:index/volume:Volume");
  const volume = await volumes.create({ name: "queue-data" });
  const inputs = redisInputs({ volumes: [{ volumeName: "queue-data", containerPath: "/data" }] });
  const first = await containers.create(inputs);
  const client = await connectTo(first);
  await client.lPush("jobs", ["a", "b"]);
  await client.xAdd("events", "*", { a: "1" });
  await client.close();
  await containers.delete(first);
  const second = await containers.create(inputs);
  vi.stubEnv("TEST_REDIS_PASSWORD", "right");
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const { hostname: host, port } = new URL(addressOf(second));
  const place = { host, port: Number(port), passwordEnv: "TEST_REDIS_PASSWORD" };
  const read = (target: object) =>
    redisQueue.read(redisQueue.target.parse({ ...place, ...target }), contextOf());

  expect(await read({ queues: ["jobs"], deadLetter: "dead" })).toMatchObject({
    depth: 2,
    deadLetterDepth: 0,
  });
  expect(await read({ queues: ["events"], type: "stream" })).toMatchObject({ depth: 1 });
  await expect(read({ queues: ["events"] })).rejects.toThrow("events on");
  await expect(volumes.delete(volume)).rejects.toThrow("last state: 'in_use'");
  await containers.delete(second);
  await volumes.delete(volume);
  expect(await volumes.exists(volume)).toBe(false);
});

test("redis says in its own words what it refuses", async () => {
  const made = await create("redis:8.0.0", redisInputs());
  await expect(connectTo(made, "wrong")).rejects.toThrow(
    "WRONGPASS invalid username-password pair or user is disabled.",
  );
  const client = await connectTo(made);
  onTestFinished(() => client.close());
  await client.set("word", "a");

  expect(await client.get("word")).toBe("a");
  expect(await client.get("none")).toBe(null);
  await expect(client.lLen("word")).rejects.toThrow("WRONGTYPE Operation against a key");
  await expect(client.sendCommand(["GEOADD", "a", "b"])).rejects.toThrow(
    "ERR unknown command 'GEOADD', with args beginning with: 'a' 'b'",
  );
  await expect(client.sendCommand(["GET"])).rejects.toThrow(
    "ERR wrong number of arguments for 'get' command",
  );
  await expect(client.sendCommand(["HELLO", "3"])).rejects.toThrow("NOPROTO");
  await expect(client.multi().lLen("word").set("word", "b").exec()).rejects.toThrow("1 commands");
  expect(await client.get("word")).toBe("b");
});

test.each([
  ["check-integrity", ["node", "dist/jobs/check-integrity.js"], 0, /^orders.id is there\n$/],
  ["count-writes", ["count-writes"], 0, /^\d+\n$/],
  ["fail", ["fail", "no", "luck"], 3, /^no luck\n$/],
  ["what is not there", ["ls", "/"], 127, /^the rehearsal does not imitate the command ls/],
])(
  "a container runs %s in place of its image, and its end is told",
  async (_, words, code, said) => {
    await create("legacy:legacy");
    const made = await create("legacy:legacy", {
      command: words,
      attach: true,
      logs: true,
      mustRun: false,
      wait: false,
    });

    expect(made.outputs["exitCode"]).toBe(code);
    expect(made.outputs["containerLogs"]).toMatch(said);
    expect(await containers.exists(made)).toBe(true);
  },
);

test("a check of integrity fails when something is missing", async () => {
  const more = { command: ["check-integrity"], attach: true, mustRun: false, wait: false };
  await sql("ALTER TABLE orders RENAME channel TO chan");
  onTestFinished(async () => {
    await sql("ALTER TABLE orders RENAME chan TO channel");
  });
  const made = await create("api:1.0.0", { ...more, logs: true });

  expect(made.outputs).toMatchObject({
    exitCode: 1,
    containerLogs: "orders.channel is missing\n",
  });
});

test("a container that is not to be started is only made", async () => {
  const made = await create("legacy:legacy", { start: false, mustRun: false });

  await expect(get(made, "/healthz")).rejects.toThrow("fetch failed");
});

test("a container that is removed when it ends is gone then", async () => {
  const made = await create("legacy:legacy", {
    command: ["sleep", "0"],
    rm: true,
    mustRun: false,
    wait: false,
  });

  await until("it is gone", async () => !(await containers.exists(made)));
});

test("the provider takes the host that the program names", async () => {
  await cloud.clients.docker.configure({}, { host: "ssh://deploy@203.0.113.10" });
  const made = await create("legacy:legacy");

  expect((await get(made, "/healthz")).status).toBe(200);
});

async function connectTo(made: Made, password = "right") {
  const client = createClient({
    url: addressOf(made).replace("http:", "redis:"),
    password,
    RESP: 2,
    socket: { reconnectStrategy: false },
  });
  client.on("error", () => undefined);
  return client.connect();
}

/** Process of a container. */
async function pidOf(made: Made): Promise<number> {
  const { text } = await get(made, "/version");
  return (JSON.parse(text) as { pid: number }).pid;
}
