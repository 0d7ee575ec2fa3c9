import { cp, mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checklistPage } from "../../cli/checklist/print.ts";
import { readChecklist } from "../../policies/contract/checklist.ts";
import { markdown } from "../../infra/evidence/readers/markdown.ts";

const root = join(import.meta.dirname, "..", "..");
const bin = join(root, "cli", "cutover.cjs");
const flagship = join(root, "policies", "checklists", "flagship.yaml");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cutover-checklist-"));
  await mkdir(join(folder, "policies", "checklists"), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly exitCode: number | undefined;
  /** Both streams. */
  readonly said: string;
}

async function checklist(...args: string[]): Promise<Ended> {
  const { exitCode, all } = await execa(process.execPath, [bin, "checklist", ...args], {
    cwd: folder,
    all: true,
    reject: false,
  });
  return { exitCode, said: all };
}

function expectPlain({ said }: Ended): void {
  expect(said).not.toMatch(/\n\s+at |undefined|\[object/);
  for (const line of said.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
}

const page = `
# Releasing Orders

Read this first.

## Before the release

- [ ] All unit tests pass
- [ ] **Lint**: is clean
- [ ] Trivy finds no critical vulnerability
- [ ] Tell the team:
  - in the chat
  - by mail
- [ ] All unit tests pass

## Smoke test

1. Log in
2. 3 orders can be paid

## After the release

* Watch the error rate for N hours

## Rollback plan

* Nobody has forgotten \`it\`
`;

async function started(): Promise<Ended> {
  await writeFile(join(folder, "RELEASING.md"), page);
  return checklist("init", "RELEASING.md", "--system", "orders");
}

describe("init", () => {
  test("makes a gate of each bullet, which check takes", async () => {
    const made = await started();
    expect(made.exitCode).toBe(0);
    expect(made.said).toContain("10 gates, 4 of them measured");
    expectPlain(made);
    const { gates } = readChecklist("orders", join(folder, "policies", "checklists"));
    expect(gates.map(({ id, phase, kind }) => `${id} ${phase.join()} ${kind}`)).toEqual([
      "all-unit-tests-pass cutover tests-passed",
      "lint cutover findings-within",
      "trivy-finds-no-critical-vulnerability cutover vulnerabilities-within",
      "tell-the-team-in-the-chat cutover approved",
      "tell-the-team-by-mail cutover approved",
      "all-unit-tests-pass-2 cutover tests-passed",
      "log-in observe approved",
      "item-3-orders-can-be-paid observe approved",
      "watch-the-error-rate-for-n-hours finalize approved",
      "nobody-has-forgotten-it cutover approved",
    ]);
    const checked = await checklist("check", "policies/checklists/orders.yaml");
    expect(checked.exitCode).toBe(0);
    expectPlain(checked);
  });

  test("asks for what is checked on the new release after its cutover, in each gate for itself", async () => {
    await started();
    const file = join(folder, "policies", "checklists", "orders.yaml");
    expect(await readFile(file, "utf8")).not.toMatch(/[&*]a\d/);
    const { gates } = readChecklist("orders", join(folder, "policies", "checklists"));
    const asked = gates.map(({ id, requires }) => [id, requires["after"]] as const);
    expect(asked.filter(([, after]) => after === "cutover").map(([id]) => id)).toEqual([
      "log-in",
      "item-3-orders-can-be-paid",
      "watch-the-error-rate-for-n-hours",
    ]);
  });

  test("loses no bullet, and takes over nothing that a terminal would obey", async () => {
    const hostile = [
      "\uFEFF# Releasing <b>R&amp;D</b>",
      "## Smoke \u001B[31mred\u001B[0m",
      "- [ ]",
      "- <script>alert(1)</script> is gone",
      "- <!-- hidden -->",
      "- one<br>two",
      "",
      "  three",
      "- ```",
      "  npm test",
      "  ```",
      "- a | b \u202Ec",
      "",
      "> - [x] In a quote: all tests pass",
    ];
    await writeFile(join(folder, "RELEASING.md"), hostile.join("\r\n"));
    const made = await checklist("init", "RELEASING.md");
    expect(made.said).toContain("policies/checklists/releasing-r-d.yaml");
    expectPlain(made);
    const file = join(folder, "policies", "checklists", "releasing-r-d.yaml");
    expect(await readFile(file, "utf8")).not.toMatch(/[^\P{C}\n]/u);
    const { title, gates } = readChecklist("releasing-r-d", join(folder, "policies", "checklists"));
    expect(title).toBe("Releasing R&D");
    expect(gates.map((gate) => [gate.title, gate.source?.section, gate.after])).toEqual([
      ["Alert(1) is gone.", "Smoke red", undefined],
      ["One two three.", "Smoke red", undefined],
      ["Npm test.", "Smoke red", undefined],
      ["A | b c.", "Smoke red", undefined],
      ["In a quote: all tests pass.", "Smoke red", "cutover"],
    ]);
  });

  test("writes over nothing", async () => {
    await started();
    const file = join(folder, "policies", "checklists", "orders.yaml");
    const before = await readFile(file, "utf8");
    const again = await started();
    expect(again.exitCode).toBe(1);
    expect(again.said).toContain("a file that is there already");
    expect(await readFile(file, "utf8")).toBe(before);
  });

  test.each([
    ["quotes in quotes", `${"> ".repeat(5000)}- a\n`, ["--system", "orders"], "within each other"],
    ["bullets in bullets", `${"- ".repeat(5000)}a\n`, ["--system", "orders"], "within each other"],
    ["a page without bullets", "# Releasing\n\nJust do it.\n", ["--system", "orders"], "no bullet"],
    ["no name to be had", "- one\n", ["--system", "Orders!"], "a name in kebab case"],
    ["a role that nobody can have", "- one\n", ["--system", "orders", "--role", ""], "--role"],
    [
      "a file that is not called as its system",
      "- one\n",
      ["--system", "orders", "--out", "other.yaml"],
      "a file orders.yaml",
    ],
    [
      "an unknown folder",
      "- one\n",
      ["--system", "orders", "--out", "no/such/orders.yaml"],
      "cannot be written",
    ],
  ])("refuses %s", async (_, text, options, says) => {
    await writeFile(join(folder, "RELEASING.md"), text);
    const ended = await checklist("init", "RELEASING.md", ...options);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain(says);
    expectPlain(ended);
  });
});

describe("check", () => {
  test("explains the flagship's checklist", async () => {
    const ended = await checklist("check", flagship);
    expect(ended.exitCode).toBe(0);
    expect(ended.said).toContain("Before cutover: 10 gates");
    expect(ended.said).toContain("Evidence to attest: 5");
    expect(ended.said).toContain("Readings to configure (cutover:readings): 2");
    expect(ended.said).toContain("database-owner");
    expectPlain(ended);
  });

  test("tells scripts the same", async () => {
    const { exitCode, said } = await checklist("check", flagship, "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(said)).toMatchObject({
      system: "flagship",
      digest: readChecklist("flagship").digest,
      roles: [
        { name: "release-manager", gates: ["cutover-approved"] },
        { name: "database-owner", gates: ["cutover-approved"] },
      ],
    });
  });

  test("names everything that is wrong, with the line's gate and key", async () => {
    const text = (await readFile(flagship, "utf8"))
      .replace("atLeast: 1", "atLeast: { open: how-many }")
      .replace("phase: lower-ttl", "phase: freeze")
      .replace("severity: critical", "severity: CRITICAL");
    const file = join(folder, "flagship.yaml");
    await writeFile(file, text);
    const ended = await checklist("check", file);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain("open.how-many");
    expect(ended.said).toContain("gate dns-resolvers-agree, phase");
    expect(ended.said).toContain("gate unit-tests-passed, severity");
    expectPlain(ended);
  });

  test("lists all kinds where one is unknown, and shows no sign that a terminal would obey", async () => {
    const text = await readFile(flagship, "utf8");
    const file = join(folder, "flagship.yaml");
    await writeFile(file, text.replace("kind: tests-passed", "kind: tests-pased"));
    const unknown = await checklist("check", file);
    expect(unknown.exitCode).toBe(1);
    expect(unknown.said).toContain("gate unit-tests-passed, kind: found tests-pased");
    expectPlain({ ...unknown, said: unknown.said.replace(file, "") });
    await writeFile(file, text.replace("id: unit-tests-passed", String.raw`id: "a\e[31m"`));
    expect((await checklist("check", file)).said).not.toContain("\u001B");
  });

  test.each([
    ["is none", "nothing.yaml", "it cannot be read (ENOENT)"],
    ["is a folder", "policies", "it cannot be read (EISDIR)"],
    ["never ends", "/dev/zero", "it is larger than 1 MiB"],
    ["is no text", "binary.yaml", "it is no text in UTF-8"],
    ["is empty", "empty.yaml", "found nothing"],
    ["the guards would not find", "orders.yml", "rename it to orders.yaml"],
  ])("a file that %s", async (_, file, says) => {
    await writeFile(join(folder, "binary.yaml"), Buffer.from([0x73, 0xff, 0xfe, 0x00]));
    await writeFile(join(folder, "empty.yaml"), "");
    await writeFile(join(folder, "orders.yml"), "system: orders\n");
    const ended = await checklist("check", file);
    expect(ended.exitCode).toBe(1);
    expect(ended.said).toContain(says);
    expectPlain(ended);
  });
});

describe("print", () => {
  test("makes a page that states the digest, as the reader of Markdown takes it", async () => {
    const { said, exitCode } = await checklist("print", flagship);
    expect(exitCode).toBe(0);
    expect(said.trim()).toBe(checklistPage(flagship).trim());
    const { facts } = markdown.read(Buffer.from(said), { now: new Date() });
    expect(facts.values["Checklist digest"]).toBe(readChecklist("flagship").digest);
    expect(facts.sections).toContain("Before cutover");
  });

  test("a bar or a bracket of a gate stays text", async () => {
    const file = join(folder, "flagship.yaml");
    await cp(flagship, file);
    const text = (await readFile(file, "utf8")).replace("Known faults would", "A | B <b>would</b>");
    await writeFile(file, text);
    expect(checklistPage(file)).toContain(String.raw`A \| B \<b>would\</b>`);
  });

  test("a title of several lines says no other digest", async () => {
    const file = join(folder, "flagship.yaml");
    const text = (await readFile(flagship, "utf8")).replace(
      /^title: .*$/m,
      String.raw`title: "One\n\n**Checklist digest**: two"`,
    );
    await writeFile(file, text);
    expect(checklistPage(file)).toContain(String.raw`# One \*\*Checklist digest\*\*: two`);
  });

  test("stops without a word when nobody reads on", async () => {
    const { stderr } = await execa(
      `"${process.execPath}" "${bin}" checklist print "${flagship}" | true`,
      {
        shell: true,
      },
    );
    expect(stderr).toBe("");
  });
});
