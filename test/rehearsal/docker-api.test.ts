import { request } from "node:http";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";
import type Dockerode from "dockerode";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createContainer } from "../../infra/provider/container-calls.ts";
import { openContainerHost, reasonOf, statusOf } from "../../infra/provider/container-host.ts";
import { dockerContainer } from "../../infra/readings/docker/docker-container.ts";
import { dockerImage } from "../../infra/readings/docker/docker-image.ts";
import { openRegistry } from "../../rehearsal/registry/registry.ts";
import { startDaemon } from "../../rehearsal/stand-ins/containers.ts";
import { startDockerApi } from "../../rehearsal/stand-ins/docker-api.ts";
import { openStore } from "../../rehearsal/stand-ins/store.ts";
import { startTestDocker, type TestDocker } from "../infra/provider/docker.ts";
import { contextOf, readFacts } from "../infra/readings/context.ts";

let host: TestDocker;
let docker: Dockerode;

beforeEach(async () => {
  host = await startTestDocker();
  docker = await openContainerHost(host.host);
});

const health = { Test: ["CMD", "curl", "-f", "http://127.0.0.1:8080/healthz"], Interval: 1e8 };

/** Makes a container; the image must have been pulled. */
async function create(more: object = {}): Promise<Dockerode.Container> {
  const id = await createContainer(
    docker,
    "web",
    { Image: host.image("1.0.0"), Labels: {}, Env: ["PORT=8080"], Healthcheck: health, ...more },
    new AbortController().signal,
  );
  return docker.getContainer(id);
}

async function pull(): Promise<unknown[]> {
  const stream = await docker.pull(host.image("1.0.0"));
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, told: unknown[]) => {
      if (error === null) resolve(told);
      else reject(error);
    });
  });
}

/** Status and words of a refusal. */
async function refusal(asked: Promise<unknown>): Promise<[number | undefined, string]> {
  return asked.then(
    () => [undefined, "it was not refused"],
    (error: unknown) => [statusOf(error), reasonOf(host.host, error)],
  );
}

/** What a plain client is answered. */
async function ask(path: string, method = "GET"): Promise<{ status: number; body: string }> {
  const socketPath = host.host.slice("unix://".length);
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, method, agent: false }, (answer) => {
      let body = "";
      answer.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, body });
      });
    });
    asking.on("error", reject);
    asking.end();
  });
}

describe("the engine", () => {
  test("says who it is, and serves its owner only", async () => {
    expect(await ask("/_ping")).toEqual({ status: 200, body: "OK" });
    expect(await ask("/_ping", "HEAD")).toEqual({ status: 200, body: "" });
    expect(await docker.version()).toMatchObject({ Version: "28.2.2", ApiVersion: "1.50" });
    expect((await stat(host.host.slice("unix://".length))).mode & 0o777).toBe(0o600);
  });

  test("counts what it has", async () => {
    await pull();
    await create();

    expect(await docker.info()).toMatchObject({
      Containers: 1,
      ContainersRunning: 0,
      ContainersStopped: 1,
      Images: 1,
    });
  });

  test.each([
    ["1.51", "client version 1.51 is too new. Maximum supported API version is 1.50"],
    ["1.23", "client version 1.23 is too old. Minimum supported API version is 1.24"],
  ])("refuses API %s", async (version, words) => {
    const { status, body } = await ask(`/v${version}/info`);

    expect(status).toBe(400);
    expect(body).toContain(words);
  });

  test.each(["1.50", "1.24"])("speaks API %s", async (version) => {
    expect((await ask(`/v${version}/info`)).status).toBe(200);
  });

  test.each([
    ["GET", "/v1.44/swarm"],
    ["POST", "/v1.44/build"],
    ["POST", "/v1.44/containers/web/pause"],
    ["GET", "/"],
  ])("refuses %s %s by name", async (method, path) => {
    const { status, body } = await ask(path, method);

    expect(status).toBe(501);
    expect(body).toContain(
      `the rehearsal does not imitate ${method} ${path.replace("/v1.44", "")}`,
    );
  });

  test("starts again where one was killed, and not where its path is too long", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cutover-api-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const daemon = await startDaemon(openStore(folder), openRegistry());
    const first = await startDockerApi(daemon, folder);
    const second = await startDockerApi(daemon, folder);
    await first.close();
    await second.close();
    const long = join(folder, "x".repeat(100));
    await mkdir(long);

    await expect(startDockerApi(daemon, long)).rejects.toThrow(/is too long for a socket/);
  });
});

