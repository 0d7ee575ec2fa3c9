import { expect, test } from "vitest";
import { containerState } from "../../../infra/provider/container-state.ts";
import { inPlaceService } from "../../../infra/provider/in-place-service.ts";
import type { Call } from "../../../infra/provider/resource-type.ts";
import { containerStateType, inPlaceServiceType } from "../../../infra/provider/type-tokens.ts";
import { failureOf, serveTypes, type Wire } from "../../support/engine.ts";
import { startTestDocker, type TestDocker } from "./docker.ts";

const target = { type: containerStateType, name: "legacy" };
const call = { signal: new AbortController().signal } as Call;

/** A host on which a container runs that is not the resource's own. */
async function prepared(more: Wire = {}): Promise<{
  docker: TestDocker;
  engine: Awaited<ReturnType<typeof serveTypes>>;
  inputs: (state: string, more?: Wire) => Wire;
}> {
  const docker = await startTestDocker();
  const engine = await serveTypes({
    [containerStateType]: containerState,
    [inPlaceServiceType]: inPlaceService,
  });
  await engine.create({ type: inPlaceServiceType }, docker.inputs("1.0.0", more));
  const inputs = (state: string, changes: Wire = {}): Wire => ({
    container: "identity",
    host: docker.host,
    state,
    graceSeconds: 5,
    ...changes,
  });
  return { docker, engine, inputs };
}

test("a container is stopped, and started again until it is healthy", async () => {
  const { docker, engine, inputs } = await prepared();
  const { id } = docker.named("identity");
  const stopped = { inputs: inputs("stopped"), outputs: {} };
  await engine.create(target, stopped.inputs);
  expect(docker.running()).toEqual([]);
  const { outputs } = await engine.update(target, stopped, inputs("running"));

  expect(outputs["containerId"]).toBe(id);
  expect(await docker.answering()).toBe("1.0.0");
});

test.each(["running", "stopped"])("a container that is %s already stays so", async (state) => {
  const { docker, engine, inputs } = await prepared();
  await engine.create(target, inputs(state));
  const { startedAt } = docker.named("identity");
  await engine.create(target, inputs(state));

  expect(docker.running()).toEqual(state === "running" ? ["identity"] : []);
  expect(docker.named("identity").startedAt).toBe(startedAt);
});

test("a container that the daemon would start again stays stopped", async () => {
  const { docker, engine, inputs } = await prepared({ restart: "always" });
  await engine.create(target, inputs("stopped"));

  expect(docker.named("identity").restart).toBe("unless-stopped");
});

test.each(["running", "stopped"])("a container that is not there is not %s", async (state) => {
  const { engine, inputs } = await prepared();
  const { message } = await failureOf(engine.create(target, inputs(state, { container: "other" })));

  expect(message).toContain("the container other cannot be");
  expect(message).toContain(`required: one that is to be ${state}`);
});

test("a container that ends when it is started is not well", async () => {
  const { docker, engine, inputs } = await prepared();
  docker.daemon.pull(docker.image("crashing"));
  const { name, ...spec } = docker.named("identity");
  docker.daemon.create({ ...spec, name: `${name}-2`, ports: [], image: docker.image("crashing") });
  const given = inputs("running", { container: "identity-2", healthSeconds: 0.5 });
  const { message } = await failureOf(engine.create(target, given));

  expect(message).toContain("the container identity-2 was started and is not well");
});

test("a preview and a removal change nothing", async () => {
  const { docker, engine, inputs } = await prepared();
  await engine.create(target, inputs("stopped"), { preview: true });
  await engine.delete(target, { inputs: inputs("stopped"), outputs: {} });

  expect(docker.running()).toEqual(["identity"]);
});

test("a refresh tells what somebody else started, stopped or removed", async () => {
  const { docker, inputs } = await prepared();
  const read = (state: string) =>
    containerState.read?.("id", { inputs: inputs(state), outputs: {} }, call);

  expect(await read("stopped")).toMatchObject({ inputs: { state: "running" } });
  await docker.daemon.stop("identity", 0);
  expect(await read("running")).toMatchObject({ inputs: { state: "stopped" } });
  await docker.daemon.remove("identity", 0);
  expect(await read("stopped")).toBeUndefined();
});
