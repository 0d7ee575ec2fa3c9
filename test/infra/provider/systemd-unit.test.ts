import { get } from "node:http";
import { afterEach, describe, expect, test, vi } from "vitest";
import { systemdUnit } from "../../../infra/provider/systemd-unit.ts";
import { systemdUnitType } from "../../../infra/provider/type-tokens.ts";
import type { SshHost } from "../../../rehearsal/stand-ins/ssh-host.ts";
import { failureOf, serveTypes, type Wire } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort, startTestHost } from "../../support/ssh-host.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const target = { type: systemdUnitType, name: "web" };
const unitFile = "/etc/systemd/system/shop-web.service";
const secretFile = "/etc/shop/web.env";
const program = "/opt/conda/envs/shop/bin/gunicorn";

type Engine = Awaited<ReturnType<typeof serveTypes>>;

interface Scene {
  readonly host: SshHost;
  readonly engine: Engine;
  readonly port: number;
  /** The inputs of a release. `told` goes to its program. */
  readonly inputs: (release: string, told?: Record<string, string>, changes?: Wire) => Wire;
  /** Which release answers; undefined when none does. */
  readonly answers: () => Promise<string | undefined>;
}

async function scene(): Promise<Scene> {
  const host = await startTestHost();
  host.provide([program]);
  const engine = await serveTypes({ [systemdUnitType]: systemdUnit });
  const port = await freePort();
  const inputs: Scene["inputs"] = (release, told = {}, changes = {}) => {
    const folder = `/srv/shop/releases/${release}`;
    if (release !== "v9.9.9") host.provide([folder]);
    const environment = Object.entries({ RELEASE: release, PORT: String(port), ...told });
    return {
      stack: "shop/test",
      release,
      name: "shop-web",
      host: host.url,
      files: {
        [unitFile]: {
          mode: "0644",
          text: [
            "[Unit]",
            "StartLimitBurst=100",
            "[Service]",
            "Type=notify",
            `ExecStart=${program} app`,
            ...environment.map(([name, value]) => `Environment="${name}=${value}"`),
            `EnvironmentFile=${secretFile}`,
            `WorkingDirectory=${folder}`,
            "Restart=on-failure",
            "RestartSec=0.05",
            "TimeoutStopSec=5",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
          ].join("\n"),
        },
        [secretFile]: { mode: "0600", text: 'TOKEN="hunter2"\n' },
      },
      required: [folder, program],
      health: { url: `http://shop.example.com:${port}/healthz`, address: "127.0.0.1" },
      healthSeconds: 1,
      graceSeconds: 5,
      ...changes,
    };
  };
  const answers = (): Promise<string | undefined> =>
    new Promise((resolve) => {
      get({ host: "127.0.0.1", port, agent: false }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => {
          resolve(text);
        });
      }).on("error", () => {
        resolve(undefined);
      });
    });
  return { host, engine, port, inputs, answers };
}

function said(host: SshHost, path: string): string {
  return host.tree.read(path)?.toString() ?? "(nothing)";
}

/** Brings a release there as the engine does after another one. */
function update(engine: Engine, from: Wire, to: Wire): ReturnType<Engine["update"]> {
  return engine.update(target, { inputs: from, outputs: {} }, to);
}

describe("a service on a host", () => {
  test("is written, started and waited for", async () => {
    const { host, engine, inputs, answers } = await scene();
    const { id, outputs } = await engine.create(target, inputs("v1.0.0"));
    expect(id).toBe("shop/test:shop-web");
    expect(outputs).toMatchObject({ mainPid: expect.any(Number), activeAt: expect.any(String) });
    expect(await answers()).toBe("v1.0.0");
    expect(said(host, unitFile)).toContain("RELEASE=v1.0.0");
    expect(host.tree.modeOf(unitFile)).toBe("0644");
    expect(host.tree.modeOf(secretFile)).toBe("0600");
    expect(
      (await host.systemd.systemctl(["show", "-p", "UnitFileState", "shop-web.service"])).stdout,
    ).toBe("UnitFileState=enabled\n");
  });

  test("tells its secrets to nobody", async () => {
    const { host, engine, inputs } = await scene();
    const { outputs } = await engine.create(target, inputs("v1.0.0"));
    expect(host.commands.join("\n")).not.toContain("hunter2");
    expect(JSON.stringify(outputs)).not.toContain("hunter2");
    expect(engine.heard).toEqual([]);
  });

  test("that is there and well is not started again", async () => {
    const { engine, inputs } = await scene();
    const first = await engine.create(target, inputs("v1.0.0"));
    const second = await engine.create(target, inputs("v1.0.0"));
    expect(second.outputs["mainPid"]).toBe(first.outputs["mainPid"]);
  });

  test("makes place for the next release, and is kept beside it", async () => {
    const { host, engine, inputs, answers } = await scene();
    const first = await engine.create(target, inputs("v1.0.0"));
    const second = await update(engine, inputs("v1.0.0"), inputs("v1.1.0"));
    expect(second.outputs["mainPid"]).not.toBe(first.outputs["mainPid"]);
    expect(await answers()).toBe("v1.1.0");
    expect(said(host, `${unitFile}.previous`)).toContain("RELEASE=v1.0.0");
    expect(host.tree.modeOf(`${secretFile}.previous`)).toBe("0600");
  });

  test("is refused before anything changes when its release is not on the host", async () => {
    const { host, engine, inputs, answers } = await scene();
    await engine.create(target, inputs("v1.0.0"));
    const { message } = await failureOf(update(engine, inputs("v1.0.0"), inputs("v9.9.9")));
    expect(message).toContain("found:    nothing at /srv/shop/releases/v9.9.9");
    expect(said(host, unitFile)).toContain("RELEASE=v1.0.0");
    expect(await answers()).toBe("v1.0.0");
  });

  test("without a port is waited for until it stays", async () => {
    const { engine, inputs } = await scene();
    const { outputs } = await engine.create(target, inputs("v1.0.0", {}, { health: null }));
    expect(outputs["mainPid"]).toBeGreaterThan(0);
  });

  test("changes nothing in a preview", async () => {
    const { host, engine, inputs } = await scene();
    const made = await engine.create(target, inputs("v1.0.0"), { preview: true });
    expect(made).toEqual({ id: "", outputs: {} });
    expect(host.commands).toEqual([]);
  });
});

