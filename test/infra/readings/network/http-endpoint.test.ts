import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpEndpoint } from "../../../../infra/readings/network/http-endpoint.ts";
import { ReadingError } from "../../../../infra/readings/reading.ts";
import { readFacts } from "../context.ts";

const canary = "hunter2-canary";

const context = {
  signal: new AbortController().signal,
  now: new Date(),
  release: { version: "v2.0.0", digest: "a".repeat(64), commit: "b".repeat(40), images: {} },
  database: undefined,
};

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    if ("closeAllConnections" in server) (server.closeAllConnections as () => void)();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function startHttp(answer: RequestListener): Promise<number> {
  return listen(createServer(answer));
}

function json(body: unknown, headers: Record<string, string> = {}, status = 200): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

function read(
  port: number,
  target: Record<string, unknown> = {},
  signal = context.signal,
): Promise<Readonly<Record<string, unknown>>> {
  const wanted = httpEndpoint.target.parse({
    url: `http://app.example.com:${port}/healthz?token=${canary}`,
    address: "127.0.0.1",
    ...target,
  });
  return readFacts(httpEndpoint, wanted, { ...context, signal });
}

async function errorOf(reading: Promise<unknown>): Promise<ReadingError> {
  const error: unknown = await reading.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ReadingError);
  expect(String(error)).not.toContain(canary);
  return error as ReadingError;
}

describe("an answer", () => {
  test("has all facts", async () => {
    const port = await startHttp(
      json(
        { version: "2.0.0", checks: [{ ok: true }] },
        { "content-type": "Application/JSON; charset=utf-8" },
      ),
    );
    expect(await read(port, { json: ["checks.0.ok"] })).toEqual({
      status: 200,
      milliseconds: expect.any(Number) as number,
      contentType: "application/json",
      version: "2.0.0",
      json: { "checks.0.ok": true },
      location: null,
      securityHeaders: {
        hstsSeconds: null,
        contentSecurityPolicy: false,
        noSniff: false,
        frameProtection: false,
        referrerPolicy: null,
      },
      cors: {},
    });
  });

  test("takes as long as it takes", async () => {
    const port = await startHttp((_request, response) => {
      setTimeout(() => response.end(), 60);
    });
    const { milliseconds } = await read(port);
    expect(milliseconds).toBeGreaterThanOrEqual(55);
    expect(Number.isInteger(milliseconds)).toBe(true);
  });

  test.each([404, 429, 500, 503])("of status %i is told as it is", async (status) => {
    const port = await startHttp(json({ version: "2.0.0" }, {}, status));
    expect(await read(port)).toMatchObject({ status, version: "2.0.0" });
  });

  test("comes from where it should, with the host of the URL and the headers", async () => {
    const requests: IncomingMessage[] = [];
    const port = await startHttp((request, response) => {
      requests.push(request);
      response.end();
    });
    await read(port, { headers: { "Accept-Language": "en", "User-Agent": "check" } });
    const [{ headers, url, method } = {}] = requests;
    expect(headers).toMatchObject({
      host: `app.example.com:${port}`,
      "accept-language": "en",
      "user-agent": "check",
    });
    expect({ url, method }).toEqual({ url: `/healthz?token=${canary}`, method: "GET" });
    expect(requests).toHaveLength(1);
  });

  test("has no body to speak of", async () => {
    const port = await startHttp((_request, response) => response.end());
    expect(await read(port, { json: ["ok"] })).toMatchObject({
      status: 200,
      contentType: null,
      version: null,
      json: { ok: null },
    });
  });
});

describe("the version", () => {
  test.each<[string, unknown, Record<string, unknown>, string | null]>([
    ["at its path", { build: { version: "3.1.4" } }, { versionPath: "build.version" }, "3.1.4"],
    ["as a number", { version: 7 }, {}, "7"],
    ["in a header", { version: "2.0.0" }, { versionHeader: "X-Version" }, "9.9.9"],
    ["in a header that is absent", { version: "2.0.0" }, { versionHeader: "x-no" }, null],
    ["that is an object", { version: { major: 2 } }, {}, null],
    ["that is null", { version: null }, {}, null],
    ["that is empty", { version: "" }, {}, ""],
    ["that is inherited", {}, { versionPath: "constructor.name" }, null],
  ])("is read %s", async (_, body, target, version) => {
    const port = await startHttp(json(body, { "x-version": "9.9.9" }));
    expect(await read(port, target)).toMatchObject({ version });
  });
});

