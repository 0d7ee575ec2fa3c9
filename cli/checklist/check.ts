import type { ChecklistGate } from "../../policies/contract/checklist.ts";
import { phaseMeaning, phases, type Phase } from "../../policies/contract/phase.ts";
import { wrapWords } from "../../policies/contract/text.ts";
import { durationText } from "../../policies/evidence/age.ts";
import type { Kind } from "../../policies/kind.ts";
import { counted, countedNames, joined, shownLine } from "../../policies/checks/names.ts";
import { evidenceAsked, kindOf, readersFor } from "../asked.ts";
import { readers } from "../../infra/evidence/readers.ts";
import { readChecklistFile, reasonToWrite } from "./file.ts";

/** A gate as `cutover checklist check` explains it. */
interface ExplainedGate {
  readonly gate: string;
  readonly phases: readonly Phase[];
  readonly kind: string;
  /** The evidence or reading that it judges, where it judges one. */
  readonly judges?: string;
  readonly severity: string;
  readonly waivable: boolean;
  readonly required: string;
  /** The action of the release that does it. */
  readonly step?: string;
  /** What follows when it does not hold while the release is watched. */
  readonly reaction?: string;
}

/** What a checklist asks for, all told. */
export interface Explanation {
  readonly system: string;
  readonly title: string;
  readonly document?: string;
  readonly digest: string;
  readonly gates: readonly ExplainedGate[];
  readonly evidence: readonly {
    readonly name: string;
    readonly formats: readonly string[];
    /** Seconds that it may be old, the shortest that a gate asks for; null where none does. */
    readonly maxAgeSeconds: number | null;
    readonly gates: readonly string[];
  }[];
  readonly readings: readonly { readonly name: string; readonly gates: readonly string[] }[];
  readonly roles: readonly { readonly name: string; readonly gates: readonly string[] }[];
  /** What the document leaves open and what was decided. */
  readonly open: readonly {
    readonly name: string;
    readonly asks: string;
    readonly value: unknown;
  }[];
  /** Gates whose reason is still to be written. */
  readonly withoutReason: readonly string[];
}

/**
 * Explains a checklist.
 *
 * @throws OperatorError when the file cannot be read, and with what is wrong with it
 */
export function explainChecklist(file: string): Explanation {
  const { checklist, gates: judged } = readChecklistFile(file);
  const { system, title, document, digest, gates } = checklist;
  const byKind = gates.map((row) => [row, kindOf(row)] as const);
  return {
    system,
    title,
    ...(document === undefined ? {} : { document }),
    digest,
    gates: gates.map((row, index) => ({
      gate: row.id,
      phases: row.phase,
      kind: row.kind,
      ...judgedBy(row),
      severity: row.severity,
      waivable: row.waivable,
      required: judged[index]?.required ?? "",
      ...(row.step === undefined ? {} : { step: row.step }),
      ...(row.reaction === undefined ? {} : { reaction: row.reaction }),
    })),
    evidence: grouped(evidenceAsked(checklist), ({ evidence }) => [evidence]).map(
      ([name, those]) => {
        const ages = those.flatMap(({ row, evidence }) =>
          row.evidence === evidence && row.maxAge !== undefined ? [row.maxAge] : [],
        );
        return {
          name,
          formats: readersFor(those).map(({ format }) => format),
          maxAgeSeconds: ages.length === 0 ? null : Math.min(...ages),
          gates: those.map(({ row }) => row.id),
        };
      },
    ),
    readings: grouped(byKind, ([row]) => (row.reading === undefined ? [] : [row.reading])).map(
      ([name, those]) => ({ name, gates: those.map(([row]) => row.id) }),
    ),
    roles: grouped(byKind, ([row, kind]) => rolesOf(row, kind)).map(([name, those]) => ({
      name,
      gates: those.map(([row]) => row.id),
    })),
    open: Object.entries(checklist.open).map(([name, { asks, value }]) => ({ name, asks, value })),
    withoutReason: gates.filter(({ why }) => why === reasonToWrite).map(({ id }) => id),
  };
}

