import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { pullImage } from "../../../infra/provider/container-calls.ts";
import { openContainerHost } from "../../../infra/provider/container-host.ts";
import { registryAuth } from "../../../infra/provider/registry-auth.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const image = "registry.example.com/app@sha256:00";
const login = { username: "ci", password: "se:cret", serveraddress: "registry.example.com" };

/** Writes Docker's configuration. */
async function configure(config: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-login-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const text = typeof config === "string" ? config : JSON.stringify(config);
  await writeFile(join(folder, "config.json"), text);
  vi.stubEnv("DOCKER_CONFIG", folder);
  return folder;
}

async function helper(script: string): Promise<void> {
  const folder = await configure({ credHelpers: { "registry.example.com": "test" } });
  const file = join(folder, "docker-credential-test");
  await writeFile(file, `#!${process.execPath}\n${script}`);
  await chmod(file, 0o755);
  vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"] ?? ""}`);
}

const auth = Buffer.from("ci:se:cret").toString("base64");

test("what docker login has left is found", async () => {
  await configure({ auths: { "registry.example.com": { auth } } });

  expect(await registryAuth(image)).toEqual(login);
});

test.each(["app", "library/app:1", "docker.io/library/app"])(
  "%s is of Docker Hub",
  async (name) => {
    const serveraddress = "https://index.docker.io/v1/";
    await configure({ auths: { [serveraddress]: { auth } } });

    expect(await registryAuth(name)).toEqual({ ...login, serveraddress });
  },
);

test.each([
  ["another registry", { auths: { "other.example.com": { auth } } }],
  ["a registry without a login", { auths: { "registry.example.com": {} } }],
  ["no registry", {}],
])("a configuration with %s has nothing", async (_what, config) => {
  await configure(config);

  expect(await registryAuth(image)).toBeUndefined();
});

test("without a configuration there is nothing", async () => {
  vi.stubEnv("DOCKER_CONFIG", "/nowhere");

  expect(await registryAuth(image)).toBeUndefined();
});

test("a configuration that is none is refused without what is in it", async () => {
  await configure('{"auths": canary');

  await expect(registryAuth(image)).rejects.toThrow(/config\.json cannot be used(?!.*canary)/);
});

test("the program that the configuration names is asked", async () => {
  await helper(`
    process.stdin.on("data", (asked) => {
      console.log(JSON.stringify({ ServerURL: String(asked), Username: "ci", Secret: "se:cret" }));
    });
  `);

  expect(await registryAuth(image)).toEqual(login);
});

test("a program that has nothing is no failure", async () => {
  await helper('console.log("credentials not found in native keychain"); process.exitCode = 1;');

  expect(await registryAuth(image)).toBeUndefined();
});

test("a program that fails is named, without what it says", async () => {
  await helper('console.log("canary"); process.exitCode = 1;');

  await expect(registryAuth(image)).rejects.toThrow(
    /^docker-credential-test, .* did not answer for registry\.example\.com\. To do: docker login/,
  );
});

test("an image is pulled as who is logged in", async () => {
  await configure({ auths: { "registry.example.com": { auth } } });
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    const header = request.headers["x-registry-auth"];
    if (typeof header === "string") {
      asked.push(JSON.parse(Buffer.from(header, "base64url").toString()), request.url);
    }
    response.writeHead(request.method === "GET" ? 404 : 200);
    response.end(request.method === "GET" ? '{"message":"none"}' : '{"error":"denied"}\n');
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pulling = pullImage(await openContainerHost(host), image, new AbortController().signal);

  // What fails on the way of a pull is told in its stream.
  await expect(pulling).rejects.toThrow("denied");
  expect(asked).toEqual([login, expect.not.stringContaining("cret")]);
});
