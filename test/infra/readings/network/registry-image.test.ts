import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { registryImage } from "../../../../infra/readings/network/registry-image.ts";
import type { ReadingError } from "../../../../infra/readings/reading.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";

const digest = `sha256:${"4f".repeat(32)}`;
const otherDigest = `sha256:${"5f".repeat(32)}`;
const mediaType = "application/vnd.oci.image.index.v1+json";
const password = "hunter2-canary";
const granted = "granted-canary";

/** What a registry under test was asked. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly accept: string;
  readonly authorization: string | undefined;
}

/** Starts a server; it is closed when the test ends. */
async function start(answer: RequestListener): Promise<{ host: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const { method = "", url = "", headers } = request;
    const { accept = "", authorization } = headers;
    asked.push({ method, url, accept, authorization });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function answering(status: number, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(status, headers);
    response.end();
  };
}

const manifest = { "docker-content-digest": digest, "content-type": mediaType };

/** A registry that wants a token for everything, and gives it to whom it lets read. */
function guarded(
  mayRead: (authorization: string | undefined) => boolean,
  challenge = (host: string): string =>
    `Bearer realm="http://${host}/token?account=x",service="registry.example.com",scope="repository:other/secret:push"`,
): RequestListener {
  return (request, response) => {
    const { host = "", authorization } = request.headers;
    if (request.url?.startsWith("/token") === true) {
      const may = mayRead(authorization);
      response.writeHead(may ? 200 : 401, { "content-type": "application/json" });
      response.end(may ? JSON.stringify({ token: granted, expires_in: 300 }) : password);
    } else if (authorization === `Bearer ${granted}`) {
      response.writeHead(200, manifest);
      response.end();
    } else {
      response.writeHead(401, { "www-authenticate": challenge(host) });
      response.end();
    }
  };
}

function read(
  image: string,
  more: Record<string, unknown> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const target = registryImage.target.parse({ image, ...more });
  return readFacts(registryImage, target, contextOf());
}

async function errorOf(image: string, more: Record<string, unknown> = {}): Promise<ReadingError> {
  const error = await failureOf(read(image, more));
  expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/canary/);
  return error;
}

const login = { userEnv: "TEST_REGISTRY_USER", tokenEnv: "TEST_REGISTRY_TOKEN" };

