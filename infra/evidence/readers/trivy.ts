import { z } from "zod";
import type { severities } from "../../../policies/contract/predicates.ts";
import type { Reader, ReadReport } from "../reader.ts";
import { fitFacts, isoTime, list, readShape, unreadable } from "./shared.ts";

const scores = {
  CRITICAL: "critical",
  HIGH: "high",
  MEDIUM: "medium",
  LOW: "low",
  UNKNOWN: "unknown",
} as const satisfies Record<string, (typeof severities)[number]>;

const severity = z.enum(["CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN"]).default("UNKNOWN");
const id = z.string().min(1).max(512);

const scannedSchema = z.object({
  Class: z.string().optional(),
  Vulnerabilities: list(z.object({ VulnerabilityID: id, Severity: severity })).nullish(),
  Secrets: list(z.object({ RuleID: id, Severity: severity })).nullish(),
  Misconfigurations: list(
    z.object({ ID: id, Status: z.string().optional(), Severity: severity }),
  ).nullish(),
});

const reportSchema = z.object({
  SchemaVersion: z.literal(2),
  Trivy: z.object({ Version: z.string().optional() }).optional(),
  CreatedAt: z.string(),
  ArtifactType: z.string().min(1),
  Metadata: z
    .object({
      OS: z.object({ EOSL: z.boolean().optional() }).nullish(),
      RepoDigests: list(z.string()).nullish(),
      Commit: z.string().optional(),
    })
    .default({}),
  Results: list(scannedSchema).nullish(),
});

type Report = z.output<typeof reportSchema>;

/**
 * Reads what `trivy --format json` writes of an image, a repository or a folder.
 *
 * A secret and a failed check of a configuration count like a vulnerability, with the severity that Trivy gives them;
 * licences do not. The report does not say how old the database of vulnerabilities was, so the time of the scan stands
 * for it.
 */
export const trivy: Reader<"vulnerabilities"> = {
  format: "trivy",
  title: "vulnerabilities, Trivy JSON",
  predicate: "vulnerabilities",
  read(bytes) {
    const report = readShape(reportSchema, bytes, "Trivy report of schema 2");
    const results = report.Results ?? [];
    if (!results.some(({ Class }) => Class === "os-pkgs" || Class === "lang-pkgs")) {
      throw unreadable("it looked at no packages; scan with --scanners vuln and --list-all-pkgs");
    }
    if (report.Metadata.OS?.EOSL === true) {
      throw unreadable(
        "its operating system gets no more updates, so new vulnerabilities are unknown; move to a newer one",
      );
    }
    const producedAt = isoTime(report.CreatedAt);
    const version = report.Trivy?.Version;
    return {
      facts: fitFacts("vulnerabilities", {
        scanner: {
          uri: "https://github.com/aquasecurity/trivy",
          ...(version === undefined ? {} : { version }),
          db: { lastUpdate: producedAt },
          result: results.flatMap((result) => [
            ...(result.Vulnerabilities ?? []).map((one) => found(one.VulnerabilityID, one)),
            ...(result.Secrets ?? []).map((one) => found(one.RuleID, one)),
            ...(result.Misconfigurations ?? [])
              .filter(({ Status }) => Status !== "PASS" && Status !== "EXCEPTION")
              .map((one) => found(one.ID, one)),
          ]),
        },
        metadata: { scanStartedOn: producedAt, scanFinishedOn: producedAt },
      }),
      producedAt,
      about: aboutOf(report),
    };
  },
};

function found(id: string, { Severity }: { Severity: keyof typeof scores }) {
  return { id, severity: [{ method: "trivy", score: scores[Severity] }] };
}

function aboutOf({ ArtifactType, Metadata }: Report): NonNullable<ReadReport["about"]> {
  const commit = Metadata.Commit?.toLowerCase() ?? "";
  return {
    ...(ArtifactType === "container_image" ? { images: digestsOf(Metadata) } : {}),
    ...(/^[0-9a-f]{40}$/.test(commit) ? { commit } : {}),
  };
}

function digestsOf({ RepoDigests }: Report["Metadata"]): string[] {
  const digests = (RepoDigests ?? []).map(
    (reference) => /@sha256:([0-9a-f]{64})$/.exec(reference)?.[1],
  );
  if (digests.length === 0 || digests.includes(undefined)) {
    throw unreadable(
      "it does not say by SHA-256 digest which image it scanned; scan the image from its registry",
    );
  }
  return [...new Set(digests.filter((digest) => digest !== undefined))];
}
