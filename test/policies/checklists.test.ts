import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { evidenceAsked } from "../../cli/asked.ts";
import { readers } from "../../infra/evidence/readers.ts";
import { readChecklist, type Checklist } from "../../policies/contract/checklist.ts";
import { verdictOf, type Finding } from "../../policies/gate.ts";
import { kindNamed } from "../../policies/kinds.ts";
import { expectReadable } from "../support/gate-tester.ts";
import {
  judge,
  judgeRow,
  readSamples,
  sampleTimes,
  type World,
} from "../support/checklist-samples.ts";

const project = join(import.meta.dirname, "..", "..");

const systems = readdirSync(join(project, "policies", "checklists"))
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.replace(/\.yaml$/, ""));

interface Ledger {
  readonly documents: Readonly<Record<string, string>>;
  readonly requirements: readonly {
    readonly id: string;
    readonly asked: Readonly<Record<string, string>>;
  }[];
}

const ledger = parse(
  readFileSync(join(project, "examples", "requirements.yaml"), "utf8"),
) as Ledger;

test("every document of examples/requirements.yaml has a checklist", () => {
  expect(systems).toEqual(expect.arrayContaining(Object.keys(ledger.documents)));
});

const encoded = Object.entries(ledger.documents).filter(([system]) => systems.includes(system));

describe.each(encoded)("%s", (system, document) => {
  const checklist = readChecklist(system);
  const asked = ledger.requirements.filter((one) => one.asked[system] !== undefined);

  test("has every requirement of its document once, and no other", () => {
    expect(checklist.gates.map(({ id }) => id).sort()).toEqual(asked.map(({ id }) => id).sort());
  });

  test("says where each requirement stands in the document", () => {
    expect(checklist.document).toBe(document);
    const sections = checklist.gates.map(({ id, source }) => [id, source?.section]);
    const wanted = asked.map(({ id, asked: where }) => [id, where[system]]);
    expect(Object.fromEntries(sections)).toEqual(Object.fromEntries(wanted));
  });
});

test("the systems of this project have samples", () => {
  const known = [...Object.keys(ledger.documents), "flagship"];
  expect(known.filter((system) => !existsSync(samplesOf(system)))).toEqual([]);
});

describe.each(systems.filter((system) => existsSync(samplesOf(system))))("%s", (system) => {
  const checklist = readChecklist(system);
  const samples = readSamples(system);
  const rows = checklist.gates.map((row) => [row.id, row] as const);

  test("has samples of every gate, and of no other", () => {
    expect(samples.system).toBe(system);
    expect(Object.keys(samples.failing).sort()).toEqual(rows.map(([id]) => id).sort());
  });

  test.each(rows)("%s is open when all is well", (_, row) => {
    expect(judgeRow(checklist, row, samples)).toEqual([]);
  });

  const failing = Object.entries(samples.failing).flatMap(([id, all]) =>
    all.map((one) => [id, one.name, one] as const),
  );

  test.each(failing)("%s is closed, and no other gate: %s", (id, _, sample) => {
    const { name: _name, says, checklist: changes = {}, ...wrong } = sample;
    const changedList: Checklist =
      Object.keys(changes).length === 0
        ? checklist
        : { ...checklist, gates: checklist.gates.map((row) => ({ ...row, ...changes[row.id] })) };
    const judged = judge(changedList, samples, wrong);
    const found = changedList.gates.map((row) => [row.id, judged(row)] as const);
    const closed = found.filter(([, findings]) => findings.length > 0);
    expect(closed.map(([gate, findings]) => [gate, texts(findings)])).toEqual([
      [id, expect.stringContaining(says)],
    ]);
    closed.forEach(([, findings]) => findings.forEach(expectReadable));
  });

  const evidenceRows = rows.filter(([, { evidence }]) => evidence !== undefined);
  if (evidenceRows.length > 0) {
    test.each(evidenceRows)("%s is closed without its evidence", (_, row) => {
      const findings = judgeRow(checklist, row, samples, {
        evidence: { [row.evidence ?? ""]: null },
      });
      expect(verdictOf(findings)).toBe("inconclusive");
      expect(texts(findings)).toContain(`there is no evidence ${row.evidence ?? ""}`);
    });

    test.each(evidenceRows)("%s is closed when its evidence is a second too old", (_, row) => {
      const oldest = sampleTimes.now - (row.maxAge ?? 0) * 1000;
      const at = (time: number): Partial<World> => ({
        evidence: { [row.evidence ?? ""]: { producedAt: new Date(time).toISOString() } },
      });
      const findings = judgeRow(checklist, row, samples, at(oldest - 1000));
      expect(verdictOf(findings)).toBe("inconclusive");
      expect(texts(findings)).toContain("older than");
      // Whoever must come after a phase may be too early now, but not too old.
      expect(texts(judgeRow(checklist, row, samples, at(oldest)))).not.toContain("older than");
    });

    test.each(evidenceRows)("%s can be attested as its remedy says", (_, row) => {
      const kind = kindNamed(row.kind);
      const formats = readers
        .filter(({ predicate }) => predicate === kind?.judges)
        .map(({ format }) => format);
      const command = /npx cutover attest (\S+) --format (\S+) --report/.exec(row.remedy);
      expect([command?.[1], formats]).toEqual([
        row.evidence,
        expect.arrayContaining([command?.[2] ?? ""]),
      ]);
    });
  }

  const documentRows = evidenceAsked(checklist)
    .filter(({ row, evidence }) => row.evidence !== evidence)
    .map(({ row, evidence }) => [row.id, evidence, row] as const);
  if (documentRows.length > 0) {
    test.each(documentRows)("%s is closed without %s", (_, evidence, row) => {
      const findings = judgeRow(checklist, row, samples, { evidence: { [evidence]: null } });
      expect(verdictOf(findings)).toBe("inconclusive");
      expect(texts(findings)).toContain(evidence);
    });
  }

  const readingRows = rows.filter(([, { reading }]) => reading !== undefined);
  if (readingRows.length > 0) {
    test.each(readingRows)("%s is closed without its reading", (_, row) => {
      const findings = judgeRow(checklist, row, samples, {
        readings: { [row.reading ?? ""]: null },
      });
      expect(verdictOf(findings)).toBe("inconclusive");
      expect(texts(findings)).toContain(`there is no reading ${row.reading ?? ""}`);
    });
  }
});

function samplesOf(system: string): string {
  return join(import.meta.dirname, "checklists", `${system}.yaml`);
}

function texts(findings: readonly Finding[]): string {
  return findings.map(({ found }) => found).join("; ");
}