describe("a release that is not well", () => {
  test.each([
    ["answers badly", { ANSWER: "503" }, "status 503; systemd calls it active, running"],
    ["ends at once", { ENDS: "3" }, "systemctl ended with 1: Job for shop-web.service failed"],
  ])("because it %s gives its place back", async (_what, told, found) => {
    const { host, engine, inputs, answers } = await scene();
    await engine.create(target, inputs("v1.0.0"));
    const failure = await failureOf(update(engine, inputs("v1.0.0"), inputs("v1.1.0", told)));
    expect(failure.message).toContain("shop-web.service of v1.1.0 did not become healthy");
    expect(failure.message).toContain("v1.0.0 is back in its place and healthy.");
    expect(failure.message).toContain(`found:    ${found}`);
    expect(failure.message).toContain("status 200 from http://shop.example.com:");
    expect(await answers()).toBe("v1.0.0");
    expect(said(host, unitFile)).toContain("RELEASE=v1.0.0");
    // What stands is what the engine's state still says: the same again changes nothing.
    const commands = host.commands.length;
    await update(engine, inputs("v1.0.0"), inputs("v1.0.0"));
    expect(host.commands.slice(commands).join("\n")).not.toContain("systemctl restart");
  });

  test("is taken away when there was none before it", async () => {
    const { host, engine, inputs, answers } = await scene();
    const { message } = await failureOf(engine.create(target, inputs("v1.0.0", { ANSWER: "500" })));
    expect(message).toContain("There was none before it: nothing runs now.");
    expect(await answers()).toBeUndefined();
    expect(host.tree.has(unitFile)).toBe(false);
    expect(host.tree.has(secretFile)).toBe(false);
  });

  test("says so when the one before is not well either", async () => {
    const { engine, inputs, host } = await scene();
    await engine.create(target, inputs("v1.0.0"));
    // The release before has lost its folder meanwhile.
    const bad = inputs("v1.1.0", { ANSWER: "503" });
    const kept = host.tree.read(unitFile)?.toString() ?? "";
    host.tree.write(unitFile, Buffer.from(kept.replaceAll("/releases/v1.0.0", "/releases/gone")));
    const failure = await failureOf(update(engine, inputs("v1.0.0"), bad));
    expect(failure.message).toContain("v1.0.0 was put back and is not healthy either.");
    expect(failure.message).toContain("then:     systemctl ended with 1");
  });

  test("gives its place back to what somebody had set up by hand", async () => {
    const { host, engine, inputs, answers } = await scene();
    const byHand =
      (inputs("v0.9.0")["files"] as Record<string, { text: string }>)[unitFile]?.text ?? "";
    for (const [path, text] of [
      [unitFile, byHand],
      [secretFile, ""],
    ] as const) {
      host.tree.makeFolder(path.slice(0, path.lastIndexOf("/")));
      host.tree.write(path, Buffer.from(text));
    }
    await host.systemd.systemctl(["start", "shop-web.service"]);
    expect(await answers()).toBe("v0.9.0");
    const { message } = await failureOf(engine.create(target, inputs("v1.0.0", { ANSWER: "503" })));
    expect(message).toContain("the one before is back in its place and healthy.");
    expect(await answers()).toBe("v0.9.0");
    expect(said(host, unitFile)).toBe(byHand);
  });
});

