import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { generate } from "selfsigned";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { tlsCertificate } from "../../../../infra/readings/network/tls-certificate.ts";
import { ReadingError } from "../../../../infra/readings/reading.ts";
import { readFacts } from "../context.ts";

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const day = 86_400_000;
const release = { version: "v2.0.0", digest: "a".repeat(64), commit: "b".repeat(40), images: {} };

let ca: Pair;
let caFile: string;
let good: Pair;

async function issue(
  names: readonly string[],
  { from = -day, to = 30 * day, by }: { from?: number; to?: number; by?: Pair } = {},
): Promise<Pair> {
  const altNames = names.map((value) =>
    /^[\d.]+$/.test(value) ? { type: 7 as const, ip: value } : { type: 2 as const, value },
  );
  const made = await generate([{ name: "commonName", value: names[0] ?? "" }], {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: new Date(Date.now() + from),
    notAfterDate: new Date(Date.now() + to),
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "subjectAltName", altNames },
    ],
    ...(by === undefined ? {} : { ca: by }),
  });
  return { cert: made.cert, key: made.private };
}

beforeAll(async () => {
  const made = await generate([{ name: "commonName", value: "Example CA" }], {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: new Date(Date.now() - day),
    notAfterDate: new Date(Date.now() + 400 * day),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  ca = { cert: made.cert, key: made.private };
  good = await issue(["app.example.com", "192.0.2.1"], { by: ca });
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  caFile = join(folder, "ca.pem");
  writeFileSync(caFile, ca.cert);
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function startTls(pair: Pair, options: TlsOptions = {}): Promise<number> {
  const server = createTlsServer({ ...pair, ...options }, (socket) => {
    socket.on("error", () => undefined);
  });
  server.on("tlsClientError", () => undefined);
  return listen(server);
}

function read(
  port: number,
  target: Record<string, unknown> = {},
  { signal = new AbortController().signal, now = new Date() } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const wanted = tlsCertificate.target.parse({
    host: "app.example.com",
    address: "127.0.0.1",
    port,
    ...target,
  });
  return readFacts(tlsCertificate, wanted, { signal, now, release, database: undefined });
}

async function errorOf(reading: Promise<unknown>): Promise<ReadingError> {
  const error: unknown = await reading.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ReadingError);
  return error as ReadingError;
}

describe("a certificate", () => {
  test("that is good", async () => {
    expect(await read(await startTls(good), { caFile })).toEqual({
      authorized: true,
      authorizationError: null,
      hostMatches: true,
      protocol: "TLSv1.3",
      subjectAltNames: ["app.example.com", "192.0.2.1"],
      issuer: "CN=Example CA",
      validFrom: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/) as string,
      validTo: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/) as string,
      daysLeft: 29,
      chainLength: 2,
    });
  });

  test("that no known authority signed", async () => {
    expect(await read(await startTls(good))).toMatchObject({
      authorized: false,
      authorizationError: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      hostMatches: true,
      chainLength: 1,
    });
  });

  test("that ended", async () => {
    const expired = await issue(["app.example.com"], { from: -9 * day, to: -day / 2, by: ca });
    expect(await read(await startTls(expired), { caFile })).toMatchObject({
      authorized: false,
      authorizationError: "CERT_HAS_EXPIRED",
      hostMatches: true,
      daysLeft: -1,
    });
  });

  test("that has not begun", async () => {
    const early = await issue(["app.example.com"], { from: day, by: ca });
    expect(await read(await startTls(early), { caFile })).toMatchObject({
      authorized: false,
      authorizationError: "CERT_NOT_YET_VALID",
    });
  });

  test("of another host", async () => {
    const other = await issue(["shop.example.com"], { by: ca });
    expect(await read(await startTls(other), { caFile })).toMatchObject({
      authorized: true,
      hostMatches: false,
      subjectAltNames: ["shop.example.com"],
    });
  });

  test("that signed itself", async () => {
    const own = await issue(["app.example.com"]);
    expect(await read(await startTls(own), { caFile })).toMatchObject({
      authorized: false,
      authorizationError: "DEPTH_ZERO_SELF_SIGNED_CERT",
      hostMatches: true,
      chainLength: 1,
    });
  });

  test("for every name below one, and for an address", async () => {
    const wide = await startTls(await issue(["*.example.com", "127.0.0.1"], { by: ca }));
    expect(await read(wide, { caFile })).toMatchObject({ hostMatches: true });
    expect(await read(wide, { caFile, host: "a.b.example.com" })).toMatchObject({
      hostMatches: false,
    });
    const byAddress = { caFile, host: "127.0.0.1", address: undefined };
    expect(await read(wide, byAddress)).toMatchObject({ authorized: true, hostMatches: true });
  });

  test("is told in days that are whole", async () => {
    const port = await startTls(good);
    const { validTo } = await read(port);
    const end = Date.parse(String(validTo));
    for (const [before, daysLeft] of [
      [day, 1],
      [day - 1, 0],
      [0, 0],
      [-1, -1],
      [-day, -1],
      [-day - 1, -2],
    ] as const) {
      const now = new Date(end - before);
      expect((await read(port, {}, { now }))["daysLeft"], String(before)).toBe(daysLeft);
    }
  });

  test("has at most 100 names", async () => {
    const names = Array.from({ length: 101 }, (_, index) => `a${index}.example.com`);
    const { subjectAltNames } = await read(await startTls(await issue(names)));
    expect(subjectAltNames).toEqual(names.slice(0, 100));
  });

  test("is asked for by the host's name, not by the address", async () => {
    const asked: string[] = [];
    const port = await startTls(good, {
      SNICallback: (name, done) => {
        asked.push(name);
        done(null);
      },
    });
    await read(port, { host: "shop.example.com" });
    expect(asked).toEqual(["shop.example.com"]);
  });

  test("is told though the server wants one too", async () => {
    const port = await startTls(good, { requestCert: true, rejectUnauthorized: true });
    expect(await read(port, { caFile })).toMatchObject({ authorized: true });
  });
});

describe("no certificate", () => {
  test("from a server that speaks no TLS", async () => {
    const port = await listen(
      createTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    );
    const { message, again } = await errorOf(read(port));
    expect(message).toBe(
      `no TLS connection to app.example.com:${port} at 127.0.0.1: ERR_SSL_WRONG_VERSION_NUMBER`,
    );
    expect(again).toBe(true);
  });

  test("from a server that hangs up", async () => {
    const port = await listen(createTcpServer((socket) => socket.destroy()));
    expect((await errorOf(read(port))).message).toMatch(/: ECONNRESET$/);
  });

  test("from a port that nobody listens on", async () => {
    const { message, again } = await errorOf(read(1));
    expect(message).toBe("no TLS connection to app.example.com:1 at 127.0.0.1: ECONNREFUSED");
    expect(again).toBe(true);
  });

  test("from a server that is silent, when the time is over", async () => {
    const stop = new AbortController();
    const ended: Promise<void>[] = [];
    const port = await listen(
      createTcpServer((socket) => {
        ended.push(new Promise((resolve) => socket.on("close", () => resolve())));
        stop.abort();
        socket.resume();
      }),
    );
    await errorOf(read(port, {}, { signal: stop.signal }));
    await Promise.all(ended);
    expect(ended).toHaveLength(1);
  });

  test("when it was stopped before", async () => {
    await errorOf(read(1, {}, { signal: AbortSignal.abort() }));
  });

  test("without the authorities that should be trusted", async () => {
    const port = await startTls(good);
    const empty = join(dirname(caFile), "empty.pem");
    writeFileSync(empty, "");
    for (const file of ["no-such-ca.pem", empty]) {
      const { message, again } = await errorOf(read(port, { caFile: file }));
      expect({ message, again }).toEqual({
        message: `${file} is no readable PEM file with a certificate. To do: put the CA of app.example.com there`,
        again: false,
      });
    }
  });

  test("but the file of authorities is found from the project's top", async () => {
    const port = await startTls(good);
    const fromTop = relative(join(import.meta.dirname, "../../../.."), caFile);
    expect(await read(port, { caFile: fromTop })).toMatchObject({ authorized: true });
  });
});

test("it is about its host, with the port where it is another than 443", () => {
  const subjectOf = (target: unknown): string =>
    tlsCertificate.subject(tlsCertificate.target.parse(target));
  expect(subjectOf({ host: "app.example.com" })).toBe("app.example.com");
  expect(subjectOf({ host: "app.example.com", port: 8443 })).toBe("app.example.com:8443");
});

test.each([
  ["no host", { host: "" }],
  ["a URL for a host", { host: "https://app.example.com/" }],
  ["port 0", { port: 0 }],
  ["a port that is too high", { port: 65_536 }],
  ["a port as text", { port: "443" }],
  ["a name for an address", { address: "app.example.com" }],
  ["an unknown key", { rejectUnauthorized: false }],
])("a target with %s is refused", (_, change) => {
  const target = { host: "app.example.com" };
  expect(tlsCertificate.target.safeParse(target).success).toBe(true);
  expect(tlsCertificate.target.safeParse({ ...target, ...change }).success).toBe(false);
});
