import { cp, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";

const root = join(import.meta.dirname, "..", "..");
const bin = join(root, "cli", "cutover.cjs");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cutover-render-"));
  await cp(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
  for (const name of ["examples", "policies"]) await symlink(join(root, name), join(folder, name));
  const stack = await readFile(join(root, "Pulumi.production.yaml"), "utf8");
  await writeFile(join(folder, "Pulumi.containers.yaml"), stack);
  await writeFile(join(folder, "Pulumi.units.yaml"), withUnit(stack));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The stack with one of its services under systemd. */
function withUnit(stack: string): string {
  const { config } = parse(stack) as { config: Record<string, Record<string, object>> };
  const services = config["cutover:services"];
  const web = {
    ...services?.["web"],
    placement: "in-place",
    address: "203.0.113.50",
    systemd: {
      environment: "shop",
      command: ["gunicorn", "app"],
      workingDirectory: "/srv/shop",
      user: "shop",
      watchdogSeconds: 30,
    },
  };
  const hosts = { [web.address]: "ssh://deploy@203.0.113.50:22" };
  return stringify({
    config: { ...config, "cutover:services": { ...services, web }, "cutover:hosts": hosts },
  });
}

interface Ended {
  readonly exitCode: number | undefined;
  /** Both streams. */
  readonly said: string;
}

async function render(...args: string[]): Promise<Ended> {
  const { exitCode, all } = await execa(process.execPath, [bin, "render", ...args], {
    cwd: folder,
    all: true,
    reject: false,
  });
  expect(all).not.toMatch(/\n\s+at |undefined|\[object/);
  return { exitCode, said: all };
}

async function filesIn(name: string): Promise<string[]> {
  const found = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
}

describe("render", () => {
  test("writes Compose files and says which", async () => {
    const { exitCode, said } = await render("compose", "--stack", "containers", "--out", "deploy");
    expect(exitCode).toBe(0);
    expect(said).toContain("Wrote  deploy/compose.yaml\nWrote  deploy/env.vps.example\n");
    expect(await filesIn("deploy")).toEqual(["deploy/compose.yaml", "deploy/env.vps.example"]);
  });

  test("writes units as a host has them, scripts that run among them", async () => {
    const { exitCode } = await render("systemd", "--stack", "units", "--out", "host");
    expect(exitCode).toBe(0);
    expect(await filesIn("host")).toEqual([
      "host/etc/flagship/web.env.example",
      "host/etc/systemd/system/flagship-web-watchdog.service",
      "host/etc/systemd/system/flagship-web-watchdog.timer",
      "host/etc/systemd/system/flagship-web.service",
      "host/usr/local/libexec/flagship-web-watchdog",
    ]);
    const { mode } = await stat(join(folder, "host/usr/local/libexec/flagship-web-watchdog"));
    expect(mode & 0o100).toBe(0o100);
  });

  test("renders another release, and lists files as JSON", async () => {
    const { said } = await render(
      ...["coolify", "--stack", "containers", "--release", "v1.1.0", "--out", "one", "--json"],
    );
    expect(JSON.parse(said)).toEqual({
      release: "v1.1.0",
      files: [
        { path: "one/compose.coolify.yaml", written: true },
        { path: "one/env.coolify.example", written: true },
      ],
    });
  });

  test("leaves alone what says the same, and refuses to write over what does not", async () => {
    const again = () => render("compose", "--stack", "containers", "--out", "deploy");
    await again();
    expect((await again()).said).toContain("Kept  deploy/compose.yaml");
    const changed = join(folder, "deploy", "compose.yaml");
    await writeFile(changed, "services: {}\n");
    await rm(join(folder, "deploy", "env.vps.example"));
    const { exitCode, said } = await again();
    expect(exitCode).toBe(1);
    expect(said).toContain("deploy/compose.yaml\n    found:    a file that says something else");
    expect(await filesIn("deploy")).toEqual(["deploy/compose.yaml"]);
    expect(await readFile(changed, "utf8")).toBe("services: {}\n");
    const forced = await render("compose", "--stack", "containers", "--out", "deploy", "--force");
    expect(forced.exitCode).toBe(0);
    expect(await readFile(changed, "utf8")).toContain("cap_drop");
  });

  test.each([
    [
      ["kubernetes", "--stack", "containers", "--out", "x"],
      "required: one of systemd, compose, coolify",
    ],
    [
      ["constructor", "--stack", "containers", "--out", "x"],
      "required: one of systemd, compose, coolify",
    ],
    [
      ["systemd", "--stack", "containers", "--out", "x"],
      "found:    no service with the key systemd",
    ],
    [["compose", "--stack", "none", "--out", "x"], "The stack is unknown."],
    [
      ["compose", "--stack", "containers", "--release", "v9.9.9", "--out", "x"],
      "The release is unknown.",
    ],
    [["compose", "--stack", "containers", "--out", "Pulumi.yaml"], "it cannot be read (ENOTDIR)"],
  ])("%j is refused by name", async (args, found) => {
    const { exitCode, said } = await render(...args);
    expect(exitCode).toBe(1);
    expect(said).toContain(found);
  });

  test("needs to know where to", async () => {
    expect(await render("compose", "--stack", "containers")).toMatchObject({
      exitCode: 2,
      said: expect.stringContaining("--out"),
    });
  });

  test("explains itself in 80 columns, with examples", async () => {
    const { exitCode, said } = await render("--help");
    expect(exitCode).toBe(0);
    expect(said).toContain("npx cutover render compose");
    for (const line of said.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});
