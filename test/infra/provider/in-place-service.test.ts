import { randomUUID } from "node:crypto";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { inPlaceService } from "../../../infra/provider/in-place-service.ts";
import type { Call } from "../../../infra/provider/resource-type.ts";
import { inPlaceServiceType } from "../../../infra/provider/type-tokens.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, serveTypes, unknownText, type Wire } from "../../support/engine.ts";
import { startTestDocker, type TestDocker, type Version } from "./docker.ts";

const target = { type: inPlaceServiceType, name: "identity" };

function serve(): ReturnType<typeof serveTypes> {
  return serveTypes({ [inPlaceServiceType]: inPlaceService });
}

type Engine = Awaited<ReturnType<typeof serve>>;

/** A host on which version 1.0.0 runs, and an engine. */
async function prepared(more: Wire = {}): Promise<{ docker: TestDocker; engine: Engine }> {
  const docker = await startTestDocker();
  const engine = await serve();
  await engine.create(target, docker.inputs("1.0.0", more));
  return { docker, engine };
}

function update(engine: Engine, docker: TestDocker, to: Version, more: Wire = {}) {
  const olds = { inputs: docker.inputs("1.0.0"), outputs: {} };
  return engine.update(target, olds, docker.inputs(to, more));
}

/** What the engine says with a read. */
const call = { signal: new AbortController().signal } as Call;

async function failureText(operation: Promise<unknown>): Promise<string> {
  return (await failureOf(operation)).message;
}

describe("a service", () => {
  test("is made, healthy, on its port, and says what it is", async () => {
    const docker = await startTestDocker();
    const engine = await serve();
    const { id, outputs } = await engine.create(target, docker.inputs("1.0.0"));

    expect(id).toBe("production:identity");
    expect(outputs).toEqual({
      containerId: docker.named("identity").id,
      imageId: docker.image("1.0.0").replace(/^.*@/, ""),
      startedAt: docker.named("identity").startedAt,
      release: "v1.0.0",
    });
    expect(await docker.answering()).toBe("1.0.0");
  });

  test("is nothing yet in a preview", async () => {
    const docker = await startTestDocker();
    const engine = await serve();
    await engine.create(target, docker.inputs("1.0.0", { image: unknownText }), { preview: true });

    expect(docker.names()).toEqual([]);
  });

  test("is made from all that it was given", async () => {
    const { docker } = await prepared({
      memory: 64,
      memorySwap: -1,
      cpus: "0.5",
      readOnly: true,
      tmpfs: { "/tmp": "size=64m" },
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      logDriver: "json-file",
      logOpts: { "max-size": "10m" },
      volumes: [{ volumeName: "identity-data", containerPath: "/data", readOnly: true }],
      labels: [{ label: "team", value: "identity" }],
      wait: true,
      mustRun: true,
      privileged: false,
    });
    const { settings, labels, volumes, restart } = docker.named("identity");

    expect(settings).toMatchObject({
      Memory: 64 * 1024 * 1024,
      MemorySwap: -1,
      NanoCpus: 5e8,
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "size=64m" },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      LogConfig: { Type: "json-file", Config: { "max-size": "10m" } },
    });
    expect(labels).toMatchObject({ team: "identity", "cutover.release": "v1.0.0" });
    expect(volumes).toEqual([{ name: "identity-data", path: "/data", readOnly: true }]);
    expect(restart).toBe("unless-stopped");
  });

  test("is stopped and removed with what waits beside it", async () => {
    const { docker, engine } = await prepared();
    docker.breakAfter(3);
    await failureOf(update(engine, docker, "1.1.0"));
    docker.breakAfter();
    expect(docker.names()).toEqual(["identity-previous", "identity"]);
    await engine.delete(target, { inputs: docker.inputs("1.0.0"), outputs: {} });

    expect(docker.names()).toEqual([]);
  });

  test.each([
    ["nothing", {}, { changes: false, replaces: [], diffs: [] }],
    ["the image", { image: "other" }, { changes: true, replaces: [], diffs: ["image"] }],
    ["the name", { name: "other" }, { changes: true, replaces: ["name"], diffs: ["name"] }],
    ["the host", { host: "tcp://203.0.113.10:2375" }, { replaces: ["host"], diffs: ["host"] }],
  ])("differs in %s", async (_what, change, expected) => {
    const engine = await serve();
    const docker = await startTestDocker();
    const inputs = docker.inputs("1.0.0");
    const found = await engine.diff(target, { inputs, outputs: {} }, { ...inputs, ...change });

    expect(found).toMatchObject(expected);
  });

  test.each([
    ["no health check", { healthcheck: null }, "healthcheck"],
    ["no wait", { wait: false }, "wait"],
    ["all rights", { privileged: true }, "privileged"],
    ["a host of another form", { host: "http://203.0.113.10" }, "host"],
    ["a password in the host", { host: "ssh://deploy:secret@example.com" }, "host"],
  ])("with %s is refused before anything happens", async (_what, change, property) => {
    const engine = await serve();
    const docker = await startTestDocker();
    const failures = await engine.check(target, { ...docker.inputs("1.0.0"), ...change });

    expect(failures.map((failure) => failure.property)).toEqual([property]);
  });
});

