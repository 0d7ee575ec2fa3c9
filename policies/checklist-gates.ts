import type { z } from "zod";
import { afterProblems, ageProblems } from "./evidence/age.ts";
import {
  ChecklistError,
  gateName,
  type Checklist,
  type ChecklistGate,
} from "./contract/checklist.ts";
import type { GuardFacts } from "./contract/facts.ts";
import { issueText, parsePlainly } from "./contract/issues.ts";
import { phaseAfter, type Phase } from "./contract/phase.ts";
import { predicates } from "./contract/predicates.ts";
import { subjectProblems } from "./contract/statement.ts";
import { fail, inconclusive, type Gate, type Reason } from "./gate.ts";
import type { Told } from "./evidence/attested.ts";
import type { EvidenceKind, Kind, KindContext } from "./kind.ts";
import { kindNamed, kinds } from "./kinds.ts";
import { counted, own, shownName } from "./checks/names.ts";

/**
 * The gates of a checklist.
 *
 * @throws ChecklistError with every gate whose kind is unknown, or whose kind cannot use what it requires
 */
export function gatesOf(checklist: Checklist): Gate[] {
  const problems: string[] = [];
  const gates = checklist.gates.flatMap((row) => {
    const { kind, requires, problems: faults } = readKind(row.id, row.kind, row.requires);
    problems.push(...faults);
    if (kind === undefined) return [];
    problems.push(
      ...missingKeys(row, kind).map((key) => `gate ${row.id}, ${key}: ${missingText(row, key)}`),
      ...strangeKeys(row, kind).map((key) => `gate ${row.id}, ${key}: of no use for ${row.kind}`),
    );
    return faults.length === 0 ? [gateOf(checklist, row, kind, requires)] : [];
  });
  if (problems.length === 0) return gates;
  const file = `checklists/${checklist.system}.yaml`;
  throw new ChecklistError(problems.map((problem) => `${file}: ${problem}`).join("\n"));
}

/** The kind that a row names and what the row requires of it, parsed; and what is wrong with both. */
export function readKind(
  id: string,
  named: string,
  given: unknown,
): { readonly kind?: Kind; readonly requires?: unknown; readonly problems: string[] } {
  const kind = kindNamed(named);
  if (kind === undefined) {
    const all = kinds.map((one) => one.kind).join(", ");
    return { problems: [`gate ${id}, kind: found ${named}, required one of ${all}`] };
  }
  const { data: requires, error } = parsePlainly(kind.requires, given);
  const problems = (error?.issues ?? []).map(
    (issue) =>
      `gate ${id}, ${["requires", ...issue.path].map(String).join(".")}: ${issueText(issue)}`,
  );
  return { kind, requires, problems };
}

/** The keys that each sort of kind needs, and those that it may have. */
const keysOf = {
  evidence: { needs: ["evidence", "maxAge"], may: ["after", "afterBy"] },
  reading: { needs: ["reading"], may: [] },
  release: { needs: [], may: [] },
  resources: { needs: ["guard"], may: [] },
} as const satisfies Record<string, { needs: readonly RowKey[]; may: readonly RowKey[] }>;

type RowKey = "evidence" | "maxAge" | "after" | "afterBy" | "reading" | "guard";

const rowKeys: readonly RowKey[] = ["evidence", "maxAge", "after", "afterBy", "reading", "guard"];

function keysFor({ judges }: Kind): {
  readonly needs: readonly RowKey[];
  readonly may: readonly RowKey[];
} {
  return keysOf[
    judges === "reading" || judges === "release" || judges === "resources" ? judges : "evidence"
  ];
}

/** The entry guard is where a gate stands that names none. */
function hasKey(row: ChecklistGate, key: RowKey): boolean {
  return key === "guard" ? row.guard !== "entry" : row[key] !== undefined;
}

function missingKeys(row: ChecklistGate, kind: Kind): RowKey[] {
  const { needs } = keysFor(kind);
  const wanted: readonly RowKey[] = row.afterBy === undefined ? needs : [...needs, "after"];
  return wanted.filter((key) => !hasKey(row, key));
}

function missingText({ kind }: ChecklistGate, key: RowKey): string {
  if (key === "after") return "required beside afterBy";
  return `required for ${kind}${key === "guard" ? ": data or switch" : ""}`;
}

function strangeKeys(row: ChecklistGate, kind: Kind): string[] {
  const { needs, may } = keysFor(kind);
  return rowKeys.filter((key) => hasKey(row, key) && !needs.includes(key) && !may.includes(key));
}

function sourceOf({ document = "" }: Checklist, { source }: ChecklistGate): Pick<Gate, "source"> {
  if (source === undefined) return {};
  return { source: { document: source.document ?? document, section: source.section } };
}