describe("an image", () => {
  const unknown = `registry.example.com/none@sha256:${"0".repeat(64)}`;

  test("is pulled by digest and by tag, once", async () => {
    expect((await pull()).at(-1)).toEqual({
      status: `Status: Downloaded newer image for ${host.image("1.0.0")}`,
    });
    expect((await pull()).at(-1)).toMatchObject({ status: /Image is up to date/ });
    expect(await docker.listImages()).toHaveLength(1);
  });

  test("that nobody pushed is refused", async () => {
    expect(await refusal(docker.pull(unknown))).toEqual([
      404,
      `manifest for ${unknown} not found: manifest unknown: manifest unknown`,
    ]);
  });

  test("is needed before a container can be made from it", async () => {
    expect(await refusal(create())).toEqual([404, `No such image: ${host.image("1.0.0")}`]);
  });

  test("is read by the reading of images", async () => {
    const target = dockerImage.target.parse({ image: host.image("1.0.0"), host: host.host });
    const read = () => readFacts(dockerImage, target, contextOf());
    expect(await read()).toMatchObject({ present: false, digestMatches: false });
    await pull();

    expect(await read()).toMatchObject({
      present: true,
      digestMatches: true,
      id: host.image("1.0.0").replace(/^.*@/, ""),
      os: "linux",
    });
  });
});