describe("a new release", () => {
  test("takes the place of the old one", async () => {
    const { docker, engine } = await prepared();
    const { outputs } = await update(engine, docker, "1.1.0");

    expect(await docker.answering()).toBe("1.1.0");
    expect(docker.names()).toEqual(["identity"]);
    expect(outputs).toMatchObject({ release: "v1.1.0" });
  });

  test("that is there already is left as it is", async () => {
    const { docker, engine } = await prepared();
    const { id } = docker.named("identity");
    await engine.create(target, docker.inputs("1.0.0"));

    expect(docker.named("identity").id).toBe(id);
    expect(docker.named("identity").restartCount).toBe(0);
  });

  test("whose image cannot be pulled stops nothing", async () => {
    const { docker, engine } = await prepared();
    const { id } = docker.named("identity");
    const image = `registry.example.com/app/identity@sha256:${"0".repeat(64)}`;
    const message = await failureText(update(engine, docker, "1.1.0", { image }));

    expect(message).toContain("identity was not touched: its new image cannot be had");
    expect(message).toContain(`manifest for ${image} not found`);
    expect(docker.named("identity")).toMatchObject({ id, status: "running" });
  });

  test.each<[string, Version, RegExp]>([
    ["is never healthy", "unhealthy", /found: +health (starting|unhealthy) after 1 s/],
    ["ends at once", "crashing", /found: +(the container is exited|health \w+ after 1 s)/],
  ])("that %s gives its place back", async (_what, version, found) => {
    const { docker, engine } = await prepared();
    const { id } = docker.named("identity");
    const message = await failureText(update(engine, docker, version, { waitTimeout: 1 }));

    expect(message).toContain(`identity was not replaced by release v${version}`);
    expect(message).toMatch(found);
    expect(message).toContain(
      "the container of release v1.0.0 runs again under identity and is healthy",
    );
    expect(docker.names()).toEqual(["identity"]);
    expect(docker.named("identity").id).toBe(id);
    expect(await docker.answering()).toBe("1.0.0");
  });

  test("that has nothing before it leaves nothing, and says so", async () => {
    const docker = await startTestDocker();
    const engine = await serve();
    const inputs = docker.inputs("unhealthy", { waitTimeout: 1 });

    expect(await failureText(engine.create(target, inputs))).toContain(
      "none runs under the name identity: there was none before",
    );
    expect(docker.names()).toEqual([]);
  });

  test("tells its last lines without what is secret", async () => {
    const canary = randomUUID();
    const { docker, engine } = await prepared();
    const more = {
      waitTimeout: 1,
      restart: "no",
      command: ["fail", "connecting with", canary],
      envs: ["PORT=8080", `DATABASE_URL=postgres://app:${canary}@db.example.com/app`],
    };
    const message = await failureText(update(engine, docker, "1.1.0", more));

    expect(message).toContain("its last lines:\nconnecting with [DATABASE_URL]");
    expect(message).not.toContain(canary);
  });

  test("is refused where somebody else's container has the name", async () => {
    const { docker, engine } = await prepared();
    const message = await failureText(update(engine, docker, "1.1.0", { stack: "staging" }));

    expect(message).toContain("the container identity is not one that identity of this stack made");
    expect(await docker.answering()).toBe("1.0.0");
  });

  test("goes where a container ended that nobody started again", async () => {
    const { docker, engine } = await prepared();
    await docker.daemon.stop("identity", 1000);
    await engine.create(target, docker.inputs("1.0.0"));

    expect(await docker.answering()).toBe("1.0.0");
  });

  test("of a policy that starts containers with the daemon does not leave two of them", async () => {
    const { docker, engine } = await prepared({ restart: "always" });
    docker.breakAfter(4);
    await failureOf(update(engine, docker, "1.1.0", { restart: "always" }));

    expect(docker.named("identity-previous").restart).toBe("unless-stopped");
  });
});

