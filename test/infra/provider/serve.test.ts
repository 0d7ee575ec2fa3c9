import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  PartialError,
  RefusedError,
  startProvider,
  unknown,
  type Call,
  type Properties,
  type ProviderDefinition,
  type ResourceType,
} from "../../../infra/provider/serve.ts";
import { eventually } from "../../support/eventually.ts";
import {
  connectToProvider,
  failureOf,
  secret,
  serveTypes,
  startListeningEngine,
  startPlugin,
  unknownText,
  urnOf,
} from "../../support/engine.ts";

const thing = { type: "toy:index:Thing" };
const createOnly: ResourceType = {
  create: (news) => Promise.resolve({ id: "made", outputs: news }),
};
const echo: ResourceType = {
  ...createOnly,
  update: (_id, _olds, news) => Promise.resolve({ outputs: news }),
};

function serve(
  type: ResourceType,
  definition?: Partial<ProviderDefinition>,
): ReturnType<typeof serveTypes> {
  return serveTypes({ [thing.type]: type }, definition);
}

describe("configure", () => {
  test("takes secrets and previews, and hands the configuration on in clear", async () => {
    const configure = vi.fn();
    const engine = await serve(echo, { configure });
    const answer = await engine.configure({ "toy:config:region": "x" }, { token: secret("s") });
    expect(answer.toObject()).toMatchObject({
      acceptsecrets: true,
      acceptresources: true,
      supportspreview: true,
      acceptoutputs: false,
    });
    expect(configure).toHaveBeenCalledExactlyOnceWith({ "toy:config:region": "x" }, { token: "s" });
  });
});

describe("check", () => {
  test("hands the inputs on in clear and gives failures back", async () => {
    const check = vi.fn((news: Properties) =>
      news["size"] === 1 ? [{ property: "size", reason: "found 1, required 2" }] : [],
    );
    const engine = await serve({ ...echo, check });
    expect(await engine.check(thing, { size: 1 })).toEqual([
      { property: "size", reason: "found 1, required 2" },
    ]);
    expect(await engine.check(thing, { size: secret(2), later: unknownText }, { size: 1 })).toEqual(
      [],
    );
    expect(check).toHaveBeenNthCalledWith(1, { size: 1 }, undefined, expect.anything());
    expect(check).toHaveBeenNthCalledWith(
      2,
      { size: 2, later: unknown },
      { size: 1 },
      expect.anything(),
    );
  });

  test("refuses a type it does not have, in the provider's own words if it has some", async () => {
    const stranger = { type: "toy:index:Stranger" };
    const plain = await serve(echo);
    expect(await failureOf(plain.check(stranger, {}))).toEqual({
      code: status.FAILED_PRECONDITION,
      message: "provider toy has no toy:index:Stranger. It has: toy:index:Thing",
    });
    const worded = await serve(echo, { unsupported: (type) => `no stand-in imitates ${type}` });
    expect((await failureOf(worded.create(stranger, {}))).message).toBe(
      "no stand-in imitates toy:index:Stranger",
    );
  });
});

describe("diff", () => {
  const olds = { inputs: { a: 1, b: { c: null } }, outputs: {} };

  test("compares inputs by default", async () => {
    const engine = await serve(echo);
    expect(await engine.diff(thing, olds, { a: 1, b: {} })).toMatchObject({ changes: false });
    expect(await engine.diff(thing, olds, { a: unknownText, b: {} })).toEqual({
      changes: true,
      replaces: [],
      diffs: ["a"],
    });
  });

  test("replaces what cannot be updated", async () => {
    const engine = await serve(createOnly);
    expect(await engine.diff(thing, olds, { a: 2 })).toMatchObject({ replaces: ["a", "b"] });
  });

  test("is the type's own when it has one", async () => {
    const diff = vi.fn(() => ({ changes: true, replaces: ["a"], deleteBeforeReplace: true }));
    const engine = await serve({ ...echo, diff });
    expect(
      await engine.diff(thing, { inputs: { a: 1 }, outputs: { b: secret(2) } }, { a: 2 }),
    ).toEqual({ changes: true, replaces: ["a"], diffs: [] });
    expect(diff).toHaveBeenCalledExactlyOnceWith(
      { id: "id", inputs: { a: 1 }, outputs: { b: 2 } },
      { a: 2 },
      expect.anything(),
    );
  });
});

