import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { job } from "../../../infra/provider/job.ts";
import { jobType } from "../../../infra/provider/type-tokens.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, serveTypes, unknownText, type Wire } from "../../support/engine.ts";
import { startTestDocker, type TestDocker } from "./docker.ts";

const target = { type: jobType, name: "backfill" };
const container = "production-backfill-v1.0.0";

async function prepared(): Promise<{
  docker: TestDocker;
  engine: Awaited<ReturnType<typeof serveTypes>>;
  inputs: (command: readonly string[], more?: Wire) => Wire;
}> {
  const docker = await startTestDocker();
  const engine = await serveTypes({ [jobType]: job });
  const inputs = (command: readonly string[], more: Wire = {}): Wire => ({
    stack: "production",
    release: "v1.0.0",
    name: "backfill",
    image: docker.image("1.0.0"),
    command,
    envs: [],
    host: docker.host,
    deadlineSeconds: 30,
    ...more,
  });
  return { docker, engine, inputs };
}

async function failureText(operation: Promise<unknown>): Promise<string> {
  return (await failureOf(operation)).message;
}

describe("a job that exits with 0", () => {
  test("says when it ran, and stays", async () => {
    const { docker, engine, inputs } = await prepared();
    const { id, outputs } = await engine.create(target, inputs(["sleep", "0"]));
    const { startedAt, finishedAt } = docker.named(container);

    expect(id).toBe("production:backfill");
    expect(outputs).toEqual({ exitCode: 0, startedAt, finishedAt, release: "v1.0.0", logs: "" });
    expect(docker.named(container).settings).toMatchObject({
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
    });
  });

  test("is not run again for its release", async () => {
    const { docker, engine, inputs } = await prepared();
    const first = await engine.create(target, inputs(["sleep", "0"]));
    const second = await engine.create(target, inputs(["fail"]));

    expect(second.outputs).toEqual(first.outputs);
    expect(docker.names()).toEqual([container]);
    expect(engine.heard.map(({ text }) => text)).toContain(
      "job backfill of release v1.0.0 has exited with 0 already: not run again",
    );
  });

  test("is run for the next release, and not again when going back", async () => {
    const { docker, engine, inputs } = await prepared();
    const olds = { inputs: inputs(["sleep", "0"]), outputs: {} };
    const first = await engine.create(target, olds.inputs);
    const next = await engine.update(target, olds, inputs(["sleep", "0"], { release: "v1.1.0" }));
    const back = await engine.update(target, olds, olds.inputs);

    expect(next.outputs["release"]).toBe("v1.1.0");
    expect(back.outputs).toEqual(first.outputs);
    expect(docker.names()).toEqual([container, "production-backfill-v1.1.0"]);
  });

  test("is nothing yet in a preview", async () => {
    const { docker, engine, inputs } = await prepared();
    const unknown = inputs(["sleep", "0"], { image: unknownText });
    await engine.create(target, unknown, { preview: true });

    expect(docker.names()).toEqual([]);
  });

  test("is removed with all its releases, and no other job's", async () => {
    const { docker, engine, inputs } = await prepared();
    const olds = { inputs: inputs(["sleep", "0"]), outputs: {} };
    await engine.create(target, olds.inputs);
    await engine.create(target, inputs(["sleep", "0"], { release: "v1.1.0" }));
    await engine.create(target, inputs(["sleep", "0"], { stack: "staging" }));
    await engine.delete(target, olds);

    expect(docker.names()).toEqual(["staging-backfill-v1.0.0"]);
  });
});

