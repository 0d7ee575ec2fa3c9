import { randomUUID } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer, type AddressInfo, type Server } from "node:net";
import { dirname, join } from "node:path";
import { generate } from "selfsigned";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { dockerImage } from "../../../../infra/readings/docker/docker-image.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { answer, engine, listen, temporaryPath } from "./engine.ts";

const digest = `sha256:${"1f".repeat(32)}`;
const image = `registry.example.com:5000/flagship/orders-api@${digest}`;
const canary = `canary-${randomUUID()}`;

/** As a Docker Engine answers it. */
const inspected = {
  Id: `sha256:${"2e".repeat(32)}`,
  RepoTags: [],
  RepoDigests: [image],
  Parent: "",
  Comment: "buildkit.dockerfile.v0",
  Created: "2026-11-20T10:11:12.497794809Z",
  DockerVersion: "",
  Author: "",
  Config: {
    Hostname: "",
    User: "node",
    Env: ["PATH=/usr/local/bin:/usr/bin:/bin", `TOKEN=${canary}`],
    Cmd: ["node", "main.js"],
    WorkingDir: "/app",
    Entrypoint: null,
    Labels: null,
  },
  Architecture: "amd64",
  Os: "linux",
  Size: 123456789,
  GraphDriver: { Data: null, Name: "overlay2" },
  RootFS: { Type: "layers", Layers: [`sha256:${"3d".repeat(32)}`] },
  Metadata: { LastTagTime: "0001-01-01T00:00:00Z" },
};

const path = `/images/${image}/json`;

beforeEach(() => {
  for (const name of ["DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"]) {
    vi.stubEnv(name, undefined);
  }
});
afterEach(() => vi.unstubAllEnvs());

function read(host: string | undefined, signal?: AbortSignal) {
  const target = dockerImage.target.parse({ image, ...(host === undefined ? {} : { host }) });
  return readFacts(dockerImage, target, contextOf(signal === undefined ? {} : { signal }));
}

/** Reads from what answers the inspection like this. */
async function readFrom(inspection: RequestListener): Promise<unknown> {
  const pinged = engine({});
  return read(
    await listen((request, response) => {
      if (request.url === "/_ping") pinged(request, response);
      else inspection(request, response);
    }),
  );
}

function readObject(object: unknown): Promise<unknown> {
  return readFrom((_request, response) => {
    answer(response, 200, object);
  });
}

describe("an image", () => {
  test("that is there is read by its digest, without its environment", async () => {
    const paths: string[] = [];
    const facts = await read(await listen(engine({ [path]: inspected }, paths)));
    expect(facts).toEqual({
      present: true,
      digestMatches: true,
      id: inspected.Id,
      sizeBytes: 123456789,
      createdAt: "2026-11-20T10:11:12.497Z",
      architecture: "amd64",
      os: "linux",
    });
    expect(paths).toEqual(["/_ping", `/v1.48${path}`]);
    expect(JSON.stringify(facts)).not.toContain(canary);
  });

  test("that is not there is not present", async () => {
    expect(await read(await listen(engine({})))).toEqual({
      present: false,
      digestMatches: false,
      id: null,
      sizeBytes: null,
      createdAt: null,
      architecture: null,
      os: null,
    });
  });

  test.each([
    ["another digest", [image.replace("1f", "ff")]],
    ["no digest, as after a build", []],
    ["null", null],
    ["nothing", undefined],
    ["one that only ends alike", [`${image.slice(0, -71)}x${digest}`]],
  ])("that the Engine knows by %s does not match", async (_what, RepoDigests) => {
    expect(await readObject({ ...inspected, RepoDigests })).toMatchObject({
      present: true,
      digestMatches: false,
    });
  });

  test("that the Engine knows by another repository, too, matches", async () => {
    const RepoDigests = [`mirror.example.com/orders-api@${digest}`];
    expect(await readObject({ ...inspected, RepoDigests })).toMatchObject({ digestMatches: true });
  });

  test.each([
    ["absent", undefined],
    ["null", null],
    ["Go's zero", "0001-01-01T00:00:00Z"],
  ])("whose time of creation is %s has none", async (_what, Created) => {
    expect(await readObject({ ...inspected, Created })).toMatchObject({ createdAt: null });
  });

  test("whose time has an offset has it in UTC", async () => {
    const Created = "2026-11-20T12:11:12+02:00";
    expect(await readObject({ ...inspected, Created })).toMatchObject({
      createdAt: "2026-11-20T10:11:12.000Z",
    });
  });
});

describe("the version of the API", () => {
  test.each([
    ["1.41", "1.41"],
    ["1.52", "1.52"],
    ["1.53", "1.52"],
    ["1.100", "1.52"],
  ])("an Engine of %s is asked in %s", async (speaks, asked) => {
    const paths: string[] = [];
    await read(await listen(engine({ [path]: inspected }, paths, speaks)));
    expect(paths[1]).toBe(`/v${asked}${path}`);
  });

  test.each(["", "2.0", "1.", "1.9999", "latest"])("%j is none", async (speaks) => {
    const error = await failureOf(read(await listen(engine({}, [], speaks))));
    expect(error.message).toContain("answered, but not as a Docker Engine");
  });

  test("a server without one is no Docker Engine", async () => {
    const host = await listen((_request, response) => {
      answer(response, 404, { message: "page not found" });
    });
    const error = await failureOf(read(host));
    expect(error.message).toContain("answered, but not as a Docker Engine");
    expect(error.again).toBe(false);
  });
});

