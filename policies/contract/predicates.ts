import { z } from "zod";
import { predicateTypes } from "./predicate-types.ts";
import { evidenceMetaSchema } from "./statement.ts";

const name = z.string().min(1).max(512);
const names = z.array(name).max(50_000);
const number = z.number();
const timestamp = z.iso.datetime({ offset: true });

/** Extends a predicate by what its evidence says of itself. Standard predicates may carry more, ours may not. */
function evidence<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object({ ...shape, cutover: evidenceMetaSchema });
}

/** https://in-toto.io/attestation/test-result/v0.1, extended by `skippedTests`. */
const tests = evidence({
  result: z.enum(["PASSED", "WARNED", "FAILED"]),
  configuration: z.array(z.looseObject({ name: z.string().optional() })),
  url: z.string().optional(),
  passedTests: names,
  /** Passed, but not at the first try. */
  warnedTests: names,
  failedTests: names,
  skippedTests: names,
});

/** How bad a vulnerability is, the worst first. `unknown` is what the scanner did not rate. */
export const severities = ["critical", "high", "medium", "low", "negligible", "unknown"] as const;

/** https://in-toto.io/attestation/vulns/v0.2; the first severity of an entry is one of `severities`. */
const vulnerabilities = evidence({
  scanner: z.looseObject({
    uri: z.string().min(1),
    version: z.string().optional(),
    db: z.looseObject({ lastUpdate: timestamp }),
    result: z
      .array(
        z.looseObject({
          id: name,
          severity: z
            .array(z.looseObject({ method: z.string(), score: z.string() }))
            .min(1)
            .max(8),
        }),
      )
      .max(50_000),
  }),
  metadata: z.looseObject({ scanStartedOn: timestamp, scanFinishedOn: timestamp }),
});

/** https://in-toto.io/attestation/svr/v0.1 */
const verification = evidence({
  verifier: z.looseObject({ id: z.string().min(1) }),
  timeCreated: timestamp,
  properties: names,
});

/** Findings of a static analysis. */
const findings = evidence({
  tool: z.strictObject({ name, version: z.string().optional() }),
  result: z
    .array(
      z.strictObject({
        rule: name,
        level: z.enum(["error", "warning", "note", "none"]),
        location: z.string().max(1024).optional(),
      }),
    )
    .max(50_000),
});

/** Whether a database has the migrations of a folder. */
const migrations = evidence({
  tool: z.strictObject({ name, version: z.string().optional() }),
  state: z.enum(["in-sync", "pending", "failed", "diverged"]),
  /** How many migrations the folder holds; null when the tool did not say. */
  total: z.number().int().min(0).nullable(),
  pending: names,
  failed: names,
  diverged: names,
});

/** Measured metrics: by metric and statistic (`p(95)`, `rate`), and the thresholds that the tool itself judged. */
const metrics = evidence({
  tool: z.strictObject({ name, version: z.string().optional() }),
  metrics: z.record(name, z.record(name, number)),
  thresholds: z
    .array(z.strictObject({ metric: name, expression: name, passed: z.boolean() }))
    .max(10_000),
});

/** What a document says: headings, named values, and the operations of an API (`GET /orders/{id}`). */
const document = evidence({
  format: z.enum(["openapi", "markdown"]),
  title: z.string().max(512),
  version: z.string().max(128).nullable(),
  sections: names,
  values: z.record(name, z.string().max(4096)),
  operations: names,
});

/** Two computations of the same numbers. A tolerance is absolute, in the unit of the numbers. */
const comparison = evidence({
  fixtures: z
    .array(
      z.strictObject({
        name,
        expected: number,
        actual: number,
        tolerance: z.number().min(0),
      }),
    )
    .min(1)
    .max(50_000),
});

/** Rows of a table or of a JSON export, with the fields that the checklist asks about and no others. */
const records = evidence({ rows: z.array(z.record(name, z.json())).max(50_000) });

/** What there is: files of a commit, routes of a build, names in a manifest. */
const inventory = evidence({
  entries: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(1024),
        /** Of its content, as the tool writes it. */
        digest: z.string().max(128).optional(),
        executable: z.boolean().optional(),
      }),
    )
    .max(50_000),
});

/** Measurements over time: by series, each a time in seconds since 1970 and a value; null where nothing was measured. */
const series = evidence({
  series: z
    .record(name, z.array(z.tuple([number, number.nullable()])).max(20_000))
    .refine((all) => Object.keys(all).length <= 1000, "no more than 1000 series"),
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const principal = z.string().min(1).max(128);

/** A person's yes to one phase of one release on one stack, in one role. */
const approval = z.strictObject({
  stack: name,
  phase: z.string(),
  role: z.string(),
  approver: principal,
  evidenceDigest: sha256,
  checklistDigest: sha256,
  signedAt: z.iso.datetime(),
});

/** A person's exception to one gate for one release on one stack, until it expires. */
const waiver = z.strictObject({
  stack: name,
  gate: name,
  reason: z.string().trim().min(10).max(500),
  approver: principal,
  expires: z.iso.datetime(),
  signedAt: z.iso.datetime(),
});

/** Every predicate: its type URI and its shape. */
export const predicates = {
  tests: { type: predicateTypes.tests, schema: tests },
  vulnerabilities: { type: predicateTypes.vulnerabilities, schema: vulnerabilities },
  verification: { type: predicateTypes.verification, schema: verification },
  findings: { type: predicateTypes.findings, schema: findings },
  migrations: { type: predicateTypes.migrations, schema: migrations },
  metrics: { type: predicateTypes.metrics, schema: metrics },
  document: { type: predicateTypes.document, schema: document },
  comparison: { type: predicateTypes.comparison, schema: comparison },
  records: { type: predicateTypes.records, schema: records },
  inventory: { type: predicateTypes.inventory, schema: inventory },
  series: { type: predicateTypes.series, schema: series },
  approval: { type: predicateTypes.approval, schema: approval },
  waiver: { type: predicateTypes.waiver, schema: waiver },
} as const;

/** Short name of a predicate. */
export type PredicateName = keyof typeof predicates;

/** The predicates that a reader of reports makes. */
export type EvidencePredicate = Exclude<PredicateName, "approval" | "waiver">;

/** The names of the predicates that a reader of reports makes. */
export const evidencePredicates = (Object.keys(predicates) as PredicateName[]).filter(
  (name): name is EvidencePredicate => name !== "approval" && name !== "waiver",
);

/** A predicate of one type. */
export type Predicate<Name extends PredicateName> = z.infer<(typeof predicates)[Name]["schema"]>;

/** What a reader makes of a report: a predicate without what the evidence says of itself. */
export type Facts<Name extends EvidencePredicate> = Omit<Predicate<Name>, "cutover">;