describe("a container", () => {
  beforeEach(pull);

  test("goes from made to running to ended to gone", async () => {
    const container = await create();
    const state = async () => (await container.inspect()).State;
    expect(await state()).toMatchObject({ Status: "created", Health: { Status: "starting" } });
    await container.start();
    await expect.poll(state).toMatchObject({ Status: "running", Health: { Status: "healthy" } });
    const waited = container.wait() as Promise<unknown>;
    await container.stop({ t: 5 });
    expect(await waited).toEqual({ StatusCode: 0 });
    expect(await state()).toMatchObject({ Status: "exited", Running: false, ExitCode: 0 });
    await container.remove();

    expect(await refusal(container.inspect())).toEqual([404, `No such container: ${container.id}`]);
  });

  test("is read by the reading of containers", async () => {
    const target = dockerContainer.target.parse({ container: "web", host: host.host });
    const read = () => readFacts(dockerContainer, target, contextOf());
    expect(await read()).toMatchObject({ exists: false });
    const container = await create({ HostConfig: { ReadonlyRootfs: true } });
    await container.start();

    await expect.poll(read).toMatchObject({
      exists: true,
      running: true,
      health: "healthy",
      image: host.image("1.0.0"),
      restartCount: 0,
      exitCode: null,
      privileged: false,
      readonlyRootfs: true,
    });
  });

  test("that runs is neither started again nor removed without force", async () => {
    const container = await create();
    await container.start();

    expect((await refusal(container.start()))[0]).toBe(304);
    expect(await refusal(container.remove())).toEqual([
      409,
      'cannot remove container "/web": container is running: ' +
        "stop the container before removing or force remove",
    ]);
    await container.remove({ force: true });
    expect(host.names()).toEqual([]);
  });

  test("that does not run is neither stopped nor killed", async () => {
    const container = await create();

    expect((await refusal(container.stop()))[0]).toBe(304);
    expect((await refusal(container.kill()))[1]).toContain("is not running");
  });

  test("that is killed is not started again", async () => {
    const container = await create({ HostConfig: { RestartPolicy: { Name: "always" } } });
    await container.start();
    await container.kill();

    expect(await container.wait()).toEqual({ StatusCode: 137 });
  });

  test("keeps its name from others, and can get another", async () => {
    const container = await create();
    expect(await refusal(create())).toEqual([
      409,
      expect.stringContaining('Conflict. The container name "/web" is already in use'),
    ]);
    await container.rename({ name: "web-previous" });
    const second = await create();

    expect((await container.inspect()).Name).toBe("/web-previous");
    expect((await refusal(second.rename({ name: "web-previous" })))[1]).toContain(
      'Error when allocating new name: Conflict. The container name "/web-previous"',
    );
  });

  test("tells what it has written, the end of it first", async () => {
    const container = await create({ Cmd: ["fail", "one\ntwo\nthree"], Healthcheck: undefined });
    await container.start();
    await container.wait();
    const logs = async (more: object) => {
      const bytes = await container.logs({ stdout: true, stderr: true, follow: false, ...more });
      return bytes.subarray(8).toString();
    };

    expect(await logs({})).toBe("one\ntwo\nthree\n");
    expect(await logs({ tail: 2 })).toBe("two\nthree\n");
    expect((await refusal(logs({ stdout: false, stderr: false })))[0]).toBe(400);
    expect((await refusal(logs({ timestamps: true })))[0]).toBe(501);
  });

  test.each([
    ["all of them", { all: true }, ["web"]],
    ["those that run", {}, []],
    ["by a label", { all: true, filters: { label: ["tier=front"] } }, ["web"]],
    ["by a label's name", { all: true, filters: { label: ["tier"] } }, ["web"]],
    ["by another label", { all: true, filters: { label: ["tier=back"] } }, []],
    ["by two labels", { all: true, filters: { label: ["tier=front", "none"] } }, []],
    ["by name", { all: true, filters: { name: ["w"] } }, ["web"]],
    ["by state", { filters: { status: ["created"] } }, ["web"]],
  ])("is listed: %s", async (_what, options, names) => {
    await create({ Labels: { tier: "front" } });
    const found = await docker.listContainers(options);

    expect(found.flatMap(({ Names }) => Names)).toEqual(names.map((name) => `/${name}`));
  });

  test("changes how it is restarted", async () => {
    const container = await create();
    await container.update({ RestartPolicy: { Name: "always" } });

    expect(host.named("web").restart).toBe("always");
    expect((await refusal(container.update({ Memory: 1 })))[0]).toBe(501);
  });

  test("has volumes that outlive it", async () => {
    const container = await create({ HostConfig: { Binds: ["web-data:/data:ro"] } });
    await container.remove();

    expect(host.daemon.volumes.get("web-data")).toBeDefined();
  });

  test.each([
    ["all rights", { HostConfig: { Privileged: true } }, "HostConfig.Privileged"],
    ["a shell", { Healthcheck: { Test: ["CMD-SHELL", "test -f /x"] } }, "no shell"],
    ["an entry point", { Entrypoint: ["sh"] }, "Entrypoint"],
    ["a folder of the host", { HostConfig: { Binds: ["/etc:/etc"] } }, "a folder of the host"],
    [
      "a port on every address",
      { HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "80" }] } } },
      "a port on every address",
    ],
  ])("with %s is refused by name", async (_what, more, words) => {
    const [status, message] = await refusal(create(more));

    expect(status).toBe(501);
    expect(message).toContain(words);
  });

  test("with what clients send without asking for it is made", async () => {
    await create({ Tty: false, OpenStdin: false, Entrypoint: null, HostConfig: { Ulimits: [] } });

    expect(host.names()).toEqual(["web"]);
  });

  test.each([
    ["without a name", "", 501],
    ["with a name of one letter", "w", 400],
    ["with a name that is a path", "../web", 400],
  ])("%s is refused", async (_what, name, status) => {
    const body = { Image: host.image("1.0.0"), Labels: {} };
    const making = createContainer(docker, name, body, new AbortController().signal);

    expect((await refusal(making))[0]).toBe(status);
  });

  test("in a network that is not there is refused", async () => {
    expect(await refusal(create({ HostConfig: { NetworkMode: "absent" } }))).toEqual([
      404,
      "network absent not found",
    ]);
  });
});
