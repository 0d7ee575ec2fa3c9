import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startAuthoritative, type NameServer } from "../../rehearsal/stand-ins/dns.ts";
import { startWriter } from "../../rehearsal/writer.ts";
import { databaseInputs, databaseUrl, startTestCloud, until, type TestCloud } from "./support.ts";

let cloud: TestCloud;
let url: string;
let database: Client;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  cloud = await startTestCloud();
  url = databaseUrl(
    await cloud.subject("aws:rds/instance:Instance").create(databaseInputs("flagship")),
  );
  database = new Client(url);
  await database.connect();
  await database.query("CREATE TABLE orders (id bigint PRIMARY KEY, note text)");
});

afterAll(async () => {
  await database.end();
  await cloud.close();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

/** A name server that answers with the addresses that it is told at the time. */
async function nameServer(addresses: () => readonly string[]): Promise<string> {
  const server: NameServer = await startAuthoritative("127.0.0.1", () =>
    addresses().map((content) => ({
      name: "app.example.com",
      type: "A",
      content,
      ttl: 60,
      proxied: false,
    })),
  );
  open.push(server);
  return server.server;
}

/** Takes orders at an address, unless `status` says otherwise; returns the port. */
async function orderTaker(
  address: string,
  { port = 0, status = (): number => 201 }: { port?: number; status?: () => number } = {},
): Promise<number> {
  const server: Server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      const answer = status();
      const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { id: number };
      if (answer === 201) {
        await database.query("INSERT INTO orders (id) VALUES ($1) ON CONFLICT DO NOTHING", [id]);
      }
      outgoing.writeHead(answer).end("{}");
    })();
  });
  server.listen(port, address);
  await once(server, "listening");
  open.push(server);
  return (server.address() as AddressInfo).port;
}

test("an order that is gone from the database is counted as lost", async () => {
  const { blue } = cloud.cloud.network;
  const writer = await startWriter({
    host: "app.example.com",
    port: await orderTaker(blue),
    resolver: await nameServer(() => [blue]),
    perSecond: 200,
  });
  await until("ten orders are taken", () => writer.figures().acknowledged >= 10);
  await writer.stop();

  expect(await writer.verify(url)).toMatchObject({ lost: 0, failures: {} });
  await database.query("DELETE FROM orders WHERE id = (SELECT max(id) FROM orders)");
  const report = await writer.verify(url);
  expect(report.lost).toBe(1);
  expect(report.takenBy).toEqual({ [blue]: report.acknowledged });
});

test("a refused order is placed again under its number, and the pause is measured", async () => {
  const { blue } = cloud.cloud.network;
  let frozen = false;
  const writer = await startWriter({
    host: "app.example.com",
    port: await orderTaker(blue, { status: () => (frozen ? 503 : 201) }),
    resolver: await nameServer(() => [blue]),
    perSecond: 200,
  });
  frozen = true;
  const began = performance.now();
  await until("three were refused", () => (writer.figures().failures["503"] ?? 0) >= 3);
  const { acknowledged } = writer.figures();
  await until("half a second has passed", () => performance.now() - began > 500);
  frozen = false;
  await until("orders are taken again", () => writer.figures().acknowledged > acknowledged + 3);
  await writer.stop();
  const report = await writer.verify(url);

  expect(report.lost).toBe(0);
  expect(report.pauseSeconds).toBeGreaterThan(0.45);
  expect(report.pauseSeconds).toBeLessThan(5);
});

test("the writer goes where the name points to, with the next order", async () => {
  const { blue, green } = cloud.cloud.network;
  let address = blue;
  const port = await orderTaker(blue);
  await orderTaker(green, { port });
  const writer = await startWriter({
    host: "app.example.com",
    port,
    resolver: await nameServer(() => [address]),
    perSecond: 200,
  });
  address = green;
  await until("green takes orders", () => (writer.figures().takenBy[green] ?? 0) > 3);
  const { takenBy } = writer.figures();
  await until("green takes more", () => (writer.figures().takenBy[green] ?? 0) > 10);
  await writer.stop();

  expect(writer.figures().takenBy[blue]).toBe(takenBy[blue]);
});

test("the pause goes on until the end when nothing is taken any more", async () => {
  const { blue } = cloud.cloud.network;
  const port = await orderTaker(blue);
  const writer = await startWriter({
    host: "app.example.com",
    port,
    resolver: await nameServer(() => [blue]),
    perSecond: 200,
  });
  await Promise.all(open.splice(0).map((each) => each.close()));
  const began = performance.now();
  await until("the name server is missed", () => Object.keys(writer.figures().failures).length > 0);
  await until("half a second has passed", () => performance.now() - began > 500);
  await writer.stop();

  expect(writer.figures().pauseSeconds).toBeGreaterThan(0.45);
});
