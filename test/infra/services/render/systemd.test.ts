import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa, execaSync } from "execa";
import { describe, expect, onTestFinished, test } from "vitest";
import { renderSystemd } from "../../../../infra/services/render/systemd-files.ts";
import type { RenderedFile } from "../../../../infra/services/render/rendered-file.ts";
import type { RenderSource } from "../../../../infra/services/render/compose.ts";
import { parseEnvironmentFile, parseUnit } from "../../../../rehearsal/stand-ins/host/unit-file.ts";
import { environmentText } from "../../../../infra/services/render/systemd-text.ts";
import { gunicorn, imageOf, source } from "./sources.ts";

function text(files: readonly RenderedFile[], path: string): string {
  return files.find((file) => file.path === path)?.text ?? `(no ${path})`;
}

/** The files in a tree as they lie on a host, with stubs of the programs and the units that every system has. */
function hostTree(files: readonly RenderedFile[], programs: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "cutover-units-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const stubs = [...programs, "/bin/kill"].map((path) => ({
    path,
    text: "#!/bin/sh\n",
    mode: "0755",
  }));
  for (const file of [...files, ...stubs]) {
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.text);
    chmodSync(path, Number.parseInt(file.mode, 8));
  }
  const own = ["/usr/lib/systemd/system", "/lib/systemd/system"].find(existsSync);
  if (own === undefined) throw new Error("systemd is not installed: apt-get install systemd");
  cpSync(own, join(folder, "usr/lib/systemd/system"), { recursive: true });
  return folder;
}

async function verified(files: readonly RenderedFile[], program: string): Promise<string> {
  const root = hostTree(files, [program]);
  const units = files
    .filter(({ path }) => path.startsWith("/etc/systemd/system/"))
    .map(({ path }) => path.slice("/etc/systemd/system/".length));
  const { exitCode, stdout, stderr } = await execa(
    "systemd-analyze",
    ["verify", "--man=no", `--root=${root}`, ...units],
    { reject: false },
  );
  return `${stdout}${stderr}ended with ${String(exitCode)}`;
}

const web = "/opt/conda/envs/dashboard/bin/gunicorn";

const shapes: readonly (readonly [string, RenderSource, string])[] = [
  ["gunicorn", source({ web: gunicorn }), web],
  [
    "a program that does not say when it is ready",
    source({
      web: { ...gunicorn, systemd: { ...gunicorn.systemd, command: ["uvicorn", "app:app"] } },
    }),
    "/opt/conda/envs/dashboard/bin/uvicorn",
  ],
  [
    "a low port, a volume and words that mean something to systemd",
    source({
      web: {
        ...gunicorn,
        port: 80,
        volumes: { data: "/var/lib/dash board" },
        writable: true,
        env: { GREETING: 'say "100 %h" for $5 \\ each\nnow' },
        systemd: { ...gunicorn.systemd, command: ["/usr/bin/true", "%h", "$HOME", 'a "b"', "end"] },
      },
    }),
    "/usr/bin/true",
  ],
  [
    "two slots and a unit of its own name that waits for another",
    source({
      web: {
        ...gunicorn,
        placement: "two-slot",
        address: undefined,
        systemd: gunicorn.systemd,
        dependsOn: ["jobs"],
      },
      jobs: { ...gunicorn, placement: "two-slot", address: undefined, port: 8081 },
    }),
    web,
  ],
];

describe("systemd-analyze verify", () => {
  test.each(shapes)("finds nothing to say of %s", async (_what, from, program) => {
    expect(await verified(renderSystemd(from), program)).toBe("ended with 0");
  });

  test("would say what is wrong", async () => {
    const files = renderSystemd(source({ web: gunicorn }));
    const wrong = files.map((file) => ({
      ...file,
      text: file.text.replace("ProtectSystem=", "ProtectSytem="),
    }));
    expect(await verified(wrong, web)).toContain("Unknown key 'ProtectSytem'");
    expect(await verified(files, "/opt/conda/envs/other/bin/gunicorn")).toContain(
      "is not executable",
    );
  });

  test("calls the service well confined", () => {
    const root = hostTree(renderSystemd(source({ web: gunicorn })), [web]);
    const { stdout } = execaSync("systemd-analyze", [
      "security",
      "--offline=true",
      "--no-pager",
      `--root=${root}`,
      "shop-web.service",
    ]);
    // systemd's own scale: 0 is best, 10 worst; its own services lie between 2 and 9.
    const level = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
    expect(Number(level)).toBeLessThan(2.5);
  });
});

