import type { z } from "zod";
import type { Attested } from "./evidence/attested.ts";
import type { Checklist } from "./contract/checklist.ts";
import type { GuardFacts } from "./contract/facts.ts";
import type { Phase } from "./contract/phase.ts";
import type { EvidencePredicate, Predicate } from "./contract/predicates.ts";
import type { Reading } from "./contract/readings.ts";
import type { Reason } from "./gate.ts";
import type { Seen } from "./run.ts";

/** What an evaluator may know beside what it judges. */
export interface KindContext {
  readonly facts: GuardFacts;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The phase that the gate stands before. */
  readonly phase: Phase;
  readonly checklist: Checklist;
  /** How much faster than the wall the clock runs; 1 outside a rehearsal. */
  readonly clockScale: number;
  /** Everything that the signed documents prove. */
  readonly attested: Attested;
}

interface KindText<Requires> {
  /** Its name in a checklist and of its file. */
  readonly kind: string;
  /** What it tells, one sentence. */
  readonly title: string;
  /** What a checklist may ask of it. */
  readonly requires: z.ZodType<Requires>;
  /** What is required, as the end of the line "Required: ". */
  required(requires: Requires): string;
  /** Names of evidence that it asks for beside the one that its gate names. */
  documents?(requires: Requires): readonly string[];
}

/** Which rows of a report a gate is about, and which of their fields, each by its dotted path. */
export interface RowsWanted {
  /** Where the list of rows lies in the report; nothing where the report is the list. */
  readonly of?: string | undefined;
  readonly fields: readonly string[];
}

/** Judges one piece of evidence; envelope, signer, subject and age were judged before. */
export interface EvidenceKind<
  Name extends EvidencePredicate = EvidencePredicate,
  Requires = unknown,
> extends KindText<Requires> {
  readonly judges: Name;
  /** What it reads of evidence that is made of rows; nothing else of a report is attested. */
  rows?(requires: Requires): RowsWanted;
  judge(predicate: Predicate<Name>, requires: Requires, context: KindContext): readonly Reason[];
}

/** Judges a reading that could be read. */
export interface ReadingKind<Requires = unknown> extends KindText<Requires> {
  readonly judges: "reading";
  judge(reading: Reading, requires: Requires, context: KindContext): readonly Reason[];
}

/** Judges the release as a whole: its approvals, its owners. */
export interface ReleaseKind<Requires = unknown> extends KindText<Requires> {
  readonly judges: "release";
  /** Whether it asks where the stack stands, which only a run of the program knows. */
  asksStack?(requires: Requires): boolean;
  /** The roles whose approval it asks for. */
  roles?(requires: Requires): readonly string[];
  judge(attested: Attested, requires: Requires, context: KindContext): readonly Reason[];
}

/** Judges the resources that were declared before the gate's guard. */
export interface ResourcesKind<Requires = unknown> extends KindText<Requires> {
  readonly judges: "resources";
  judge(seen: Seen, requires: Requires, context: KindContext): readonly Reason[];
}

/** Any evaluator. */
export type Kind = EvidenceKind | ReadingKind | ReleaseKind | ResourcesKind;

/** Makes an evaluator of evidence; only gives its parameters their types. */
export function evidenceKind<Name extends EvidencePredicate, Requires>(
  definition: EvidenceKind<Name, Requires>,
): EvidenceKind<Name, Requires> {
  return definition;
}

/** Makes an evaluator of readings; only gives its parameters their types. */
export function readingKind<Requires>(definition: ReadingKind<Requires>): ReadingKind<Requires> {
  return definition;
}

/** Makes an evaluator of releases; only gives its parameters their types. */
export function releaseKind<Requires>(definition: ReleaseKind<Requires>): ReleaseKind<Requires> {
  return definition;
}

/** Makes an evaluator of declared resources; only gives its parameters their types. */
export function resourcesKind<Requires>(
  definition: ResourcesKind<Requires>,
): ResourcesKind<Requires> {
  return definition;
}
