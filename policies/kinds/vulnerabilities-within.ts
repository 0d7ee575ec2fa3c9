import { z } from "zod";
import { severities } from "../contract/predicates.ts";
import { evidenceKind } from "../kind.ts";
import { count, limitText, tooMany } from "./limits.ts";

type Severity = (typeof severities)[number];

/**
 * No more vulnerabilities of each severity than are allowed. Every entry counts, as in the totals that scanners print:
 * one that is found in three packages counts three times. What is rated by no known word counts as unknown.
 */
export const vulnerabilitiesWithin = evidenceKind({
  kind: "vulnerabilities-within",
  title: "A scan found no more vulnerabilities of each severity than are allowed.",
  judges: "vulnerabilities",
  requires: z.strictObject({
    critical: count.describe("how many critical vulnerabilities there may be"),
    high: count.describe("how many high ones there may be"),
    medium: count.optional().describe("how many medium ones there may be; no limit without it"),
    low: count.optional().describe("how many low ones there may be; no limit without it"),
    negligible: count
      .optional()
      .describe("how many negligible ones there may be; no limit without it"),
    unknown: count.default(0).describe("how many there may be that the scanner did not rate"),
  }),
  required: (limits) =>
    `${limitText(severities, limits, (level) => [level, level])} vulnerabilities`,
  judge: ({ scanner }, limits) =>
    tooMany(
      severities,
      limits,
      (level) =>
        scanner.result
          .filter(({ severity }) => severityOf(severity[0]?.score) === level)
          .map(({ id }) => id),
      (level) => [`${level} vulnerability`, `${level} vulnerabilities`],
    ),
});

function severityOf(score: string | undefined): Severity {
  return severities.find((severity) => severity === score) ?? "unknown";
}
