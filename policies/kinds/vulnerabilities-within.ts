import { z } from "zod";
import { severities } from "../contract/predicates.ts";
import type { GuardFacts } from "../contract/facts.ts";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { count, limitText, tooMany } from "../checks/limits.ts";
import { own } from "../checks/names.ts";

type Severity = (typeof severities)[number];

/** What a checklist must limit at least one of: a limit of what nobody rated is no limit of harm. */
const rated = ["critical", "high", "medium", "low", "negligible"] as const;

/**
 * No more vulnerabilities of each severity than are allowed. Every entry counts, as in the totals that scanners print:
 * one that is found in three packages counts three times. What is rated by no known word counts as unknown.
 */
export const vulnerabilitiesWithin = evidenceKind({
  kind: "vulnerabilities-within",
  title: "A scan found no more vulnerabilities of each severity than are allowed.",
  judges: "vulnerabilities",
  requires: z
    .strictObject({
      critical: count
        .optional()
        .describe("how many critical vulnerabilities there may be; no limit without it"),
      high: count.optional().describe("how many high ones there may be; no limit without it"),
      medium: count.optional().describe("how many medium ones there may be; no limit without it"),
      low: count.optional().describe("how many low ones there may be; no limit without it"),
      negligible: count
        .optional()
        .describe("how many negligible ones there may be; no limit without it"),
      unknown: count.default(0).describe("how many there may be that the scanner did not rate"),
      image: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,62}$/)
        .optional()
        .describe("the service whose image must have been scanned"),
    })
    .refine(
      (limits) => rated.some((level) => limits[level] !== undefined),
      `at least one limit of ${rated.join(", ")}`,
    ),
  required: ({ image, ...limits }) =>
    `${limitText(severities, limits, (level) => [level, level])} vulnerabilities` +
    (image === undefined ? "" : ` in the image of ${image}`),
  judge: ({ scanner, cutover }, { image, ...limits }, { facts }) => [
    ...(image === undefined ? [] : judgeImage(image, cutover.images ?? [], facts)),
    ...tooMany(
      severities,
      limits,
      (level) =>
        scanner.result
          .filter(({ severity }) => severityOf(severity[0]?.score) === level)
          .map(({ id }) => id),
      (level) => [`${level} vulnerability`, `${level} vulnerabilities`],
    ),
  ],
});

function judgeImage(service: string, scanned: readonly string[], facts: GuardFacts): Reason[] {
  const image = own(facts.release.images, service);
  const digest = /@sha256:([0-9a-f]{64})$/.exec(image ?? "")?.[1];
  if (digest === undefined) {
    return [inconclusive(`the release has no image of ${service} that is given by its digest`)];
  }
  if (scanned.length === 0) return [inconclusive("it does not say which image was scanned")];
  return scanned.includes(digest) ? [] : [fail(`it is not about the image of ${service}`)];
}

function severityOf(score: string | undefined): Severity {
  return severities.find((severity) => severity === score) ?? "unknown";
}