describe("a unit", () => {
  const files = renderSystemd(source({ web: gunicorn }));
  const unit = text(files, "/etc/systemd/system/shop-web.service");

  test("is the same text from the same table", () => {
    expect(renderSystemd(source({ web: gunicorn }))).toEqual(files);
    expect(unit).toMatchInlineSnapshot(`
      "[Unit]
      Description=shop web, release v1.1.0
      Wants=network-online.target shop-web-watchdog.timer
      After=network-online.target
      StartLimitIntervalSec=300
      StartLimitBurst=5

      [Service]
      Type=notify
      NotifyAccess=main
      ExecStart=/opt/conda/envs/dashboard/bin/gunicorn --workers 4 dashboard.server:app
      ExecReload=/bin/kill -s HUP $MAINPID
      KillMode=mixed
      Restart=on-failure
      RestartSec=2
      TimeoutStartSec=60
      TimeoutStopSec=30
      Environment="PORT=8080"
      Environment="CONDA_PREFIX=/opt/conda/envs/dashboard"
      Environment="PATH=/opt/conda/envs/dashboard/bin:/usr/local/bin:/usr/bin:/bin"
      Environment="HOME=/srv/dashboard/releases/v1.1.0"
      Environment="PYTHONUNBUFFERED=1"
      Environment="SLOT=in-place"
      Environment="RELEASE=v1.1.0"
      Environment="RELEASE_IMAGE=registry.example.com/shop/web@sha256:7765620000000000000000000000000000000000000000000000000000000000"
      EnvironmentFile=/etc/shop/web.env
      WorkingDirectory=/srv/dashboard/releases/v1.1.0
      User=dashboard
      MemoryMax=512M
      CPUQuota=150%
      NoNewPrivileges=yes
      CapabilityBoundingSet=
      AmbientCapabilities=
      SocketBindAllow=tcp:8080
      SocketBindDeny=any
      RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
      ProtectSystem=strict
      UMask=0077
      PrivateTmp=yes
      PrivateDevices=yes
      ProtectHome=yes
      ProtectClock=yes
      ProtectControlGroups=yes
      ProtectHostname=yes
      ProtectKernelLogs=yes
      ProtectKernelModules=yes
      ProtectKernelTunables=yes
      RestrictNamespaces=yes
      RestrictRealtime=yes
      RestrictSUIDSGID=yes
      LockPersonality=yes
      RemoveIPC=yes
      ProtectProc=invisible
      SystemCallArchitectures=native
      SystemCallFilter=@system-service

      [Install]
      WantedBy=multi-user.target
      "
    `);
  });

  test("runs from the conda environment without a shell, in the folder of the release", () => {
    const parsed = parseUnit("shop-web.service", unit);
    expect(parsed.execStart).toEqual([web, "--workers", "4", "dashboard.server:app"]);
    expect(parsed.workingDirectory).toBe("/srv/dashboard/releases/v1.1.0");
    expect(parsed.environment).toMatchObject({
      PORT: "8080",
      RELEASE: "v1.1.0",
      RELEASE_IMAGE: imageOf("web"),
    });
  });

  test("wants its watchdog, and names no secret's value", () => {
    expect(unit).toContain("Wants=network-online.target shop-web-watchdog.timer");
    expect(unit).toContain("EnvironmentFile=/etc/shop/web.env");
    expect(files.map((file) => file.text).join("")).not.toContain("correct-horse");
    expect(text(files, "/etc/shop/web.env.example")).toMatch(/^DATABASE_URL=$/m);
  });

  test("has exactly one port, and may bind no other", () => {
    expect(unit.match(/^SocketBind.*/gm)).toEqual([
      "SocketBindAllow=tcp:8080",
      "SocketBindDeny=any",
    ]);
  });

  test("without a port binds none and is asked by no watchdog", () => {
    const rendered = renderSystemd(
      source({ web: { ...gunicorn, systemd: { ...gunicorn.systemd, listens: false } } }),
    );
    const silent = text(rendered, "/etc/systemd/system/shop-web.service");
    expect(rendered.map(({ path }) => path)).toEqual([
      "/etc/systemd/system/shop-web.service",
      "/etc/shop/web.env.example",
    ]);
    expect(silent).toContain("SocketBindDeny=any");
    expect(silent).not.toMatch(/SocketBindAllow|PORT=|watchdog/);
  });

  test("is called as the table says", () => {
    const from = source({
      web: { ...gunicorn, systemd: { ...gunicorn.systemd, unit: "dashboard" } },
    });
    expect(renderSystemd(from).map(({ path }) => path)).toContain(
      "/etc/systemd/system/dashboard-watchdog.timer",
    );
  });

  test("of a slot has the slot's name and address", () => {
    const rendered = renderSystemd(
      source({ web: { ...gunicorn, placement: "two-slot", address: undefined } }),
    );
    const paths = rendered.map(({ path }) => path);
    expect(paths).toContain("/etc/systemd/system/shop-web-blue.service");
    expect(paths).toContain("/etc/shop/web-green.env.example");
    expect(text(rendered, "/usr/local/libexec/shop-web-blue-watchdog")).toContain(
      "'http://203.0.113.10:8080/healthz'",
    );
    expect(text(rendered, "/usr/local/libexec/shop-web-green-watchdog")).toContain("203.0.113.20");
  });

  test("is not there for a service in a container, or one that the release does not have", () => {
    expect(renderSystemd(source({ web: { port: 8080 } }))).toEqual([]);
    const from = source({ web: gunicorn });
    expect(renderSystemd({ ...from, release: { ...from.release, images: {} } })).toEqual([]);
  });
});

test.each(["plain", 'a "b" c', String.raw`back\slash`, "$HOME `id`", "two\nlines", "", "100 %h"])(
  "what a service is told arrives as it was: %j",
  (value) => {
    const files = renderSystemd(source({ web: { ...gunicorn, env: { TOLD: value } } }));
    const parsed = parseUnit(
      "shop-web.service",
      text(files, "/etc/systemd/system/shop-web.service"),
    );
    expect(parsed.environment["TOLD"]).toBe(value);
    expect(parseEnvironmentFile(environmentText({ TOLD: value }))).toEqual({ TOLD: value });
  },
);
