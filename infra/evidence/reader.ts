import type { EvidencePredicate, Facts } from "../../policies/contract/predicates.ts";
import type { JsonLimits } from "../../policies/contract/json.ts";

/** Limits of a report: 50,000 JUnit test cases take about 2.5 MB. */
export const reportLimits: JsonLimits = { bytes: 32 * 1024 * 1024, depth: 64 };

/** What a reader makes of a report. */
export interface ReadReport<Name extends EvidencePredicate = EvidencePredicate> {
  readonly facts: Facts<Name>;
  /** When it was measured, as the report says, ISO 8601 in UTC; null where it says nothing. */
  readonly producedAt: string | null;
  /** What the report itself says it is about; must agree with the release. */
  readonly about?: {
    /** Git commit, 40 hex digits. */
    readonly commit?: string;
    /** SHA-256 digests of images, hex; each must be one of the release's. */
    readonly images?: readonly string[];
  };
}

/** Which rows of a report the checklist asks about, and which of their fields, each by its dotted path. */
export interface WantedRows {
  /** Where the list of rows lies in the report; nothing where the report is the list. */
  readonly of?: string | undefined;
  readonly fields: readonly string[];
}

/** What a reader is told beside the report. */
export interface ReadOptions {
  /** Stands in where a predicate needs a time and the report has none. */
  readonly now: Date;
  /** What the checklist asks of a report that is made of rows; nothing else of it may be kept. */
  readonly rows?: WantedRows | undefined;
}

/** Reads one format of reports. */
export interface Reader<Name extends EvidencePredicate = EvidencePredicate> {
  /** Its name on the command line and of its file. */
  readonly format: string;
  /** What it reads, in a few words. */
  readonly title: string;
  readonly predicate: Name;
  /**
   * Reads a report. Names of tests are the path of their suites and their own name, joined by " > ".
   *
   * @throws UnreadableError saying what is wrong with the report
   */
  read(bytes: Buffer, options: ReadOptions): ReadReport<Name>;
}