function setLogin(user = "reader", token = password): void {
  vi.stubEnv("TEST_REGISTRY_USER", user);
  vi.stubEnv("TEST_REGISTRY_TOKEN", token);
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const basic = `Basic ${Buffer.from(`reader:${password}`).toString("base64")}`;

describe("an image", () => {
  test("that is there, by its tag", async () => {
    const { host, asked } = await start(answering(200, manifest));
    expect(await read(`${host}/orders/api:v1.2.0`)).toEqual({ exists: true, digest, mediaType });
    expect(asked).toEqual([
      {
        method: "HEAD",
        url: "/v2/orders/api/manifests/v1.2.0",
        accept:
          "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " +
          "application/vnd.docker.distribution.manifest.list.v2+json, " +
          "application/vnd.docker.distribution.manifest.v2+json",
        authorization: undefined,
      },
    ]);
  });

  test("by its digest, whatever its tag", async () => {
    const { host, asked } = await start(answering(200, manifest));
    await read(`${host}/orders/api@${digest}`);
    await read(`${host}/orders/api:v1@${digest}`);
    expect(asked.map(({ url }) => url)).toEqual([
      `/v2/orders/api/manifests/${digest}`,
      `/v2/orders/api/manifests/${digest}`,
    ]);
  });

  test("that is not there", async () => {
    const { host } = await start(answering(404, manifest));
    expect(await read(`${host}/orders/api:v1`)).toEqual({
      exists: false,
      digest: null,
      mediaType: null,
    });
  });

  test("whose media type has parameters and capitals, or is not said", async () => {
    const type = "Application/vnd.oci.image.manifest.v1+JSON; charset=utf-8";
    const { host } = await start(answering(200, { ...manifest, "content-type": type }));
    expect(await read(`${host}/orders/api:v1`)).toMatchObject({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
    });
    const silent = await start(answering(200, { "docker-content-digest": digest }));
    expect(await read(`${silent.host}/orders/api:v1`)).toMatchObject({ mediaType: null });
  });

  test.each<readonly [string, Record<string, string>, string]>([
    ["without a digest", {}, "it does not say the SHA-256 digest"],
    [
      "with another digest algorithm",
      { "docker-content-digest": `sha512:${"a".repeat(128)}` },
      "it does not say the SHA-256 digest",
    ],
    [
      "with two digests",
      { "docker-content-digest": `${digest}, ${otherDigest}` },
      "it does not say the SHA-256 digest",
    ],
    [
      "with another digest than the one that was asked for",
      { "docker-content-digest": otherDigest },
      "it is about another digest",
    ],
  ])("in an answer %s is not known", async (_, headers, said) => {
    const { host } = await start(answering(200, headers));
    const error = await errorOf(`${host}/orders/api@${digest}`);
    expect(error.message).toBe(
      `the answer of registry ${host} about ${host}/orders/api@${digest} cannot be used: ${said}`,
    );
    expect(error.again).toBe(false);
  });
});

describe("a registry that refuses", () => {
  test.each<readonly [number, string, boolean]>([
    [301, "does not answer as a registry about", false],
    [307, "does not answer as a registry about", false],
    [400, "does not answer as a registry about", false],
    [401, "does not let everybody read", false],
    [403, "does not let everybody read", false],
    [405, "does not answer as a registry about", false],
    [429, "has had too many requests to read", true],
    [500, "failed to read", true],
    [503, "failed to read", true],
  ])("with %i is told", async (status, said, again) => {
    const location = "http://127.0.0.1:1/elsewhere";
    const { host, asked } = await start(answering(status, { ...manifest, location }));
    const error = await errorOf(`${host}/orders/api:v1`);
    expect(error.message).toContain(
      `registry ${host} ${said} ${host}/orders/api:v1 (status ${status})`,
    );
    expect(error.again).toBe(again);
    expect(asked).toHaveLength(1);
  });

  test("to talk at all is asked again", async () => {
    const { host } = await start((request) => request.socket.destroy());
    const error = await errorOf(`${host}/orders/api:v1`);
    expect(error.message).toMatch(/cannot be reached to read .+ \(\w+\)$/);
    expect(error.again).toBe(true);
  });

  test("to answer in time is told", async () => {
    const { host } = await start(() => undefined);
    const target = registryImage.target.parse({ image: `${host}/orders/api:v1` });
    const context = contextOf({ signal: AbortSignal.timeout(200) });
    const error = await failureOf(registryImage.read(target, context));
    expect(error.message).toContain("cannot be reached");
  });
});

describe("a registry that wants a token", () => {
  const everybody = (): boolean => true;

  test("gives it to everybody, for this image and for nothing else", async () => {
    const { host, asked } = await start(guarded((authorization) => authorization === undefined));
    expect(await read(`${host}/orders/api:v1`)).toEqual({ exists: true, digest, mediaType });
    expect(asked.map(({ method, url, authorization }) => [method, url, authorization])).toEqual([
      ["HEAD", "/v2/orders/api/manifests/v1", undefined],
      [
        "GET",
        "/token?account=x&service=registry.example.com&scope=repository%3Aorders%2Fapi%3Apull",
        undefined,
      ],
      ["HEAD", "/v2/orders/api/manifests/v1", `Bearer ${granted}`],
    ]);
  });

  test("gives it to a user, whose password goes to the token server alone", async () => {
    setLogin();
    const { host, asked } = await start(guarded((authorization) => authorization === basic));
    expect(await read(`${host}/orders/api:v1`, login)).toMatchObject({ exists: true });
    expect(asked.map(({ authorization }) => authorization)).toEqual([
      undefined,
      basic,
      `Bearer ${granted}`,
    ]);
  });

  test("or the password itself", async () => {
    setLogin();
    const { host, asked } = await start((request, response) => {
      const may = request.headers.authorization === basic;
      response.writeHead(
        may ? 200 : 401,
        may ? manifest : { "www-authenticate": 'Basic realm="x"' },
      );
      response.end();
    });
    expect(await read(`${host}/orders/api:v1`, login)).toMatchObject({ exists: true });
    expect(asked.map(({ authorization }) => authorization)).toEqual([undefined, basic]);
    const error = await errorOf(`${host}/orders/api:v1`);
    expect(error.message).toContain("does not let everybody read");
  });

  test.each<readonly [string, (host: string) => string]>([
    ["without quotes", (host) => `Bearer realm=http://${host}/token,service=x`],
    ["in small letters", (host) => `bearer realm="http://${host}/token"`],
    ["behind another one", (host) => `Basic realm="x", Bearer realm="http://${host}/token"`],
    ["before another one", (host) => `Bearer realm="http://${host}/token", Basic realm="y"`],
    ["with the same key twice", (host) => `Bearer realm="http://${host}/token",realm="https://x"`],
  ])("says so in a header %s", async (_, challenge) => {
    const { host } = await start(guarded(everybody, challenge));
    expect(await read(`${host}/orders/api:v1`)).toMatchObject({ exists: true });
  });

  test("as access_token, as OAuth has it", async () => {
    const { host } = await start((request, response) => {
      if (request.url === "/token?scope=repository%3Aapi%3Apull") {
        response.end(JSON.stringify({ access_token: granted }));
      } else guarded(everybody, (own) => `Bearer realm="http://${own}/token"`)(request, response);
    });
    expect(await read(`${host}/api:v1`)).toMatchObject({ exists: true });
  });

  test.each<readonly [string, string]>([
    ["http to another machine", 'Bearer realm="http://auth.example.com/token"'],
    ["no URL", 'Bearer realm="/token"'],
    ["no realm", 'Bearer service="x"'],
    ["nothing", "Bearer"],
    ["another protocol", 'Bearer realm="file:///etc/passwd"'],
    ["a user of its own", 'Bearer realm="https://a:b@auth.example.com/token"'],
  ])("is not followed to %s", async (_, challenge) => {
    setLogin();
    const fetched = vi.fn<typeof fetch>((url, options) => originalFetch(url, options));
    const originalFetch = fetch;
    vi.stubGlobal("fetch", fetched);
    const { host } = await start(guarded(everybody, () => challenge));
    const error = await errorOf(`${host}/orders/api:v1`, login);
    expect(error.message).toContain("cannot be used: it names no https URL that gives tokens");
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  test.each<readonly [string, string | undefined]>([
    ["another scheme", 'Digest realm="x"'],
    ["a word that begins so", 'Bearertoken realm="x"'],
    ["nothing", undefined],
  ])("in no way that is known (%s) lets nobody read", async (_, challenge) => {
    const { host, asked } = await start(
      answering(401, challenge === undefined ? {} : { "www-authenticate": challenge }),
    );
    const error = await errorOf(`${host}/orders/api:v1`);
    expect(error.message).toContain(
      "does not let everybody read " +
        `${host}/orders/api:v1 (status 401). To do: set userEnv and tokenEnv in the stack config`,
    );
    expect(asked).toHaveLength(1);
  });

  test("and does not give it", async () => {
    setLogin();
    const { host } = await start(guarded(() => false));
    const error = await errorOf(`${host}/orders/api:v1`, login);
    expect(error.message).toBe(
      `the token server ${host} of registry ${host} does not let this user read ${host}/orders/api:v1 ` +
        "(status 401). To do: give the user the right to pull this image, or correct the user and the token",
    );
  });

  test("and does not take it", async () => {
    const { host, asked } = await start((request, response) => {
      if (request.url?.startsWith("/token") === true) response.end(`{"token":"${granted}2"}`);
      else guarded(everybody)(request, response);
    });
    const error = await errorOf(`${host}/orders/api:v1`);
    expect(error.message).toContain("does not let everybody read");
    expect(asked).toHaveLength(3);
  });

  test.each<readonly [string, string]>([
    ["no JSON", password],
    ["no token", JSON.stringify({ password })],
    ["an empty token", JSON.stringify({ token: "" })],
    ["a token of two lines", JSON.stringify({ token: `${granted}\r\nx: y` })],
    ["a token that is none", JSON.stringify({ token: 1 })],
    ["too much", JSON.stringify({ token: granted.repeat(10_000) })],
  ])("and gives %s", async (_, body) => {
    const { host } = await start((request, response) => {
      if (request.url?.startsWith("/token") === true) response.end(body);
      else guarded(everybody)(request, response);
    });
    const error = await errorOf(`${host}/orders/api:v1`);
    expect(error.message).toMatch(
      /cannot be used: (its token server gives no token|it is larger than 64 KiB)$/,
    );
  });

  test("whose token server fails is asked again", async () => {
    const { host } = await start((request, response) => {
      if (request.url?.startsWith("/token") === true) response.writeHead(503).end();
      else guarded(everybody)(request, response);
    });
    const error = await errorOf(`${host}/orders/api:v1`);
    expect(error.message).toContain(`the token server ${host} of registry ${host} failed`);
    expect(error.again).toBe(true);
  });
});

describe("the environment", () => {
  test.each<readonly [string, string, string, string]>([
    ["no user", "", password, "TEST_REGISTRY_USER is empty, which must hold the user of registry"],
    [
      "no token",
      "reader",
      "",
      "TEST_REGISTRY_TOKEN is empty, which must hold the password of registry",
    ],
    [
      "a user with a colon",
      "a:b-canary",
      password,
      "TEST_REGISTRY_USER holds what cannot be a user",
    ],
    [
      "a user of two lines",
      "a\nb-canary",
      password,
      "TEST_REGISTRY_USER holds what cannot be a user",
    ],
  ])("with %s is told before anything is asked", async (_, user, token, said) => {
    setLogin(user, token);
    const { host, asked } = await start(answering(200, manifest));
    const error = await errorOf(`${host}/orders/api:v1`, login);
    expect(error.message).toContain(said);
    expect(asked).toEqual([]);
  });
});

test.each<readonly [string, string]>([
  ["registry.example.com/orders/api:v1", "https://registry.example.com/v2/orders/api/manifests/v1"],
  ["registry.example.com:5000/api:v1", "https://registry.example.com:5000/v2/api/manifests/v1"],
  ["registry:5000/a/b/c_d--e.f:1", "https://registry:5000/v2/a/b/c_d--e.f/manifests/1"],
  ["docker.io/postgres:17", "https://registry-1.docker.io/v2/library/postgres/manifests/17"],
  ["docker.io/grafana/k6:1.0.0", "https://registry-1.docker.io/v2/grafana/k6/manifests/1.0.0"],
  ["localhost:5000/api:v1", "http://localhost:5000/v2/api/manifests/v1"],
  ["[::1]:5000/api:v1", "http://[::1]:5000/v2/api/manifests/v1"],
  ["127.0.0.1.example.com/api:v1", "https://127.0.0.1.example.com/v2/api/manifests/v1"],
])("%s is asked at %s", async (image, url) => {
  const fetched = vi.fn<typeof fetch>(async () => new Response(null, { status: 404 }));
  vi.stubGlobal("fetch", fetched);
  await read(image);
  expect(fetched.mock.calls.map(([asked]) => asked)).toEqual([url]);
});

test.each([
  "orders/api:v1",
  "postgres:17",
  "registry.example.com/orders/api",
  "registry.example.com/Orders/api:v1",
  "registry.example.com/orders/../api:v1",
  "registry.example.com/orders//api:v1",
  "registry.example.com/orders/api:v1/x",
  "registry.example.com/orders/api:v1?x=y",
  "registry.example.com/orders/api@sha256:4f",
  `registry.example.com/orders/api@sha512:${"4f".repeat(64)}`,
  "https://registry.example.com/orders/api:v1",
  "user:pw@registry.example.com/orders/api:v1",
  "registry.example.com:99999/orders/api:v1",
  "registry.example.com/orders/api:v1\n",
  "",
])("%j is no image with a registry", (image) => {
  expect(registryImage.target.safeParse({ image }).success).toBe(false);
});

test("a user without a token is refused, and a token without a user", () => {
  const image = "registry.example.com/orders/api:v1";
  expect(registryImage.target.safeParse({ image, userEnv: "A" }).success).toBe(false);
  expect(registryImage.target.safeParse({ image, tokenEnv: "A" }).success).toBe(false);
  expect(registryImage.target.safeParse({ image, userEnv: "A", tokenEnv: "B" }).success).toBe(true);
  expect(registryImage.target.safeParse({ image, token: "x" }).success).toBe(false);
});

test("is about the image, by its name", () => {
  const target = registryImage.target.parse({ image: "registry.example.com/orders/api:v1" });
  expect(registryImage.subject(target)).toBe("registry.example.com/orders/api:v1");
});