describe("a run that was killed", () => {
  test("after any command, is followed by one that still knows the last good release", async () => {
    const { host, engine, inputs, answers } = await scene();
    await engine.create(target, inputs("v1.0.0"));
    const from = host.commands.length;
    await update(engine, inputs("v1.0.0"), inputs("v1.1.0"));
    const whole = host.commands.length - from;
    await update(engine, inputs("v1.1.0"), inputs("v1.0.0"));
    expect(whole).toBeGreaterThan(15);
    // The last command writes down that it is well: from then on the new one is the good one.
    for (let count = 0; count < whole - 1; count += 1) {
      host.dropAfter(count);
      await failureOf(update(engine, inputs("v1.0.0"), inputs("v1.1.0")));
      await failureOf(update(engine, inputs("v1.0.0"), inputs("v1.2.0", { ENDS: "1" })));
      expect(await answers(), `killed after ${count} commands`).toBe("v1.0.0");
      expect(said(host, unitFile)).toContain("RELEASE=v1.0.0");
    }
    await update(engine, inputs("v1.0.0"), inputs("v1.1.0"));
    expect(await answers()).toBe("v1.1.0");
  });

  test("by its timeout says so, and leaves what it began to the next one", async () => {
    const { engine, inputs, answers } = await scene();
    const slow = inputs("v1.0.0", { ANSWER: "503" }, { healthSeconds: 60 });
    const { message } = await failureOf(engine.create(target, slow, { timeout: 1 }));
    expect(message).toContain("did not end within its timeout of 1 s");
    await engine.create(target, inputs("v1.0.0"));
    expect(await answers()).toBe("v1.0.0");
  });

  test("whose marker nobody can read is not guessed at", async () => {
    const { host, engine, inputs } = await scene();
    await engine.create(target, inputs("v1.0.0"));
    host.tree.write("/var/lib/cutover/shop-web.json", Buffer.from("{"));
    const { message } = await failureOf(update(engine, inputs("v1.0.0"), inputs("v1.1.0")));
    expect(message).toContain("/var/lib/cutover/shop-web.json");
    expect(said(host, unitFile)).toContain("RELEASE=v1.0.0");
  });
});

describe("what belongs to whom", () => {
  test("another stack's unit stays as it is", async () => {
    const { host, engine, inputs } = await scene();
    await engine.create(target, inputs("v1.0.0"));
    const foreign = inputs("v1.1.0", {}, { stack: "shop/other" });
    expect((await failureOf(engine.create(target, foreign))).message).toContain(
      "found:    shop/test",
    );
    await engine.delete(target, { inputs: foreign, outputs: {} });
    expect(said(host, unitFile)).toContain("RELEASE=v1.0.0");
    await eventually(() => {
      expect(engine.heard.map(({ text }) => text).join()).toContain("belongs to shop/test now");
    });
  });

  test("its own is stopped and removed, with its secrets; twice is no error", async () => {
    const { host, engine, inputs, answers } = await scene();
    await engine.create(target, inputs("v1.0.0"));
    await update(engine, inputs("v1.0.0"), inputs("v1.1.0"));
    await engine.delete(target, { inputs: inputs("v1.1.0"), outputs: {} });
    expect(await answers()).toBeUndefined();
    const left = [unitFile, secretFile].flatMap((path) => [path, `${path}.previous`]);
    expect(left.filter((path) => host.tree.has(path))).toEqual([]);
    expect(host.tree.list("/var/lib/cutover")).toEqual([]);
    await engine.delete(target, { inputs: inputs("v1.1.0"), outputs: {} });
  });

  test("files of a release that the next one does not have go", async () => {
    const { host, engine, inputs } = await scene();
    const extra = "/usr/local/libexec/shop-web-watchdog";
    const first = inputs("v1.0.0");
    const files = first["files"] as Wire;
    const withExtra = {
      ...first,
      files: { ...files, [extra]: { mode: "0755", text: "#!/bin/sh\n" } },
    };
    await engine.create(target, withExtra);
    expect(host.tree.modeOf(extra)).toBe("0755");
    await failureOf(update(engine, withExtra, inputs("v1.1.0", { ENDS: "1" })));
    expect(host.tree.has(extra)).toBe(true);
    await update(engine, withExtra, inputs("v1.1.0"));
    expect(host.tree.has(extra)).toBe(false);
  });
});

describe("inputs", () => {
  test.each([
    ["host", "docker.example.com"],
    ["host", "ssh://host.example.com"],
    ["name", "a b"],
    ["required", ["relative"]],
    ["healthSeconds", 0],
    ["graceSeconds", -1],
    ["files", {}],
    ["health", { url: "ftp://x", address: "127.0.0.1" }],
    ["odd", 1],
  ])("%s as %j is refused", async (name, value) => {
    const { engine, inputs } = await scene();
    expect(await engine.check(target, { ...inputs("v1.0.0"), [name]: value })).not.toEqual([]);
  });

  test("are taken as they should be; another host or name is another resource", async () => {
    const { engine, inputs } = await scene();
    const olds = { inputs: inputs("v1.0.0"), outputs: {} };
    expect(await engine.check(target, olds.inputs)).toEqual([]);
    expect(await engine.diff(target, olds, olds.inputs)).toMatchObject({ changes: false });
    expect(await engine.diff(target, olds, inputs("v1.1.0"))).toMatchObject({
      changes: true,
      replaces: [],
    });
    const moved = { ...olds.inputs, host: "ssh://deploy@203.0.113.10", name: "shop" };
    expect(await engine.diff(target, olds, moved)).toMatchObject({ replaces: ["name", "host"] });
  });
});
