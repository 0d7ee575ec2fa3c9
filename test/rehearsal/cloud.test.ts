import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { chmod, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:net";
import { Client } from "pg";
import { afterEach, expect, test } from "vitest";
import { startCloud } from "../../rehearsal/cloud.ts";
import { lookup } from "../../rehearsal/lookup.ts";
import type { Wire } from "../support/engine.ts";
import {
  databaseInputs,
  databaseUrl,
  startTestCloud,
  temporaryFolder,
  until,
  type Made,
  type TestCloud,
} from "./support.ts";

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function folder(): Promise<string> {
  const path = await temporaryFolder();
  ends.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function start(path: string): Promise<TestCloud> {
  const cloud = await startTestCloud({ folder: path });
  ends.push(() => cloud.close());
  return cloud;
}

interface System {
  readonly database: Made;
  readonly container: Made;
  readonly record: Made;
}

async function buildSystem(testCloud: TestCloud): Promise<System> {
  const { cloud } = testCloud;
  const database = await testCloud
    .subject("aws:rds/instance:Instance")
    .create(databaseInputs("flagship"));
  const image = cloud.registry.resolve("registry.example.com/flagship/legacy:legacy");
  const container = await testCloud.subject("docker:index/container:Container").create({
    name: "legacy",
    image: image?.reference,
    ports: [{ internal: 8080, external: cloud.network.port, ip: cloud.network.legacy }],
    envs: ["PORT=8080", `DATABASE_URL=${databaseUrl(database)}`],
    healthcheck: { tests: ["CMD", "curl", "-f", "http://localhost:8080/healthz"] },
    wait: true,
    restart: "unless-stopped",
  } satisfies Wire);
  const record = await testCloud.subject("cloudflare:index/dnsRecord:DnsRecord").create({
    zoneId: "0".repeat(32),
    name: "app.example.com",
    type: "A",
    content: cloud.network.legacy,
    ttl: 60,
  });
  return { database, container, record };
}

async function isHealthy({ network }: TestCloud["cloud"]): Promise<boolean> {
  const answer = await fetch(`http://${network.legacy}:${String(network.port)}/healthz`).catch(
    () => undefined,
  );
  return answer?.ok === true;
}

async function rows(database: Made): Promise<unknown> {
  const client = new Client(databaseUrl(database));
  await client.connect();
  try {
    return (await client.query("SELECT note FROM orders")).rows;
  } finally {
    await client.end();
  }
}

async function placeOrder({ network }: TestCloud["cloud"]): Promise<void> {
  await fetch(`http://${network.legacy}:${String(network.port)}/orders`, {
    method: "POST",
    body: JSON.stringify({ id: 1, note: "before" }),
  });
}

test("what a cloud has outlives it: it goes on at the same addresses with the same data", async () => {
  const path = await folder();
  const first = await startTestCloud({ folder: path });
  const { database, container, record } = await buildSystem(first);
  await placeOrder(first.cloud);
  await first.close();
  expect(await isHealthy(first.cloud)).toBe(false);

  const second = await start(path);
  expect(second.cloud.network).toEqual(first.cloud.network);
  await until("the container serves again", () => isHealthy(second.cloud));
  expect(await rows(database)).toEqual([{ note: "before" }]);
  expect((await lookup("app.example.com", second.cloud.resolver)).addresses).toEqual([
    { address: second.cloud.network.legacy, ttl: 60 },
  ]);
  for (const [type, made] of [
    ["aws:rds/instance:Instance", database],
    ["docker:index/container:Container", container],
    ["cloudflare:index/dnsRecord:DnsRecord", record],
  ] as const) {
    expect(await second.subject(type).exists(made)).toBe(true);
  }
  const databases = second.subject("aws:rds/instance:Instance");
  expect(await databases.refusal(databaseInputs("flagship"))).toMatch(/DBInstanceAlreadyExists/);
});

test("two clouds at once have nothing in common", async () => {
  const [one, two] = await Promise.all([start(await folder()), start(await folder())]);
  const inputs = { bucket: "same-name" };
  await one.subject("aws:s3/bucket:Bucket").create(inputs);

  await two.subject("aws:s3/bucket:Bucket").create(inputs);
  expect(one.cloud.network.block).not.toBe(two.cloud.network.block);
  expect(Object.values(one.cloud.ports)).not.toEqual(Object.values(two.cloud.ports));
});

test("a second cloud in the same folder is refused", async () => {
  const path = await folder();
  await start(path);

  await expect(startCloud({ folder: path, clockScale: 1 })).rejects.toThrow(
    /another process rehearses in the same folder/,
  );
});

/** Runs a cloud with a database and a container in a process of its own, and kills that process when told. */
async function startElsewhere(
  path: string,
): Promise<{ network: TestCloud["cloud"]["network"]; readonly kill: () => Promise<void> }> {
  const script = join(path, "run.ts");
  const support = join(import.meta.dirname, "support.ts");
  writeFileSync(
    script,
    `import { databaseInputs, databaseUrl, startTestCloud } from ${JSON.stringify(support)};
     const cloud = await startTestCloud({ folder: ${JSON.stringify(path)} });
     const { network, registry } = cloud.cloud;
     const made = await cloud.subject("aws:rds/instance:Instance").create(databaseInputs("flagship"));
     await cloud.subject("docker:index/container:Container").create({
       name: "legacy",
       image: registry.resolve("registry.example.com/flagship/legacy:legacy")?.reference,
       ports: [{ internal: 8080, external: network.port, ip: network.legacy }],
       envs: ["PORT=8080", "DATABASE_URL=" + databaseUrl(made)],
       healthcheck: { tests: ["CMD", "curl", "http://localhost:8080/healthz"] },
       wait: true,
       restart: "unless-stopped",
     });
     process.send?.(network);`,
  );
  const child = spawn(process.execPath, [script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [network] = (await once(child, "message")) as [TestCloud["cloud"]["network"]];
  return {
    network,
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

test("databases and containers end with the process that runs them, even when it is killed", async () => {
  const { network, kill } = await startElsewhere(await folder());
  const places = [
    [network.legacy, network.port],
    [network.database, network.databasePort],
  ] as const;
  expect(await Promise.all(places.map(([host, port]) => accepts(host, port)))).toEqual([
    true,
    true,
  ]);
  await kill();

  await until("nothing listens any more", async () => {
    const still = await Promise.all(places.map(([host, port]) => accepts(host, port)));
    return !still.includes(true);
  });
});

test("a cloud that was killed goes on in the next process, started at once", async () => {
  const path = await folder();
  const { network, kill } = await startElsewhere(path);
  await kill();
  const next = await start(path);

  expect(next.cloud.network).toEqual(network);
  await until("the container serves again", () => isHealthy(next.cloud));
});

test("a folder that the database server cannot reach still has its databases, and leaves nothing behind", async () => {
  const home = await temporaryFolder();
  await chmod(home, 0o700);
  const path = join(home, "cloud");
  const first = await startTestCloud({ folder: path });
  const made = await first.subject("aws:rds/instance:Instance").create(databaseInputs("flagship"));
  await first.close();
  const second = await startTestCloud({ folder: path });
  const client = new Client(databaseUrl(made));
  await client.connect();
  await client.end();
  await second.close();
  await rm(home, { recursive: true });
  await start(await folder());

  const shared = join(tmpdir(), "cutover-rehearsal");
  const left = await readdir(shared).catch(() => []);
  const origins = await Promise.all(
    left
      .filter((name) => name.endsWith(".origin"))
      .map((name) => readFile(join(shared, name), "utf8").catch(() => "")),
  );
  expect(origins.filter((origin) => origin.startsWith(home))).toEqual([]);
});

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}
