import { z } from "zod";
import { parseJson } from "../../../policies/contract/json.ts";
import type { severities } from "../../../policies/contract/predicates.ts";
import { reportLimits, type Reader } from "../reader.ts";
import {
  checkCount,
  count,
  fitFacts,
  fitShape,
  isObject,
  list,
  record,
  unreadable,
} from "./shared.ts";

const levels = ["critical", "high", "moderate", "low", "info"] as const;

type Level = (typeof levels)[number];

const scores = {
  critical: "critical",
  high: "high",
  moderate: "medium",
  low: "low",
  info: "negligible",
} as const satisfies Record<Level, (typeof severities)[number]>;

const severity = z.enum(levels);
const id = z.string().min(1).max(512);
const counts = z.object({ critical: count, high: count, moderate: count, low: count, info: count });

/** https://docs.npmjs.com/cli/v11/commands/npm-audit#audit-report */
const npmSchema = z.object({
  auditReportVersion: z.literal(2),
  vulnerabilities: record(
    z.object({
      severity,
      /** Advisories, and the packages through which others reach this one. */
      via: list(
        z.union([
          z.string(),
          z.object({ source: z.number(), url: z.string().optional(), severity }),
        ]),
      ),
    }),
  ),
  metadata: z.object({
    vulnerabilities: counts.extend({ total: count }),
    dependencies: z.object({ total: count }),
  }),
});

const pnpmSchema = z.object({
  advisories: record(
    z.object({
      severity,
      github_advisory_id: id.nullish(),
      cves: list(id).nullish(),
      findings: list(z.object({ paths: z.array(z.unknown()) })).default([]),
    }),
  ),
  metadata: z.object({ vulnerabilities: counts, totalDependencies: count.optional() }),
});

type NpmPackages = z.output<typeof npmSchema>["vulnerabilities"];

interface Advisory {
  readonly id: string;
  readonly severity: Level;
}

/**
 * Reads what `npm audit --json` (npm 7 and later) or `pnpm audit --json` writes: one vulnerability for each advisory.
 * pnpm counts also advisories that it was told to ignore and then does not list them: where that shows, one
 * `unlisted:<severity>` stands for them. Neither says when it ran, so the time of reading stands for it.
 */
export const audit: Reader<"vulnerabilities"> = {
  format: "audit",
  title: "vulnerabilities of dependencies, npm audit or pnpm audit",
  predicate: "vulnerabilities",
  read(bytes, { now }) {
    const report = parseJson(bytes, reportLimits);
    if (isObject(report) && "error" in report) throw failed(report["error"]);
    const { uri, method, advisories } =
      isObject(report) && "advisories" in report ? readPnpm(report) : readNpm(report);
    const time = now.toISOString();
    return {
      facts: fitFacts("vulnerabilities", {
        scanner: {
          uri,
          db: { lastUpdate: time },
          result: advisories.map(({ id, severity }) => ({
            id,
            severity: [{ method, score: scores[severity] }],
          })),
        },
        metadata: { scanStartedOn: time, scanFinishedOn: time },
      }),
      producedAt: null,
    };
  },
};

function readNpm(report: unknown) {
  const { vulnerabilities, metadata } = fitShape(npmSchema, report, "npm or pnpm audit");
  if (metadata.dependencies.total === 0) throw nothingAudited();
  const packages = Object.values(vulnerabilities);
  for (const level of levels) {
    const held = packages.filter(({ severity }) => severity === level).length;
    checkCount(`packages of severity ${level}`, metadata.vulnerabilities[level], held);
  }
  checkCount("packages", metadata.vulnerabilities.total, packages.length);
  checkReached(vulnerabilities);
  const advisories = new Map<string, Advisory>();
  for (const via of packages.flatMap(({ via }) => via)) {
    if (typeof via === "string") continue;
    const id = /GHSA(-[0-9a-z]{4}){3}$/.exec(via.url ?? "")?.[0] ?? `npm:${via.source}`;
    advisories.set(`${id} ${via.severity}`, { id, severity: via.severity });
  }
  return {
    uri: "https://docs.npmjs.com/cli/commands/npm-audit",
    method: "npm",
    advisories: [...advisories.values()],
  };
}

/** Checks that behind each package stands an advisory, so that none is lost by counting advisories only. */
function checkReached(packages: NpmPackages): void {
  const reaches = new Map<string, string[]>();
  const reached = new Set<string>();
  for (const [name, { via }] of Object.entries(packages)) {
    for (const one of via) {
      if (typeof one !== "string") reached.add(name);
      else if (!reaches.has(one)) reaches.set(one, [name]);
      else reaches.get(one)?.push(name);
    }
  }
  // A set that grows while it is walked: what it holds reaches further packages.
  for (const name of reached) for (const next of reaches.get(name) ?? []) reached.add(next);
  const lost = Object.keys(packages).find((name) => !reached.has(name));
  if (lost !== undefined) throw unreadable(`it names no advisory for ${lost}`);
}

function readPnpm(report: unknown) {
  const { advisories, metadata } = fitShape(pnpmSchema, report, "npm or pnpm audit");
  if (metadata.totalDependencies === 0) throw nothingAudited();
  const listed = Object.entries(advisories).map(([key, advisory]) => ({
    id: advisory.github_advisory_id ?? advisory.cves?.[0] ?? `npm:${key}`,
    severity: advisory.severity,
    ways: advisory.findings.reduce((sum, { paths }) => sum + paths.length, 0),
  }));
  const unlisted = levels.filter((level) => {
    const claimed = metadata.vulnerabilities[level];
    const held = listed.filter(({ severity }) => severity === level);
    if (claimed < held.length) checkCount(`advisories of severity ${level}`, claimed, held.length);
    // Some versions count an advisory once for each way that leads to it.
    return claimed > held.reduce((sum, { ways }) => sum + Math.max(ways, 1), 0);
  });
  return {
    uri: "https://pnpm.io/cli/audit",
    method: "pnpm",
    advisories: [
      ...listed,
      ...unlisted.map((severity) => ({ id: `unlisted:${severity}`, severity })),
    ],
  };
}

function nothingAudited(): Error {
  return unreadable("it audited no dependency; run it beside the lock file");
}

/** The refusal of a report of a failure; only the code of the failure is told. */
function failed(error: unknown): Error {
  const code = isObject(error) ? error["code"] : undefined;
  const told = typeof code === "string" && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? ` (${code})` : "";
  return unreadable(`the audit itself failed${told}; solve that and run it again`);
}
