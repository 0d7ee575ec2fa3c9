import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { dockerContainer } from "../../../../infra/readings/docker/docker-container.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { engine, listen } from "./engine.ts";

const canary = `canary-${randomUUID()}`;
const image = `registry.example.com/orders-api@sha256:${"1f".repeat(32)}`;

/** As a Docker Engine answers it; what no reading looks at is shortened. */
const inspected = {
  Id: "7c".repeat(32),
  Created: "2026-11-20T10:11:12.175832174Z",
  Path: "node",
  Args: ["main.js", `--token=${canary}`],
  State: {
    Status: "running",
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 4242,
    ExitCode: 0,
    Error: "",
    StartedAt: "2026-11-20T10:11:13.133000386Z",
    FinishedAt: "0001-01-01T00:00:00Z",
    Health: {
      Status: "healthy",
      FailingStreak: 0,
      Log: [
        {
          Start: "2026-11-20T10:12:13.133000386Z",
          End: "2026-11-20T10:12:13.233000386Z",
          ExitCode: 0,
          Output: canary,
        },
      ],
    },
  },
  Image: `sha256:${"2e".repeat(32)}`,
  ResolvConfPath: "/var/lib/docker/containers/7c/resolv.conf",
  LogPath: "/var/lib/docker/containers/7c/7c-json.log",
  Name: "/flagship-green-api",
  RestartCount: 2,
  Driver: "overlay2",
  Platform: "linux",
  MountLabel: "",
  ProcessLabel: "",
  AppArmorProfile: "docker-default",
  ExecIDs: null,
  HostConfig: {
    Binds: null,
    NetworkMode: "bridge",
    RestartPolicy: { Name: "unless-stopped", MaximumRetryCount: 0 },
    Privileged: false,
    ReadonlyRootfs: true,
    Memory: 268435456,
  },
  Mounts: [],
  Config: {
    Hostname: "7c7c7c7c7c7c",
    User: "node",
    Env: [`DATABASE_PASSWORD=${canary}`],
    Cmd: ["main.js", `--token=${canary}`],
    Image: image,
    Labels: {},
  },
  NetworkSettings: { Networks: {} },
};

type Change = Record<string, unknown>;

function read(host: string) {
  const target = dockerContainer.target.parse({ container: "flagship-green-api", host });
  return readFacts(dockerContainer, target, contextOf());
}

async function readChanged(state: Change = {}, more: Change = {}, hostConfig: Change = {}) {
  const object = {
    ...inspected,
    ...more,
    State: { ...inspected.State, ...state },
    HostConfig: { ...inspected.HostConfig, ...hostConfig },
  };
  return read(await listen(engine({ "/containers/flagship-green-api/json": object })));
}

const running = {
  exists: true,
  running: true,
  health: "healthy",
  imageId: inspected.Image,
  image,
  restartCount: 2,
  startedAt: "2026-11-20T10:11:13.133Z",
  exitCode: null,
  oomKilled: false,
  privileged: false,
  readonlyRootfs: true,
};

const absent = {
  ...Object.fromEntries(Object.keys(running).map((name) => [name, null])),
  exists: false,
  running: false,
};

describe("a container", () => {
  test("that runs is read without its environment, arguments and logs", async () => {
    const facts = await readChanged();
    expect(facts).toEqual(running);
    expect(JSON.stringify(facts)).not.toContain(canary);
  });

  test("that does not exist says so", async () => {
    expect(await read(await listen(engine({})))).toEqual(absent);
  });

  test("whose ID begins like the name is another", async () => {
    expect(await readChanged({}, { Name: "/legacy" })).toEqual(absent);
  });

  test.each([
    ["created", { Status: "created", Running: false, StartedAt: "0001-01-01T00:00:00Z" }],
    ["paused", { Status: "paused", Running: true, Paused: true }],
    ["restarting", { Status: "restarting", Running: true, Restarting: true }],
    ["exited", { Status: "exited", Running: false }],
    ["dead", { Status: "dead", Running: false, Dead: true }],
  ])("that is %s does not run", async (_what, state) => {
    expect(await readChanged(state)).toMatchObject({ exists: true, running: false, exitCode: 0 });
  });

  test("that never started has no time of it", async () => {
    expect(
      await readChanged({ Status: "created", StartedAt: "0001-01-01T00:00:00Z" }),
    ).toMatchObject({ startedAt: null });
  });

  test("that was killed for lack of memory says so", async () => {
    expect(
      await readChanged({ Status: "exited", Running: false, ExitCode: 137, OOMKilled: true }),
    ).toMatchObject({ running: false, exitCode: 137, oomKilled: true });
  });

  test.each([
    ["healthy", { Status: "healthy" }, "healthy"],
    ["unhealthy", { Status: "unhealthy" }, "unhealthy"],
    ["starting", { Status: "starting" }, "starting"],
    ["none in words", { Status: "none" }, "none"],
    ["an empty word", { Status: "" }, "none"],
    ["null", null, "none"],
    ["absent, as without a check", undefined, "none"],
  ])("health: %s", async (_what, Health, health) => {
    expect(await readChanged({ Health })).toMatchObject({ health });
  });

  test("privileges are told", async () => {
    expect(await readChanged({}, {}, { Privileged: true, ReadonlyRootfs: false })).toMatchObject({
      privileged: true,
      readonlyRootfs: false,
    });
  });
});

describe("an answer of another shape is refused", () => {
  test.each([
    ["an unknown health", { Health: { Status: "splendid" } }, {}, {}, "State.Health.Status"],
    ["no word of privileges", {}, {}, { Privileged: undefined }, "HostConfig.Privileged"],
    ["privileges as a text", {}, {}, { Privileged: "false" }, "HostConfig.Privileged"],
    ["fewer than no restarts", {}, { RestartCount: -1 }, {}, "RestartCount"],
    ["half a restart", {}, { RestartCount: 0.5 }, {}, "RestartCount"],
    ["no status", { Status: undefined }, {}, {}, "State.Status"],
    ["no name", {}, { Name: undefined }, {}, "Name"],
    ["an exit code as a text", { ExitCode: canary }, {}, {}, "State.ExitCode"],
  ])("%s", async (_what, state, more, hostConfig, place) => {
    const error = await failureOf(readChanged(state, more, hostConfig));
    expect(error.message).toContain(`another shape than the Engine API, see ${place}`);
    expect(error.message).not.toContain(canary);
  });
});

describe("the target", () => {
  test.each([
    ["a slash", "/flagship"],
    ["a way out of the path", ".."],
    ["a query", "a?b"],
    ["an empty name", ""],
    ["a line break", "flagship\n"],
    ["nothing", undefined],
  ])("refuses %s", (_what, container) => {
    expect(dockerContainer.target.safeParse({ container }).success).toBe(false);
  });

  test("names the container", () => {
    expect(dockerContainer.subject({ container: "flagship-green-api" })).toBe("flagship-green-api");
  });
});
