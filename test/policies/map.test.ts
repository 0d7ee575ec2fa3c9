import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { gateTable, type GateRow } from "../../policies/contract/gates.ts";
import { phases } from "../../policies/contract/phase.ts";
import type { Gate } from "../../policies/gate.ts";
import { releaseGates } from "../../policies/release-gates.ts";

const root = join(import.meta.dirname, "../..");
const rows: readonly GateRow[] = gateTable;

const files = readdirSync(join(root, "policies/gates"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({
    id: basename(file, ".ts"),
    noun: dirname(file),
    path: join(root, "policies/gates", file),
    test: join(root, "test/policies/gates", file.replace(/\.ts$/, ".test.ts")),
  }));

test("the list is the contract's table, in its order", () => {
  expect(releaseGates.map(({ id, guard, waivable }) => ({ id, guard, waivable }))).toEqual(
    rows.map(({ id, guard, waivable }) => ({ id, guard, waivable })),
  );
});

test("every gate has one file and every file one gate", () => {
  expect(files.map(({ id }) => id).sort()).toEqual(releaseGates.map(({ id }) => id).sort());
});

describe.each(files)("$noun/$id", ({ id, path, test: testFile }) => {
  const gate = releaseGates.find((one) => one.id === id) as Gate;
  const exportName = id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

  test("exports the gate under the file's name", async () => {
    const module = (await import(path)) as Record<string, unknown>;
    expect(Object.keys(module)).toEqual([exportName]);
    expect(module[exportName]).toBe(gate);
  });

  test("has a test with samples that pass and samples that fail", () => {
    expect(existsSync(testFile)).toBe(true);
    const source = readFileSync(testFile, "utf8");
    // The gate tester itself refuses empty samples.
    expect(source).toContain(`testGate(${exportName}, {`);
    expect(source).toMatch(/^ {2}passes: \{/m);
    expect(source).toMatch(/^ {2}fails: \{/m);
  });

  test("has a row in the catalogue", () => {
    expect(readFileSync(join(root, "policies/README.md"), "utf8")).toContain(`\n#### ${id}\n`);
  });

  test("says what it requires and why in a sentence each, short enough for a report", () => {
    for (const sentence of [gate.requires, gate.because]) {
      expect(sentence).toMatch(/^[A-Z].*[^.]\.$/);
      expect(sentence.length).toBeLessThanOrEqual(110);
    }
    expect(gate.required).not.toMatch(/\.$/);
    expect(gate.remedy).not.toMatch(/\.$/);
  });
});

test("what protects data, and the guard itself, cannot be waived", () => {
  const protects = /backup|recovery|encrypt|retain|retention|snapshot|lock|version|deletion/;
  const waivable = rows.filter((row) => row.waivable).map(({ id }) => id);
  expect(waivable).toEqual([
    "phase-not-early",
    "dns-ttl-lowered",
    "certificate-declared",
    "legacy-redirects-kept",
    "database-tls-forced",
    "service-health-checked",
    "service-hardened",
    "alarm-has-receiver",
  ]);
  expect(waivable.filter((id) => protects.test(id))).toEqual([]);
});

test("a gate on a resource's own inputs stands in every phase and both directions", () => {
  const own = releaseGates.filter(({ about }) => about === "resource").map(({ id }) => id);
  for (const row of rows.filter(({ id }) => own.includes(id))) {
    expect(row.phases).toEqual(phases);
    expect(row.directions).toEqual(["forward", "rollback"]);
  }
});

test("nothing is imported but the pack's own files and packages, and only pack.ts loads the SDK", () => {
  const { dependencies } = JSON.parse(
    readFileSync(join(root, "policies/package.json"), "utf8"),
  ) as { dependencies: Record<string, string> };
  const allowed = Object.keys(dependencies).filter((name) => !name.startsWith("@pulumi/"));
  const imports = readdirSync(join(root, "policies"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
    .flatMap((file) => {
      const text = readFileSync(join(root, "policies", file), "utf8");
      const matches = [...text.matchAll(/^import( type)? [^;]*?from "([^"]+)";/gms)];
      return matches.map(([, type, from = ""]) => ({ file, isType: type !== undefined, from }));
    });
  expect(imports.length).toBeGreaterThan(files.length);
  const outside = imports
    .filter(({ from }) => !from.startsWith("node:"))
    .filter(({ file, isType, from }) =>
      from.startsWith(".")
        ? !join("policies", dirname(file), from).startsWith("policies/")
        : !allowed.includes(from) && (from !== "@pulumi/policy" || (file !== "pack.ts" && !isType)),
    );
  expect(outside).toEqual([]);
});