describe("create and update", () => {
  test("know a preview from the real thing", async () => {
    const previews: boolean[] = [];
    const engine = await serve({
      create: (_news, call) => {
        previews.push(call.preview);
        return Promise.resolve({ id: call.preview ? "" : "made", outputs: {} });
      },
      update: (_id, _olds, _news, call) => {
        previews.push(call.preview);
        return Promise.resolve({ outputs: {} });
      },
    });
    expect((await engine.create(thing, {}, { preview: true })).id).toBe("");
    expect((await engine.create(thing, {})).id).toBe("made");
    await engine.update(thing, { inputs: {}, outputs: {} }, {}, { preview: true });
    await engine.update(thing, { inputs: {}, outputs: {} }, {});
    expect(previews).toEqual([true, false, true, false]);
  });

  test("keep secrets secret, nested ones too, and see them in clear", async () => {
    const seen: Properties[] = [];
    const engine = await serve({
      ...echo,
      create: (news) => {
        seen.push(news);
        return Promise.resolve({ id: "made", outputs: { ...news, fresh: "plain", key: "k" } });
      },
      secretOutputs: ["key"],
    });
    const wire = { connection: { host: "h", password: secret("p") }, list: [1, secret({ a: 2 })] };
    const { outputs } = await engine.create(thing, wire);
    expect(seen).toEqual([{ connection: { host: "h", password: "p" }, list: [1, { a: 2 }] }]);
    expect(outputs).toEqual({ ...wire, fresh: "plain", key: secret("k") });
    expect((await engine.update(thing, { inputs: {}, outputs: {} }, wire)).outputs).toEqual(wire);
  });

  test("carry unknowns through a preview, also inside secrets", async () => {
    const engine = await serve(echo);
    const wire = { a: unknownText, b: secret(unknownText), c: [{ d: unknownText }] };
    expect((await engine.create(thing, wire, { preview: true })).outputs).toEqual(wire);
  });

  test("never let an unknown into the state", async () => {
    const engine = await serve({
      create: () => Promise.resolve({ id: "made", outputs: { address: [unknown] } }),
    });
    expect((await failureOf(engine.create(thing, {}))).message).toBe(
      "output address of it is still unknown",
    );
  });

  test("tell the type who it is, how it was and how long it has", async () => {
    const update = vi.fn(() => Promise.resolve({ outputs: {} }));
    const engine = await serve({ ...echo, update });
    const target = { ...thing, name: "a::b" };
    const olds = { id: "x", inputs: { a: 1 }, outputs: { b: secret(2) } };
    await engine.update(target, olds, { a: 3 }, { timeout: 7 });
    expect(update).toHaveBeenCalledExactlyOnceWith(
      "x",
      { inputs: { a: 1 }, outputs: { b: 2 } },
      { a: 3 },
      expect.objectContaining({
        urn: urnOf(target),
        name: "a::b",
        type: thing.type,
        timeoutSeconds: 7,
      }),
    );
  });
});

describe("failures", () => {
  const failing = (error: unknown): ResourceType => ({
    create: () => Promise.reject(error),
    update: () => Promise.reject(error),
  });

  test("a refusal is its message, and tells the engine that nothing happened", async () => {
    const engine = await serve(
      failing(new RefusedError("guard entry stays closed\n  too — early")),
    );
    expect(await failureOf(engine.create(thing, {}))).toEqual({
      code: status.FAILED_PRECONDITION,
      message: "guard entry stays closed\n  too — early",
    });
  });

  test("a partial failure carries id, outputs with secrets, and the reason", async () => {
    const engine = await serve(
      failing(new PartialError("never healthy", "c1", { port: 80, key: "k" })),
    );
    const expected = {
      code: status.UNKNOWN,
      message: "never healthy",
      partial: { id: "c1", outputs: { port: 80, key: secret("k") }, reasons: ["never healthy"] },
    };
    expect(await failureOf(engine.create(thing, { key: secret("k") }))).toEqual(expected);
    const olds = { inputs: {}, outputs: {} };
    expect(await failureOf(engine.update(thing, olds, { key: secret("k") }))).toEqual(expected);
  });

  test("anything else leaves the state in doubt, without a stack in the message", async () => {
    const engine = await serve(failing(new TypeError("cannot read x")));
    expect(await failureOf(engine.create(thing, {}))).toEqual({
      code: status.UNKNOWN,
      message: "cannot read x",
    });
  });

  test("a type without update says so", async () => {
    const engine = await serve(createOnly);
    const failure = await failureOf(engine.update(thing, { inputs: {}, outputs: {} }, {}));
    expect(failure.message).toBe("toy:index:Thing cannot be updated, only replaced");
  });
});

describe("read, delete and functions", () => {
  test("delete hands the state over in clear", async () => {
    const gone = vi.fn(() => Promise.resolve());
    const engine = await serve({ ...echo, delete: gone });
    await engine.delete(thing, { inputs: { a: secret(1) }, outputs: { b: 2 } });
    expect(gone).toHaveBeenCalledExactlyOnceWith(
      "id",
      { inputs: { a: 1 }, outputs: { b: 2 } },
      expect.anything(),
    );
  });

  test("delete does nothing by default", async () => {
    const engine = await serve(echo);
    await expect(engine.delete(thing, { inputs: {}, outputs: {} })).resolves.toBeUndefined();
  });

  test("functions answer, keep secrets, and are refused when missing", async () => {
    const functions = {
      "toy:index:get": (args: Properties) => Promise.resolve({ ...args, more: 1 }),
    };
    const engine = await serve(echo, { functions });
    expect(await engine.invoke("toy:index:get", { key: secret("k") })).toEqual({
      key: secret("k"),
      more: 1,
    });
    expect((await failureOf(engine.invoke("toy:index:lose", {}))).message).toContain(
      "provider toy has no toy:index:lose",
    );
  });
});

