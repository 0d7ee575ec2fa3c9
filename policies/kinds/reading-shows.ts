import { z } from "zod";
import { ageProblems, durationText } from "../evidence/age.ts";
import type { CoverFacts } from "../contract/facts.ts";
import type { Reading } from "../contract/readings.ts";
import { inconclusive, type Reason } from "../gate.ts";
import { readingKind } from "../kind.ts";
import { nouns } from "../nouns.ts";
import { isRecord } from "../contract/path.ts";
import {
  fieldChecks,
  fields,
  fieldWords,
  judgeField,
  judgeFields,
  timeOf,
  type CheckContext,
  type FieldChecks,
} from "../checks/fields.ts";
import { joined, shownName } from "../checks/names.ts";

/**
 * Seconds that a reading may be old. The run that judges it reads it at its start, so an older one is from another run;
 * a quarter of an hour leaves room for slow answers and for asking again.
 */
const mostAgeSeconds = 15 * 60;

const coverNouns = [
  "databases",
  "backups",
  "buckets",
  "archives",
  "services",
] as const satisfies readonly (keyof CoverFacts)[];

/** Live facts are as they must be, about what this release covers, and were read just now. */
export const readingShows = readingKind({
  kind: "reading-shows",
  title: "What was read of the live system just now is as it must be.",
  judges: "reading",
  requires: z.strictObject({
    about: z
      .enum(coverNouns)
      .optional()
      .describe("what the reading must be about: one of these that the release covers"),
    subject: fieldChecks
      .optional()
      .describe(
        "what the reading must be about, as docs/readings.md says of its kind: an address, a name",
      ),
    fields: fields.describe("what each field must be, by its dotted path"),
  }),
  required: ({ about, subject, fields }) =>
    (about === undefined ? "" : `a ${nouns[about].one} of this release, of which `) +
    joined(fieldWords(subject === undefined ? fields : { "its subject": subject, ...fields })),
  judge: (reading, { about, subject, fields }, { facts, now }) => {
    const { value } = reading;
    if (reading.problem !== undefined || !isRecord(value)) {
      return [inconclusive("it could not be read", again)];
    }
    const old = judgeAge(reading, now);
    if (old.length > 0) return old;
    if (about !== undefined && !facts.covers[about].includes(reading.subject)) {
      const found = `it is about ${shownName(reading.subject)}, which this release does not cover`;
      return [inconclusive(found)];
    }
    // Where a reading looks stands in the stack config, which whoever releases can edit.
    const elsewhere = subject === undefined ? [] : judgeSubject(reading, subject, { facts, now });
    return [...elsewhere, ...judgeFields(value, fields, { facts, now })];
  },
});

function judgeSubject(
  { subject }: Reading,
  asked: FieldChecks,
  context: Omit<CheckContext, "whole">,
): Reason[] {
  return judgeField(subject, asked, { ...context, whole: undefined }).map(
    ({ found, ...reason }) => ({
      ...reason,
      found: `it is about ${shownName(subject)}, which ${found}`,
    }),
  );
}

const again = { remedy: "run it again" };

/** What is wrong with when it was read. */
function judgeAge({ at }: Reading, now: number): Reason[] {
  if (timeOf(at) === undefined) return [inconclusive("it does not say when it was read", again)];
  return ageProblems(at, mostAgeSeconds, now).map((problem) =>
    inconclusive(problem, {
      required: `a reading of the last ${durationText(mostAgeSeconds)}`,
      ...again,
    }),
  );
}