describe("a job that fails", () => {
  test("tells its last lines without what is secret, and is run anew", async () => {
    const canary = randomUUID();
    const { docker, engine, inputs } = await prepared();
    const lines = Array.from({ length: 25 }, (_, index) => `line ${index}.\n`);
    const command = ["fail", ...lines, `no entry with ${canary}`];
    const failing = inputs(command, { envs: [`DATABASE_PASSWORD=${canary}`] });
    const message = await failureText(engine.create(target, failing));
    const { id } = docker.named(container);

    expect(message).toContain("job backfill of release v1.0.0 failed.\nfound:    exit code 3");
    expect(message).toContain("no entry with [DATABASE_PASSWORD]");
    expect(message).not.toContain(canary);
    expect(message).not.toContain("line 5.");
    expect(message).toContain("line 6.");
    await engine.create(target, inputs(["sleep", "0"]));
    expect(docker.names()).toEqual([container]);
    expect(docker.named(container).id).not.toBe(id);
  });

  test("at its deadline is stopped, and does not count as done", async () => {
    const { docker, engine, inputs } = await prepared();
    const message = await failureText(
      engine.create(target, inputs(["sleep", "60"], { deadlineSeconds: 0.5 })),
    );

    expect(message).toContain("it was still running after 0.5 s, and was stopped");
    expect(docker.names()).toEqual([]);
  });

  test.each([
    ["has no such image", { image: "registry.example.com/none:1" }, /manifest for .* not found/],
    ["has no such network", { networks: ["absent"] }, /network absent not found/],
    ["has no host", { host: "tcp://127.0.0.1:1" }, /cannot be asked: nothing listens there/],
  ])("because it %s says so", async (_what, more, reason) => {
    const { engine, inputs } = await prepared();

    expect(await failureText(engine.create(target, inputs(["sleep", "0"], more)))).toMatch(reason);
  });

  test("because somebody else's container has its name says so", async () => {
    const { docker, engine, inputs } = await prepared();
    await engine.create(target, inputs(["sleep", "0"]));
    docker.daemon.rename(container, "production-backfill-v2.0.0");

    expect(
      await failureText(engine.create(target, inputs(["sleep", "0"], { release: "v2.0.0" }))),
    ).toContain("the container production-backfill-v2.0.0 is not one that this job made");
  });
});

describe("a job that was cut off", () => {
  test("is waited for again, not started twice", async () => {
    const { docker, engine, inputs } = await prepared();
    const running = inputs(["sleep", "1"]);
    const cut = failureText(engine.create(target, running));
    await eventually(() => {
      expect(docker.running()).toEqual([container]);
    });
    await engine.cancel();
    await cut;
    const { id, startedAt } = docker.named(container);
    const { outputs } = await engine.create(target, running);

    expect(outputs).toMatchObject({ exitCode: 0, startedAt });
    expect(docker.named(container).id).toBe(id);
  });

  test("before it was started is started", async () => {
    const { docker, engine, inputs } = await prepared();
    docker.breakAfter(1);
    await failureOf(engine.create(target, inputs(["sleep", "0"])));
    expect(docker.named(container).status).toBe("created");
    docker.breakAfter();

    expect((await engine.create(target, inputs(["sleep", "0"]))).outputs["exitCode"]).toBe(0);
    expect(docker.names()).toEqual([container]);
  });

  test("while it was stopped at its deadline does not count, and is run anew", async () => {
    const { docker, engine, inputs } = await prepared();
    // Create, start and rename; then nothing stops it any more.
    docker.breakAfter(3);
    const late = inputs(["sleep", "2"], { deadlineSeconds: 0.3 });
    await failureOf(engine.create(target, late));
    docker.breakAfter();
    expect(docker.names()).toEqual([expect.stringMatching(`^${container}-late-`)]);
    await engine.create(target, inputs(["sleep", "0"]));

    expect(docker.names()).toEqual([container]);
  });
});

test.each([
  ["the release", { release: "v1.1.0" }, { replaces: [], diffs: ["release"] }],
  ["the name", { name: "purge" }, { replaces: ["name"], diffs: ["name"] }],
  ["the stack", { stack: "staging" }, { replaces: ["stack"], diffs: ["stack"] }],
])("a change of %s is told", async (_what, change, expected) => {
  const { engine, inputs } = await prepared();
  const olds = { inputs: inputs(["sleep", "0"]), outputs: {} };

  expect(await engine.diff(target, olds, { ...olds.inputs, ...change })).toMatchObject(expected);
});

test.each([
  ["no command", { command: [] }, "command"],
  ["no deadline", { deadlineSeconds: 0 }, "deadlineSeconds"],
  ["a variable without a value", { envs: ["NAME"] }, "envs.0"],
])("a job with %s is refused before anything happens", async (_what, change, property) => {
  const { engine, inputs } = await prepared();
  const failures = await engine.check(target, { ...inputs(["sleep", "0"]), ...change });

  expect(failures.map((failure) => failure.property)).toEqual([property]);
});