describe("the end of a call", () => {
  const untilAborted = (call: Call): Promise<never> =>
    new Promise((_resolve, reject) => {
      call.signal.addEventListener("abort", () => {
        reject(call.signal.reason as Error);
      });
    });

  test("a timeout aborts the operation", async () => {
    const engine = await serve({ create: (_news, call) => untilAborted(call) });
    expect(await failureOf(engine.create(thing, {}, { timeout: 0.05 }))).toEqual({
      code: status.FAILED_PRECONDITION,
      message: "it did not end within its timeout of 0.05 s",
    });
  });

  test("Cancel aborts what is under way, and the provider goes on for the next run", async () => {
    let wasStarted = false;
    const engine = await serve({
      create: (news, call) => {
        if (news["wait"] !== true) return echo.create(news, call);
        wasStarted = true;
        return untilAborted(call);
      },
    });
    const failure = failureOf(engine.create(thing, { wait: true }));
    await eventually(() => {
      expect(wasStarted).toBe(true);
    });
    await engine.cancel();
    expect((await failure).message).toBe("the run was cancelled");
    expect((await engine.create(thing, {})).id).toBe("made");
  });

  test("closing a provider shuts its definition down", async () => {
    const onShutdown = vi.fn(() => Promise.resolve());
    const provider = await startProvider({ name: "toy", version: "1.0.0", types: {}, onShutdown });
    await provider.close();
    expect(onShutdown).toHaveBeenCalledOnce();
  });
});

test("messages reach the engine that attached, at their resource", async () => {
  const listening = await startListeningEngine();
  onTestFinished(() => {
    listening.close();
  });
  const engine = await serve({
    create: (news, call) => {
      call.log("warning", "the database is slow");
      return echo.create(news, call);
    },
  });
  await engine.attach(listening.address);
  await engine.create(thing, {});
  await eventually(() => {
    expect(listening.messages).toEqual([
      { severity: 2, urn: urnOf(thing), text: "the database is slow" },
    ]);
  });
});

describe("as a plugin", () => {
  const toyPlugin = new URL("toy-plugin.ts", import.meta.url);

  test("prints its port, serves, and shuts down on SIGINT with its last words heard", async () => {
    const { engine, heard, kill, ended } = await startPlugin(toyPlugin);
    expect((await engine.create(thing, {})).id).toBe("made");
    kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    expect(heard()).toEqual(["shut down"]);
  });

  test("shuts down on Cancel, refuses what comes after and still ends on SIGINT", async () => {
    const { engine, heard, kill, ended } = await startPlugin(toyPlugin);
    const waiting = failureOf(engine.create(thing, { wait: true }));
    await eventually(() => {
      expect(heard()).toEqual(["waiting"]);
    });
    await engine.cancel();
    expect((await waiting).message).toBe("the run was cancelled");
    await eventually(() => {
      expect(heard()).toEqual(["waiting", "shut down"]);
    });
    expect((await failureOf(engine.create(thing, {}))).message).toBe(
      "the run was cancelled: nothing more is done",
    );
    kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    expect(heard()).toEqual(["waiting", "shut down"]);
  });

  test("shuts down when something goes wrong outside any call", async () => {
    const { engine, heard, ended } = await startPlugin(toyPlugin);
    await engine.create(thing, { crash: true });
    expect(await ended).toEqual([1, null]);
    expect(heard()[0]).toContain("provider toy failed: Error: out of the blue");
    expect(heard()[1]).toBe("shut down");
  });

  test("shuts down when the process that started it is killed", async () => {
    const listening = await startListeningEngine();
    onTestFinished(() => {
      listening.close();
    });
    const middle = spawn(
      process.execPath,
      [
        "-e",
        `const child = require("node:child_process").spawn(process.execPath, process.argv.slice(1),
           { stdio: ["ignore", "pipe", "inherit"] });
         child.stdout.on("data", (port) => console.log(child.pid + " " + port));`,
        toyPlugin.pathname,
        listening.address,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [line] = (await once(createInterface(middle.stdout), "line")) as [string];
    const [pid, port] = line.split(" ").map(Number) as [number, number];
    const engine = connectToProvider(port);
    onTestFinished(() => {
      engine.close();
    });
    await engine.create(thing, {});
    middle.kill("SIGKILL");
    await eventually(() => {
      expect(listening.messages.map((message) => message.text)).toEqual(["shut down"]);
      expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    });
  });
});