describe("values in JSON", () => {
  test("are told where they are single ones", async () => {
    const port = await startHttp(
      json({ n: 0, f: false, s: "", z: null, list: [1], object: { a: 1 } }),
    );
    const paths = ["n", "f", "s", "z", "list", "list.0", "object", "object.a", "object.b", "x.y"];
    const { json: values } = await read(port, { json: paths });
    expect(values).toEqual({
      n: 0,
      f: false,
      s: "",
      z: null,
      list: null,
      "list.0": 1,
      object: null,
      "object.a": 1,
      "object.b": null,
      "x.y": null,
    });
  });

  test.each<[string, string]>([
    ["is none", "<html>"],
    ["was cut", '{"ok":true,"version":"2.0'],
    ["has a key twice", '{"ok":true,"ok":false,"version":"2.0.0"}'],
    ["has the key __proto__", '{"__proto__":{"ok":true},"version":"2.0.0"}'],
    ["nests too deep", `{"ok":true,"version":"2.0.0","deep":${"[".repeat(40)}${"]".repeat(40)}}`],
    ["has a number that is too large", '{"ok":1e999,"version":"2.0.0"}'],
    ["is larger than 64 KiB", `{"ok":true,"version":"2.0.0","pad":"${"x".repeat(65_536)}"}`],
  ])("are not told when it %s", async (_, body) => {
    const port = await startHttp(json(body));
    expect(await read(port, { json: ["ok"] })).toMatchObject({
      status: 200,
      version: null,
      json: { ok: null },
    });
  });
});

test("a redirect is not followed, and its query is not told", async () => {
  const asked: string[] = [];
  const start = (location: string): Promise<number> =>
    startHttp((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(302, { location }).end();
    });
  const port = await start(`/login?next=${canary}#${canary}`);
  expect(await read(port)).toMatchObject({
    status: 302,
    location: `http://app.example.com:${port}/login`,
  });
  const away = await start(`https://user:${canary}@login.example.com/a?b=${canary}`);
  expect(await read(away)).toMatchObject({ location: "https://login.example.com/a" });
  expect(await read(await start("https://[broken"))).toMatchObject({ location: null });
  expect(asked).toHaveLength(3);
});

test.each([201, 299, 400])("what status %i says of a location is no redirect", async (status) => {
  const port = await startHttp(json({}, { location: "/elsewhere" }, status));
  expect(await read(port)).toMatchObject({ status, location: null });
});

describe("security headers", () => {
  test.each<[string, Record<string, string>, Record<string, unknown>]>([
    [
      "strict-transport-security",
      { v: "max-age=31536000; includeSubDomains" },
      { hstsSeconds: 31_536_000 },
    ],
    ["strict-transport-security", { v: 'includeSubDomains; Max-Age="60"' }, { hstsSeconds: 60 }],
    ["strict-transport-security", { v: "max-age=0" }, { hstsSeconds: 0 }],
    ["strict-transport-security", { v: "max-age=0, max-age=31536000" }, { hstsSeconds: 0 }],
    ["strict-transport-security", { v: "max-age=-1" }, { hstsSeconds: null }],
    ["strict-transport-security", { v: "max-age=NaN" }, { hstsSeconds: null }],
    ["strict-transport-security", { v: "xmax-age=60" }, { hstsSeconds: null }],
    [
      "content-security-policy",
      { v: "default-src 'self'" },
      { contentSecurityPolicy: true, frameProtection: false },
    ],
    [
      "content-security-policy",
      { v: "default-src 'self'; Frame-Ancestors 'none'" },
      { contentSecurityPolicy: true, frameProtection: true },
    ],
    ["content-security-policy", { v: " ; " }, { contentSecurityPolicy: false }],
    ["x-frame-options", { v: "DENY" }, { frameProtection: true }],
    ["x-frame-options", { v: "SameOrigin" }, { frameProtection: true }],
    ["x-frame-options", { v: "ALLOW-FROM https://example.com" }, { frameProtection: false }],
    ["x-content-type-options", { v: "NoSniff" }, { noSniff: true }],
    ["x-content-type-options", { v: "sniff" }, { noSniff: false }],
    ["referrer-policy", { v: "no-referrer" }, { referrerPolicy: "no-referrer" }],
  ])("%s: %o", async (name, { v = "" }, facts) => {
    const port = await startHttp(json({}, { [name]: v }));
    expect((await read(port))["securityHeaders"]).toMatchObject(facts);
  });
});

