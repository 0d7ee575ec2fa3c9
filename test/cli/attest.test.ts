import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { attest } from "../../cli/attest.ts";
import { readChecklist } from "../../policies/contract/checklist.ts";
import { predicates } from "../../policies/contract/predicates.ts";
import { kindNamed, judgeBy } from "../support/kind-tester.ts";

const root = join(import.meta.dirname, "..", "..");

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "cutover-attest-"));
  for (const name of ["Pulumi.yaml", "Pulumi.production.yaml", "examples", "policies/checklists"]) {
    await cp(join(root, name), join(project, name), { recursive: true });
  }
});
afterEach(() => rm(project, { recursive: true, force: true }));

/** Replaces the gates of the project's checklist. */
async function writeGates(
  ...gates: readonly (readonly [id: string, kind: string, requires: object, evidence?: string])[]
): Promise<void> {
  const checklist = {
    system: "flagship",
    title: "An API, a worker and a web front over one database",
    gates: gates.map(([id, kind, requires, evidence = "restores"]) => ({
      id,
      title: "It holds.",
      phase: "cutover",
      kind,
      evidence,
      maxAge: "1d",
      requires,
      severity: "high",
      why: "It would not hold.",
      remedy: "make it hold",
      waivable: false,
    })),
  };
  await writeFile(
    join(project, "policies", "checklists", "flagship.yaml"),
    JSON.stringify(checklist),
  );
}

/** Attests a report of the given text, and reads the statement that was written. */
async function attested(format: string, text: string): Promise<Readonly<Record<string, unknown>>> {
  const report = join(project, "report");
  await writeFile(report, text);
  const out = join(project, "statement.json");
  await attest("restores", {
    stack: "production",
    release: "v1.0.0",
    folder: project,
    format,
    report,
    out,
    statement: true,
  });
  const { predicate } = JSON.parse(await readFile(out, "utf8")) as {
    predicate: Readonly<Record<string, unknown>>;
  };
  return predicate;
}

const state = { state: { is: "restored" } };

describe("rows", () => {
  test("only what the gates of the evidence ask about is attested, of all of them together", async () => {
    await writeGates(
      ["restored", "records-show", { key: "database", each: state }],
      ["in-time", "records-show", { each: { minutes: { atMost: 60 } } }],
      ["elsewhere", "records-show", { of: "x", each: { password: { is: "x" } } }, "others"],
    );
    const report = "database,state,minutes,password\norders,restored,12,hunter2\n";
    const { rows } = await attested("csv", report);
    expect(rows).toEqual([{ database: "orders", state: "restored", minutes: 12 }]);
  });

  test("what was attested is judged by its gate", async () => {
    const requires = {
      of: "data.tests",
      each: { "result.ok": { is: true } },
      count: { atLeast: 2 },
    };
    await writeGates(["restored", "records-show", requires]);
    const gate = readChecklist("flagship", join(project, "policies", "checklists")).gates[0];
    const kind = kindNamed(gate?.kind ?? "");
    const asked = kind.requires.parse(gate?.requires);
    const report = (...oks: unknown[]): string =>
      JSON.stringify({ data: { tests: oks.map((ok) => ({ result: { ok, log: "secret" } })) } });
    const judge = async (...oks: unknown[]): Promise<string[]> => {
      const predicate = await attested("json", report(...oks));
      expect(JSON.stringify(predicate)).not.toContain("secret");
      predicates.records.schema.parse(predicate);
      return judgeBy(kind, predicate, asked).map(({ found }) => found);
    };
    expect(await judge(true, true)).toEqual([]);
    expect(await judge(true, false)).toEqual(["row 2: result.ok is false"]);
    expect(await judge(true)).toEqual(["there is 1 row"]);
  });

  test.each([
    ["csv", "state\nrestored\n"],
    ["json", '[{"state":"restored"}]'],
    ["json", '{"state":"restored"}'],
    ["key-value", "state=restored\n"],
    ["markdown-table", "| state |\n|-|\n| restored |\n"],
  ])("%s %j is attested", async (format, text) => {
    await writeGates(["restored", "records-show", { each: state }]);
    expect(await attested(format, text)).toMatchObject({ rows: [{ state: "restored" }] });
  });
});

describe("inventories and findings", () => {
  test.each([
    ["names", '["orders"]', "orders"],
    ["git-diff", "docs/a.md\n", "docs/a.md"],
    ["git-tree", `100644 blob ${"a".repeat(40)}\tdocs/a.md\n`, "docs/a.md"],
    ["next-routes", '{"/page":"/"}', "/"],
    ["dotenv", "PORT=8080\n", "PORT"],
  ])("%s is attested", async (format, text, name) => {
    await writeGates(["there", "inventory-holds", { present: ["**"] }]);
    expect(await attested(format, text)).toMatchObject({ entries: [{ name }] });
  });

  test("tsc is attested", async () => {
    await writeGates(["typed", "findings-within", { error: 0 }]);
    expect(await attested("tsc", "")).toMatchObject({ tool: { name: "tsc" }, result: [] });
  });
});

describe("refuses", () => {
  test("a format that the gates of the evidence cannot judge, and names those that they can", async () => {
    await writeGates(["restored", "records-show", { each: state }]);
    const refused = attested("names", '["orders"]');
    await expect(refused).rejects.toThrow(/names, which gate restored cannot judge/);
    await expect(refused).rejects.toThrow(/one of csv, json, key-value, markdown-table\b/);
    await expect(refused).rejects.toThrow(
      "npx cutover attest restores --format csv --report <file>",
    );
  });

  test("rows that no gate asks for", async () => {
    await writeGates(["there", "inventory-holds", { present: ["**"] }]);
    await expect(attested("csv", "state\nrestored\n")).rejects.toThrow(
      /csv, which gate there cannot judge/,
    );
  });

  test("gates that look for rows at two places", async () => {
    await writeGates(
      ["restored", "records-show", { of: "a.b", each: state }],
      ["counted", "records-show", { count: { atLeast: 1 } }],
    );
    const refused = attested("json", "[]");
    await expect(refused).rejects.toThrow(/gate restored wants the rows at a\.b/);
    await expect(refused).rejects.toThrow(/gate counted wants the whole\s+report/);
  });

  test("a report without a wanted column, and says which", async () => {
    await writeGates(["restored", "records-show", { each: state }]);
    await expect(attested("csv", "status\nrestored\n")).rejects.toThrow(/it has no column state/);
  });

  test("a checklist with a gate that cannot be used", async () => {
    await writeGates(["restored", "records-show", { where: state }]);
    await expect(attested("csv", "state\nrestored\n")).rejects.toThrow(/gate restored, requires/);
  });
});