describe("an answer that cannot be used", () => {
  test.each([
    [500, true],
    [503, true],
    [400, false],
    [301, false],
    [204, false],
  ])("status %i is told without what it says", async (status, again) => {
    const error = await failureOf(
      readFrom((_request, response) => {
        answer(response, status, { message: canary });
      }),
    );
    expect(error.message).toContain(`answered with status ${String(status)}`);
    expect(error.message).not.toContain(canary);
    expect(error.again).toBe(again);
  });

  test.each([
    ["no JSON", `<p>${canary}</p>`, "it is no JSON"],
    ["cut short", '{"Id":"sha', "it is no JSON"],
    ["nothing", "", "it is no JSON"],
    ["a key twice", '{"Id":"a","Id":"b"}', "it has a key twice"],
    ["a __proto__", '{"__proto__":{}}', "it has the key __proto__"],
    ["too deep", "[".repeat(40) + "]".repeat(40), "it nests deeper than 32 levels"],
    ["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0x22]), "it is no valid UTF-8"],
    ["a number that is too large", '{"Size":1e999}', "it has a number that is too large"],
    ["a list", "[]", "has another shape than the Engine API"],
    ["null", "null", "has another shape than the Engine API"],
    ["a size below zero", JSON.stringify({ ...inspected, Size: -1 }), "see Size"],
    ["a size as a text", JSON.stringify({ ...inspected, Size: canary }), "see Size"],
    ["no ID", JSON.stringify({ ...inspected, Id: undefined }), "see Id"],
    ["a time that is none", JSON.stringify({ ...inspected, Created: canary }), "see Created"],
  ])("%s", async (_what, body, message) => {
    const error = await failureOf(
      readFrom((_request, response) => {
        response.end(body);
      }),
    );
    expect(error.message).toContain(message);
    expect(error.message).not.toContain(canary);
    expect(error.again).toBe(false);
  });

  test("a 404 that is not the Engine's does not pass for an absent image", async () => {
    const error = await failureOf(
      readFrom((_request, response) => {
        response.statusCode = 404;
        response.end("<h1>Not Found</h1>");
      }),
    );
    expect(error.message).toContain("it is no JSON");
  });

  test("more than 1 MiB is refused", async () => {
    const error = await failureOf(
      readFrom((_request, response) => {
        response.end("x".repeat(1024 * 1024 + 1));
      }),
    );
    expect(error.message).toContain("answered with more than 1024 KiB");
  });

  test("one that breaks off may be asked again", async () => {
    const error = await failureOf(
      readFrom((_request, response) => {
        response.writeHead(200, { "Content-Length": "1000" });
        response.write("{", () => response.destroy());
      }),
    );
    expect(error.message).toContain("the connection failed");
    expect(error.again).toBe(true);
  });

  test("one that never comes is left when the time is over", async () => {
    const controller = new AbortController();
    const host = await listen(() => {
      controller.abort(new Error("the time is over"));
    });
    await expect(read(host, controller.signal)).rejects.toThrow("the time is over");
  });

  test("one that never ends is left when the time is over", async () => {
    const controller = new AbortController();
    const host = await listen((_request, response) => {
      response.write("{", () => {
        controller.abort(new Error("the time is over"));
      });
    });
    await expect(read(host, controller.signal)).rejects.toThrow("the time is over");
  });
});

describe("where the Engine listens", () => {
  test("is what DOCKER_HOST says when the target says nothing", async () => {
    vi.stubEnv("DOCKER_HOST", await listen(engine({ [path]: inspected })));
    expect(await read(undefined)).toMatchObject({ present: true });
  });

  test("is what the target says before DOCKER_HOST", async () => {
    vi.stubEnv("DOCKER_HOST", "unix:///nowhere/docker.sock");
    expect(await read(await listen(engine({ [path]: inspected })))).toMatchObject({
      present: true,
    });
  });

  test("may be a TCP port", async () => {
    const port = await portOf(createHttp(engine({ [path]: inspected })));
    expect(await read(`tcp://127.0.0.1:${port}`)).toMatchObject({ present: true });
    expect(await read(`http://127.0.0.1:${port}/`)).toMatchObject({ present: true });
  });

  test("a socket that does not exist is named", async () => {
    const socket = await temporaryPath("absent.sock");
    const error = await failureOf(read(`unix://${socket}`));
    expect(error.message).toBe(
      `the Docker Engine at unix://${socket}: there is no such socket. ` +
        "To do: start Docker, or name where it listens (ENOENT)",
    );
    expect(error.again).toBe(false);
  });

  test("a socket that this user may not use is named", async () => {
    const host = await listen(engine({ [path]: inspected }));
    await chmod(dirname(host.slice("unix://".length)), 0o700);
    await chmod(host.slice("unix://".length), 0o000);
    // What root may not do only another user finds out.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    const error = await failureOf(read(host)).finally(() => {
      if (isRoot) process.seteuid?.(0);
    });
    expect(error.message).toContain("this user may not use the socket");
    expect(error.again).toBe(false);
  });

  test("a port that nothing listens on may be asked again", async () => {
    const server = createServer();
    const port = await portOf(server);
    await new Promise((resolve) => server.close(resolve));
    const error = await failureOf(read(`tcp://127.0.0.1:${port}`));
    expect(error.message).toContain("nothing listens there");
    expect(error.again).toBe(true);
  });

  test.each([
    ["ssh://developer@host.example.com", "a Docker host ssh:// of this form"],
    ["npipe:////./pipe/docker_engine", "a Docker host npipe:// of this form"],
    ["fd://", "a Docker host fd:// of this form"],
    ["https://127.0.0.1:2376", "a Docker host https:// of this form"],
    ["unix://relative.sock", "a Docker host unix:// of this form"],
    [`tcp://user:${canary}@127.0.0.1:2375`, "a Docker host tcp:// of this form"],
    ["tcp://", "a Docker host tcp:// of this form"],
    ["/var/run/docker.sock", "a Docker host without ://"],
  ])("%s is refused by name", async (host, message) => {
    const error = await failureOf(read(host));
    expect(error.message).toContain(`${message} is not supported`);
    expect(error.message).not.toContain(canary);
    expect(error.again).toBe(false);
  });
});

