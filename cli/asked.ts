import type { Checklist, ChecklistGate } from "../policies/contract/checklist.ts";
import type { Phase } from "../policies/contract/phase.ts";
import { evidencePredicates, type EvidencePredicate } from "../policies/contract/predicates.ts";
import type { Kind, RowsWanted } from "../policies/kind.ts";
import { kindNamed } from "../policies/kinds.ts";
import type { Reader } from "../infra/evidence/reader.ts";
import { readers } from "../infra/evidence/readers.ts";

/** A gate that asks for evidence, by one of the names that it gives it. */
export interface AskingGate {
  readonly row: ChecklistGate;
  /** Name of the evidence. */
  readonly evidence: string;
  /** What the evidence must be; undefined where any will do, because people approve it and nothing reads it. */
  readonly predicate: EvidencePredicate | undefined;
  /** What the gate reads of evidence that is made of rows. */
  readonly rows?: RowsWanted | undefined;
}

/** The kind of a row whose checklist was found to be usable. */
export function kindOf(row: ChecklistGate): Kind {
  return kindNamed(row.kind) as Kind;
}

/** What the gates of a usable checklist ask to be attested, in its order. */
export function evidenceAsked(checklist: Checklist): AskingGate[] {
  return checklist.gates.flatMap((row) => {
    const kind = kindOf(row);
    const requires = kind.requires.parse(row.requires);
    const predicate = evidencePredicates.find((name) => name === kind.judges);
    const rows = "rows" in kind ? kind.rows(requires) : undefined;
    const own =
      row.evidence === undefined ? [] : [{ row, evidence: row.evidence, predicate, rows }];
    const others = kind.documents?.(requires) ?? [];
    return [...own, ...others.map((evidence) => ({ row, evidence, predicate }))];
  });
}

/** The readers whose evidence all of these gates can judge. */
export function readersFor(gates: readonly AskingGate[]): Reader[] {
  return readers.filter(({ predicate }) =>
    gates.every((gate) => gate.predicate === undefined || gate.predicate === predicate),
  );
}

/** The roles that the gates before a phase ask to sign, each once; those of all phases where none is named. */
export function rolesAsked(checklist: Checklist, phase?: Phase): string[] {
  const asked = checklist.gates
    .filter((row) => phase === undefined || row.phase.includes(phase))
    .flatMap((row) => {
      const kind = kindOf(row);
      return kind.judges === "release"
        ? (kind.roles?.(kind.requires.parse(row.requires)) ?? [])
        : [];
    });
  return [...new Set(asked)];
}