/** The phase that the gate is judged for: the one at hand, or the next where it is advice. */
function phaseOf(row: ChecklistGate, { phase }: GuardFacts): Phase {
  const next = phaseAfter(phase);
  if (row.phase.includes(phase) || next === undefined || !row.phase.includes(next)) return phase;
  return next;
}

function gateOf(checklist: Checklist, row: ChecklistGate, kind: Kind, requires: unknown): Gate {
  return {
    id: gateName(checklist.system, row.id),
    about: "told",
    guard: row.guard,
    requires: row.title,
    because: row.why,
    severity: row.severity,
    required: kind.required(requires),
    remedy: row.remedy,
    ...sourceOf(checklist, row),
    waivable: row.waivable,
    // What the next phase declares is not there yet.
    ...(kind.judges === "resources" ? { ownPhaseOnly: true as const } : {}),
    judge: (told, facts, { now, rehearsal }, seen) => {
      const { attested } = told;
      // Time is scaled in a rehearsal only, whatever the facts say.
      const clockScale = rehearsal ? facts.clockScale : 1;
      const context: KindContext = {
        facts,
        now,
        phase: phaseOf(row, facts),
        checklist,
        clockScale,
        attested,
      };
      if (kind.judges === "resources") return kind.judge(seen, requires, context);
      if (kind.judges === "release") return kind.judge(told.attested, requires, context);
      if (kind.judges === "reading") {
        const name = row.reading ?? "";
        const reading = own(told.readings, name);
        if (reading === undefined) {
          return [
            inconclusive(`there is no reading ${name}`, {
              remedy: `say where to look in cutover:readings.${name}`,
            }),
          ];
        }
        if (reading.problem !== undefined) {
          return [
            inconclusive(`reading ${name} of ${shownName(reading.subject)}: ${reading.problem}`),
          ];
        }
        return kind.judge(reading, requires, context);
      }
      return judgeEvidence(row, kind, requires, told, context);
    },
  };
}

/**
 * Judges every statement of a gate's evidence. All of them must hold: two that disagree are a failure, because nobody
 * can tell which one is true.
 */
function judgeEvidence(
  { evidence: name = "", maxAge = 0, after, afterBy = 0 }: ChecklistGate,
  kind: EvidenceKind,
  requires: unknown,
  { attested }: Told,
  context: KindContext,
): readonly Reason[] {
  if (attested.trustProblem !== undefined) {
    return [inconclusive("no signature can be checked, see gate evidence-verified")];
  }
  const refused = attested.refused.filter(({ claims }) => claims === name);
  const held = attested.evidence.filter(({ content }) => content.evidence === name);
  if (held.length === 0 && refused.length === 0) {
    const lost = attested.refused.filter(({ claims }) => claims === undefined).length;
    const others = lost === 0 ? "" : `; ${counted(lost, "document")} cannot be read`;
    return [inconclusive(`there is no evidence ${name}${others}`)];
  }
  const { facts, now, clockScale } = context;
  const judged = held.map(({ document, statement, content }) => {
    const problems = [
      ...subjectProblems(statement.subject, facts.release),
      ...ageProblems(content.producedAt, maxAge, now),
      ...(after === undefined
        ? []
        : afterProblems(content.producedAt, after, facts, afterBy / clockScale)),
      ...(statement.predicateType === predicates[kind.judges].type
        ? []
        : [`it is a statement of another type than ${predicates[kind.judges].type}`]),
    ];
    if (problems.length > 0) {
      return problems.map((problem) => inconclusive(`evidence ${name} (${document}): ${problem}`));
    }
    const schema: z.ZodType = predicates[kind.judges].schema;
    const predicate = schema.safeParse(statement.predicate);
    if (!predicate.success) {
      const where = predicate.error.issues[0]?.path.map(String).join(".") ?? "";
      return [
        inconclusive(
          `evidence ${name} (${document}): its predicate has another shape, see ${shownName(where)}`,
        ),
      ];
    }
    return kind.judge(predicate.data as never, requires, context);
  });
  const reasons = [
    ...refused.map(({ document, why }) => inconclusive(`evidence ${name} (${document}): ${why}`)),
    ...judged.flat(),
  ];
  const passed = judged.filter((one) => one.length === 0).length;
  if (passed > 0 && judged.some((one) => one.some(({ verdict }) => verdict === "fail"))) {
    const documents = held.map(({ document }) => document).join(", ");
    return [
      fail(`statements of evidence ${name} disagree: ${documents}`, {
        remedy: "find out which one is true and remove the other",
      }),
      ...reasons,
    ];
  }
  return reasons;
}