describe("TLS", () => {
  test("is spoken with the certificates of DOCKER_CERT_PATH", async () => {
    const { folder, cert, key } = await certificates();
    const server = createHttps(
      { cert, key, ca: cert, requestCert: true, rejectUnauthorized: true },
      engine({ [path]: inspected }),
    );
    vi.stubEnv("DOCKER_CERT_PATH", folder);
    expect(await read(`tcp://127.0.0.1:${await portOf(server)}`)).toMatchObject({ present: true });
  });

  test("refuses a server that another CA vouches for", async () => {
    const { cert, key } = await certificates();
    const server = createHttps({ cert, key }, engine({ [path]: inspected }));
    vi.stubEnv("DOCKER_CERT_PATH", (await certificates()).folder);
    const error = await failureOf(read(`tcp://127.0.0.1:${await portOf(server)}`));
    expect(error.message).toMatch(/the connection failed \(.*(CERT|VERIFY|SIGNATURE)/);
  });

  test("refuses a server without it", async () => {
    vi.stubEnv("DOCKER_CERT_PATH", (await certificates()).folder);
    const port = await portOf(createHttp(engine({ [path]: inspected })));
    const error = await failureOf(read(`tcp://127.0.0.1:${port}`));
    expect(error.message).toContain("it does not speak TLS");
  });

  test("without certificates is refused by name", async () => {
    vi.stubEnv("DOCKER_TLS_VERIFY", "1");
    const error = await failureOf(read("tcp://127.0.0.1:2376"));
    expect(error.message).toContain("DOCKER_TLS_VERIFY is set without DOCKER_CERT_PATH");
  });

  test("with certificates that cannot be read is refused by name", async () => {
    vi.stubEnv("DOCKER_CERT_PATH", await temporaryPath("absent"));
    const error = await failureOf(read("tcp://127.0.0.1:2376"));
    expect(error.message).toContain("no readable ca.pem, cert.pem and key.pem (ENOENT)");
  });
});

describe("the target", () => {
  test.each([
    ["a tag", "registry.example.com/orders-api:v2.0.0"],
    ["no digest", "orders-api"],
    ["a short digest", `orders-api@sha256:${"1f".repeat(31)}1`],
    ["a long digest", `orders-api@${digest}1`],
    ["a digest in capitals", `orders-api@sha256:${"1F".repeat(32)}`],
    ["another algorithm", `orders-api@sha512:${"1f".repeat(32)}`],
    ["a way out of the path", `a/../../containers@${digest}`],
    ["a query", `orders-api?x=1@${digest}`],
    ["a line break behind it", `orders-api@${digest}\n`],
    ["no text", 1],
    ["nothing", undefined],
  ])("refuses %s", (_what, given) => {
    expect(dockerImage.target.safeParse({ image: given }).success).toBe(false);
  });

  test("names the image", () => {
    expect(dockerImage.subject(dockerImage.target.parse({ image }))).toBe(image);
  });
});

async function portOf(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  return String((server.address() as AddressInfo).port);
}

/** A folder as DOCKER_CERT_PATH wants it; one certificate is its own CA, the server's and the client's. */
async function certificates() {
  const { cert, private: key } = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  const folder = await temporaryPath("certificates");
  await mkdir(folder);
  for (const [file, text] of Object.entries({ "ca.pem": cert, "cert.pem": cert, "key.pem": key })) {
    await writeFile(join(folder, file), text);
  }
  return { folder, cert, key };
}