describe("cross-origin requests", () => {
  const shop = "https://shop.example.com";

  test("are asked about one by one", async () => {
    const port = await startHttp((request, response) => {
      const { origin } = request.headers;
      if (origin === shop) {
        response.setHeader("access-control-allow-origin", origin);
        response.setHeader("access-control-allow-credentials", "true");
      }
      response.end();
    });
    const { cors } = await read(port, { corsOrigins: [shop, "https://evil.example.net"] });
    expect(cors).toEqual({
      [shop]: { allowed: true, credentials: true },
      "https://evil.example.net": { allowed: false, credentials: false },
    });
  });

  test.each([
    ["*", true],
    [`${shop}, ${shop}`, false],
    [`${shop}/`, false],
    ["null", false],
  ])("are answered with %s", async (value, allowed) => {
    const port = await startHttp(json({}, { "access-control-allow-origin": value }));
    const { cors } = await read(port, { corsOrigins: [shop] });
    expect(cors).toEqual({ [shop]: { allowed, credentials: false } });
  });
});

describe("no answer", () => {
  test("from a port that nobody listens on", async () => {
    const { message, again } = await errorOf(read(1));
    expect(message).toMatch(
      /^no answer from http:\/\/app\.example\.com:1\/healthz at 127\.0\.0\.1: .*ECONNREFUSED/,
    );
    expect(again).toBe(true);
  });

  test("from a server that hangs up", async () => {
    const port = await startHttp((request) => request.socket.destroy());
    expect(await errorOf(read(port))).toMatchObject({ again: true });
  });

  test("from a server that breaks off", async () => {
    const port = await startHttp((request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{", () => request.socket.destroy());
    });
    expect(await errorOf(read(port))).toMatchObject({ again: true });
  });

  test("from a server that speaks no HTTP", async () => {
    const port = await listen(createTcpServer((socket) => socket.end(`220 ${canary}\r\n`)));
    expect((await errorOf(read(port))).message).toContain("Parse Error");
  });

  test("from a server without TLS, asked with it", async () => {
    const port = await startHttp(json({}));
    const error = await errorOf(
      read(port, { url: `https://app.example.com:${port}/?k=${canary}` }),
    );
    expect(error.message).toContain(`no answer from https://app.example.com:${port}/ at 127.0.0.1`);
  });

  test("from a server that hangs, when the time is over", async () => {
    const stop = new AbortController();
    const closed: Promise<void>[] = [];
    const port = await startHttp((request) => {
      closed.push(new Promise((resolve) => request.socket.on("close", () => resolve())));
      stop.abort();
    });
    await errorOf(read(port, {}, stop.signal));
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
  });

  test("to one of the origins is none at all", async () => {
    const port = await startHttp((request, response) => {
      if (request.headers.origin === undefined) response.end();
      else request.socket.destroy();
    });
    await errorOf(read(port, { corsOrigins: ["https://shop.example.com"] }));
  });
});

test("it is about its URL, without the query", () => {
  const url = `https://app.example.com/healthz?token=${canary}#${canary}`;
  expect(httpEndpoint.subject(httpEndpoint.target.parse({ url }))).toBe(
    "https://app.example.com/healthz",
  );
});

test.each([
  ["a user and password", { url: `https://user:${canary}@app.example.com/` }],
  ["a user", { url: `https://${canary}@app.example.com/` }],
  ["another protocol", { url: "ftp://app.example.com/" }],
  ["no URL", { url: "app.example.com" }],
  ["a name for an address", { address: "app.example.com" }],
  ["another method", { method: "POST" }],
  ["a secret header", { headers: { Authorization: `Bearer ${canary}` } }],
  ["a cookie", { headers: { cookie: canary } }],
  ["a key", { headers: { "X-Api-Key": canary } }],
  ["a header with a line break", { headers: { "x-a": `1\r\n${canary}` } }],
  ["a header with a space in its name", { headers: { "x a": canary } }],
  ["an empty path", { json: [""] }],
  ["a path with an empty key", { json: ["a..b"] }],
  ["an origin with a path", { corsOrigins: ["https://shop.example.com/"] }],
  ["an origin without a protocol", { corsOrigins: ["shop.example.com"] }],
  ["an unknown key", { body: canary }],
])("a target with %s is refused, and not quoted", (_, change) => {
  const target = { url: "https://app.example.com/" };
  expect(httpEndpoint.target.safeParse(target).success).toBe(true);
  const { success, error } = httpEndpoint.target.safeParse({ ...target, ...change });
  expect(success).toBe(false);
  expect(JSON.stringify(error?.issues)).not.toContain(canary);
});
