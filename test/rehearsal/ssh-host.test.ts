import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { systemdUnit } from "../../infra/provider/systemd-unit.ts";
import { systemdUnitType } from "../../infra/provider/type-tokens.ts";
import { withHost } from "../../infra/provider/ssh.ts";
import type { Ran } from "../../infra/provider/ssh-exec.ts";
import { serviceUnit } from "../../infra/services/render/systemd-files.ts";
import { openRegistry } from "../../rehearsal/registry/registry.ts";
import { appRunner } from "../../rehearsal/stand-ins/host/unit-app.ts";
import { parseUnit } from "../../rehearsal/stand-ins/host/unit-file.ts";
import { startSshHost, type SshHost } from "../../rehearsal/stand-ins/ssh-host.ts";
import { gunicorn, source } from "../infra/services/render/sources.ts";
import { serveTypes } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, runProgram, startTestHost } from "../support/ssh-host.ts";

const patient = new AbortController().signal;

function run(host: SshHost, ...argv: string[]): Promise<Ran> {
  return withHost(host.url, patient, (there) => there.run(argv), host.env);
}

function put(host: SshHost, path: string, text: string): void {
  host.tree.makeFolder(path.slice(0, path.lastIndexOf("/")));
  host.tree.write(path, Buffer.from(text));
}

function unit(lines: readonly string[]): string {
  return [
    "[Service]",
    "ExecStart=/opt/bin/app",
    ...lines,
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** A host with one unit `a.service`. */
async function hostWith(lines: readonly string[]): Promise<SshHost> {
  const host = await startTestHost();
  host.provide(["/opt/bin/app"]);
  put(host, "/etc/systemd/system/a.service", unit(lines));
  return host;
}

describe("commands", () => {
  test.each([
    [["ls", "/etc"], 127, "ls: the stand-in does not know this command"],
    [["cat", "-A", "/etc"], 2, "the stand-in does not know these arguments: -A /etc"],
    [["rm", "-rf", "/etc"], 2, "the stand-in does not know these arguments"],
    [["systemctl", "mask", "a.service"], 1, "the stand-in does not know systemctl mask"],
    [["systemctl", "restart", "--no-block", "a.service"], 1, "does not know systemctl --no-block"],
    [["systemctl", "start", "none.service"], 1, "Unit none.service not found."],
    [["systemctl", "enable", "none.service"], 1, "Unit file none.service does not exist."],
    [["mv", "-fT", "/none", "/a"], 1, "mv: /none: No such file or directory"],
    [
      ["install", "-m", "0600", "/dev/null", "/none/a"],
      1,
      "install: /none/a: No such file or directory",
    ],
  ])("%j is refused by name", async (argv, code, said) => {
    const host = await startTestHost();
    const ran = await run(host, ...argv);
    expect(ran.code).toBe(code);
    expect(ran.stderr).toContain(said);
  });

  test("nothing leads out of the host's folder", async () => {
    const host = await startTestHost();
    expect((await run(host, "test", "-e", "/../../../../etc/passwd")).code).toBe(1);
  });
});

describe("units", () => {
  test("stay as they were read until daemon-reload", async () => {
    const host = await hostWith(["Type=notify", "Environment=RELEASE=one"]);
    await run(host, "systemctl", "start", "a.service");
    put(host, "/etc/systemd/system/a.service", unit(["Nonsense=1"]));
    expect((await run(host, "systemctl", "restart", "a.service")).code).toBe(0);
    const reloaded = await run(host, "systemctl", "daemon-reload");
    expect(reloaded).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("line 3: Service.Nonsense"),
    });
  });

  test("that cannot start say so, and come back when they can", async () => {
    const host = await hostWith([
      "Type=notify",
      "Restart=on-failure",
      "RestartSec=0.05",
      "EnvironmentFile=/etc/a.env",
    ]);
    const shown = async (): Promise<string> =>
      (await run(host, "systemctl", "show", "-p", "ActiveState", "a.service")).stdout;
    const started = await run(host, "systemctl", "start", "a.service");
    expect(started).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("environment file /etc/a.env"),
    });
    put(host, "/etc/a.env", 'RELEASE="one"\n');
    await run(host, "systemctl", "reset-failed", "a.service");
    await eventually(async () => {
      await run(host, "systemctl", "start", "a.service");
      expect(await shown()).toBe("ActiveState=active\n");
    });
  });

  test("that always fail are given up on", async () => {
    const host = await hostWith([
      "Type=notify",
      "Restart=on-failure",
      "RestartSec=0.01",
      "Environment=ENDS=1",
    ]);
    await run(host, "systemctl", "start", "a.service");
    await eventually(async () => {
      const { stdout } = await run(
        host,
        "systemctl",
        "show",
        "-p",
        "ActiveState",
        "-p",
        "Result",
        "a.service",
      );
      expect(stdout).toBe("ActiveState=failed\nResult=start-limit-hit\n");
    });
    expect((await run(host, "systemctl", "is-active", "a.service")).code).toBe(3);
  });

  test("that end well stay ended", async () => {
    const host = await hostWith(["Restart=on-failure", "Environment=ENDS=0"]);
    await run(host, "systemctl", "start", "a.service");
    await eventually(async () => {
      expect((await run(host, "systemctl", "show", "-p", "SubState", "a.service")).stdout).toBe(
        "SubState=dead\n",
      );
    });
  });

  test("a timer goes with its service", async () => {
    const host = await hostWith([]);
    put(
      host,
      "/etc/systemd/system/a.service",
      `[Unit]\nWants=network-online.target a.timer\n${unit(["Type=notify"])}`,
    );
    put(host, "/etc/systemd/system/a.timer", "[Unit]\nPartOf=a.service\n[Timer]\nOnActiveSec=1\n");
    const active = async (): Promise<number> =>
      (await run(host, "systemctl", "is-active", "a.timer")).code;
    await run(host, "systemctl", "start", "a.service");
    expect(await active()).toBe(0);
    await run(host, "systemctl", "stop", "a.service");
    expect(await active()).toBe(3);
  });

  test("that are enabled run again when the host does", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cutover-host-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const options = { folder, address: "127.0.0.1", port: 0, user: "root", runUnit: runProgram };
    const first = await startSshHost(options);
    first.provide(["/opt/bin/app"]);
    put(first, "/etc/systemd/system/a.service", unit(["Type=notify"]));
    await run(first, "systemctl", "enable", "--now", "a.service");
    await first.close();
    const second = await startSshHost(options);
    onTestFinished(() => second.close());
    expect((await run(second, "systemctl", "is-active", "a.service")).code).toBe(0);
    expect(second.env.CUTOVER_SSH_KEY).toBe(first.env.CUTOVER_SSH_KEY);
  });

  test.each([
    ["[Service]\nType=forking\n", "does not know Type=forking"],
    ["[Service]\nRestart=on-watchdog\n", "does not know Restart=on-watchdog"],
    ["[Service]\nRestartSec=2min\n", "plain seconds, not 2min"],
    ["[Service]\nEnvironment=A=%h\n", "does not know the specifier %h"],
    ["[Service]\nWatchdogSec=30\n", "line 2: Service.WatchdogSec"],
    ["[Service]\nwhat\n", "line 2: what"],
  ])("%j is refused", (text, said) => {
    expect(() => parseUnit("a.service", text)).toThrow(said);
  });
});