describe("an update that is cut off", () => {
  // Stop, rename, create, start, and two to remove what was set aside.
  const changes = [0, 1, 2, 3, 4, 5, 6];

  test.each(changes)("after %i changes is finished by the next one", async (count) => {
    const { docker, engine } = await prepared();
    docker.breakAfter(count);
    await update(engine, docker, "1.1.0").catch(() => undefined);
    expect(docker.running().length).toBeLessThanOrEqual(1);
    docker.breakAfter();
    await update(engine, docker, "1.1.0");

    expect(docker.names()).toEqual(["identity"]);
    expect(await docker.answering()).toBe("1.1.0");
  });

  test.each(changes)("after %i changes is undone by going back", async (count) => {
    const { docker, engine } = await prepared();
    docker.breakAfter(count);
    await update(engine, docker, "1.1.0").catch(() => undefined);
    docker.breakAfter();
    await engine.create(target, docker.inputs("1.0.0"));

    expect(docker.names()).toEqual(["identity"]);
    expect(await docker.answering()).toBe("1.0.0");
  });

  test("takes no more changes than these", async () => {
    const { docker, engine } = await prepared();
    docker.breakAfter();
    await update(engine, docker, "1.1.0");

    expect(docker.changes()).toBe(changes.at(-1));
  });

  test("by the engine says where things are", async () => {
    const { docker, engine } = await prepared();
    const updating = failureText(update(engine, docker, "unhealthy", { waitTimeout: 60 }));
    await eventually(() => {
      expect(docker.running()).toEqual(["identity"]);
      expect(docker.names()).toContain("identity-previous");
    });
    await engine.cancel();

    expect(await updating).toContain(
      "what ran before it may be stopped as identity-previous. To do: run pulumi up again",
    );
    await update(engine, docker, "1.1.0");
    expect(docker.names()).toEqual(["identity"]);
    expect(await docker.answering()).toBe("1.1.0");
  });

  test("and that cannot be put back says that nothing runs", async () => {
    const { docker, engine } = await prepared();
    docker.breakAfter(2);
    const message = await failureText(update(engine, docker, "1.1.0"));

    expect(message).toContain(
      "the container of release v1.0.0 is not back as it was: the host broke",
    );
    expect(docker.running()).toEqual([]);
  });
});

describe("a refresh", () => {
  function read(docker: TestDocker) {
    return inPlaceService.read?.("id", { inputs: docker.inputs("1.0.0"), outputs: {} }, call);
  }

  test("finds what was declared", async () => {
    const { docker } = await prepared();

    expect(await read(docker)).toMatchObject({ inputs: docker.inputs("1.0.0") });
  });

  test("finds another image", async () => {
    const { docker, engine } = await prepared();
    await update(engine, docker, "1.1.0");

    expect(await read(docker)).toMatchObject({ inputs: { image: docker.image("1.1.0") } });
  });

  test.each<[string, (docker: TestDocker) => Promise<unknown>]>([
    ["one that was removed", ({ daemon }) => daemon.remove("identity", 0)],
    ["one that was stopped", ({ daemon }) => daemon.stop("identity", 0)],
  ])("misses %s", async (_what, change) => {
    const { docker } = await prepared();
    await change(docker);

    expect(await read(docker)).toBeUndefined();
  });

  test("of a host that cannot be reached says so", async () => {
    const { docker } = await prepared();
    const inputs = docker.inputs("1.0.0", { host: "unix:///nowhere/docker.sock" });
    const reading = inPlaceService.read?.("id", { inputs, outputs: {} }, call);

    await expect(reading).rejects.toThrow(
      "the container host unix:///nowhere/docker.sock cannot be asked: there is no such socket",
    );
  });
});

test("without a host the one in DOCKER_HOST is asked", async () => {
  const docker = await startTestDocker();
  vi.stubEnv("DOCKER_HOST", docker.host);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const engine = await serve();
  await engine.create(target, docker.inputs("1.0.0", { host: null }));

  expect(await docker.answering()).toBe("1.0.0");
});