function judgedBy({ evidence, reading }: ChecklistGate): { readonly judges?: string } {
  const judges = evidence ?? reading;
  return judges === undefined ? {} : { judges };
}

function rolesOf(row: ChecklistGate, kind: Kind): readonly string[] {
  return kind.judges === "release" ? (kind.roles?.(kind.requires.parse(row.requires)) ?? []) : [];
}

function grouped<Entry>(
  entries: readonly Entry[],
  namesOf: (entry: Entry) => readonly string[],
): (readonly [name: string, entries: readonly Entry[]])[] {
  const names = [...new Set(entries.flatMap(namesOf))];
  return names.map((name) => [name, entries.filter((one) => namesOf(one).includes(name))] as const);
}

const width = 80;

/** An explanation as people read it, in at most 80 columns. */
export function explanationText(told: Explanation): string {
  const { system, title, document, gates, evidence, readings, roles, open, withoutReason } = told;
  return [
    ...wrapWords(shownLine(`${system}: ${title}`), width),
    ...wrapWords(
      [
        counted(gates.length, "gate"),
        `${gates.filter(({ step }) => step !== undefined).length} of them steps`,
        `${gates.filter(({ reaction }) => reaction !== undefined).length} watched`,
        ...(document === undefined ? [] : [`from ${shownLine(document)}`]),
      ].join(", "),
      width,
    ),
    `Digest ${told.digest.slice(0, 12)}`,
    ...phases.flatMap((phase) => phaseText(phase, gates)),
    ...section(
      "Evidence to attest",
      evidence.map(({ name, formats, maxAgeSeconds, gates: those }) => [
        name,
        `${formats.length === readers.length ? "any format" : joined(formats).replace(/ and (\S+)$/, " or $1")}, ` +
          (maxAgeSeconds === null ? "" : `no older than ${durationText(maxAgeSeconds)}, `) +
          `for ${counted(those.length, "gate")}`,
      ]),
    ),
    ...section(
      "Readings to configure (cutover:readings)",
      readings.map(({ name, gates: those }) => [name, `for ${joined(those)}`]),
    ),
    ...section(
      "Roles that must sign (policies/trust/allowed_signers)",
      roles.map(({ name, gates: those }) => [name, `for ${joined(those)}`]),
    ),
    ...section(
      "Decided by the team, because the document leaves it open",
      open.map(({ name, asks, value }) => [`${name} = ${JSON.stringify(value)}`, asks]),
    ),
    ...(withoutReason.length === 0
      ? []
      : [
          "",
          ...wrapWords(`Reasons to write (why): ${countedNames(withoutReason, "gate")}`, width),
        ]),
  ].join("\n");
}

function phaseText(phase: Phase, gates: readonly ExplainedGate[]): string[] {
  const always = (gate: ExplainedGate): boolean => gate.phases.length === phases.length;
  const shown = gates.filter((gate) =>
    always(gate) ? phase === phases[0] : gate.phases.includes(phase),
  );
  if (shown.length === 0) return [];
  return [
    "",
    `Before ${phase}: ${counted(shown.length, "gate")}`,
    ...wrapWords(phaseMeaning[phase], width - 2).map((line) => `  ${line}`),
    "",
    ...shown.flatMap((gate) => {
      const tags = [
        gate.kind,
        ...(gate.judges === undefined ? [] : [`of ${gate.judges}`]),
        ...(always(gate) ? ["in every phase"] : []),
        ...(gate.step === undefined ? [] : [`step ${gate.step}`]),
        ...(gate.reaction === undefined ? [] : [`else ${gate.reaction}`]),
        gate.severity,
        ...(gate.waivable ? ["waivable"] : []),
      ];
      return [
        `  ${gate.gate}`,
        ...wrapWords(tags.join(", "), width - 6).map((line) => `      ${line}`),
      ];
    }),
  ];
}

function section(heading: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return [];
  return [
    "",
    `${heading}: ${rows.length}`,
    "",
    ...rows.flatMap(([name, text]) => [
      ...wrapWords(shownLine(name), width - 2, "  ").map((line) => `  ${line}`),
      ...wrapWords(shownLine(text), width - 6).map((line) => `      ${line}`),
    ]),
  ];
}