test("the dashboard's own unit runs as the image of its release", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cutover-host-"));
  const registry = openRegistry();
  const port = await freePort();
  const host = await startSshHost({
    folder,
    address: "127.0.0.1",
    port: 0,
    user: "deploy",
    runUnit: appRunner(registry, "127.0.0.1", folder),
  });
  onTestFinished(async () => {
    await host.close();
    await rm(folder, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });
  for (const [name, value] of Object.entries(host.env)) vi.stubEnv(name, value);
  const image = registry.resolve("registry.example.com/dashboard/web:1.1.0")?.reference ?? "";
  const from = source({ web: { ...gunicorn, address: "127.0.0.1", port } });
  const made = serviceUnit("web", "blue", {
    ...from,
    release: { version: "v1.1.0", images: { web: image } },
  });
  if (made === undefined) throw new Error("no unit was rendered");
  host.provide(made.required);
  const engine = await serveTypes({ [systemdUnitType]: systemdUnit });
  const files = Object.fromEntries(
    made.files.map(({ path, text, mode }) => [path, { text, mode }]),
  );
  await engine.create(
    { type: systemdUnitType, name: "web" },
    {
      stack: "shop/test",
      release: "v1.1.0",
      name: made.name,
      host: host.url,
      files: {
        ...files,
        [made.environmentFile]: {
          mode: "0600",
          text: 'DATABASE_URL="postgres://nobody@127.0.0.1:1/none"\n',
        },
      },
      required: made.required,
      // It has no database here, so its health says so; its version shows what runs.
      health: { url: `http://shop.example.com:${port}/version`, address: "127.0.0.1" },
      healthSeconds: 20,
      graceSeconds: 5,
    },
  );
  const version = (await (await fetch(`http://127.0.0.1:${port}/version`)).json()) as Record<
    string,
    unknown
  >;
  expect(version).toMatchObject({ version: "1.1.0", slot: "in-place" });
  expect(await run(host, "systemctl", "is-active", `${made.name}-watchdog.timer`)).toMatchObject({
    code: 0,
  });
});
