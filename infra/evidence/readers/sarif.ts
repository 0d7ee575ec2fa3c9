import { z } from "zod";
import type { Reader, ReadReport } from "../reader.ts";
import { fitFacts, isoTime, list, readShape, unreadable } from "./shared.ts";

const level = z.enum(["error", "warning", "note", "none"]);
const index = z.number().int().min(-1).nullish();
const id = z.string().min(1).max(512).nullish();

const descriptorSchema = z.object({
  id: z.string().nullish(),
  defaultConfiguration: z.object({ level: level.nullish() }).nullish(),
});

/** A rule by its place in a component of the tool, or by its name. */
const referenceSchema = z.object({ id, index, toolComponent: z.object({ index }).nullish() });

const componentSchema = z.object({
  name: z.string().min(1).max(512),
  version: z.string().nullish(),
  semanticVersion: z.string().nullish(),
  rules: list(descriptorSchema).nullish(),
});

const invocationSchema = z.object({
  executionSuccessful: z.boolean(),
  endTimeUtc: z.string().nullish(),
  ruleConfigurationOverrides: list(
    z.object({
      descriptor: referenceSchema,
      configuration: z.object({ level: level.nullish() }).nullish(),
    }),
  ).nullish(),
});

const resultSchema = z.object({
  ruleId: id,
  ruleIndex: index,
  rule: referenceSchema.nullish(),
  kind: z.enum(["fail", "pass", "open", "informational", "notApplicable", "review"]).nullish(),
  level: level.nullish(),
  baselineState: z.enum(["new", "unchanged", "updated", "absent"]).nullish(),
  suppressions: list(
    z.object({ status: z.enum(["accepted", "underReview", "rejected"]).nullish() }),
  ).nullish(),
  provenance: z.object({ invocationIndex: index }).nullish(),
  locations: list(
    z.object({
      physicalLocation: z
        .object({
          artifactLocation: z.object({ uri: z.string().nullish() }).nullish(),
          region: z.object({ startLine: z.number().int().min(1).nullish() }).nullish(),
        })
        .nullish(),
    }),
  ).nullish(),
});

const runSchema = z.object({
  tool: z.object({ driver: componentSchema, extensions: list(componentSchema).nullish() }),
  invocations: list(invocationSchema).nullish(),
  results: list(resultSchema).nullish(),
  externalPropertyFileReferences: z.object({ results: z.array(z.unknown()).nullish() }).nullish(),
  versionControlProvenance: list(z.object({ revisionId: z.string().nullish() })).nullish(),
});

const logSchema = z.object({
  version: z.literal("2.1.0"),
  runs: list(runSchema),
  inlineExternalProperties: z.array(z.unknown()).nullish(),
});

type Run = z.output<typeof runSchema>;
type Result = z.output<typeof resultSchema>;
type Descriptor = z.output<typeof descriptorSchema>;
type Level = z.output<typeof level>;

/**
 * Reads a SARIF 2.1.0 log: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 *
 * Several runs become one: their results together, the names of their tools joined by " + ", and as their time the
 * end of the run that ended first. Not a finding is what was suppressed, what is absent since the baseline, and what
 * the tool says is no problem; what it left open or for review is one, of level `none`.
 */
export const sarif: Reader<"findings"> = {
  format: "sarif",
  title: "findings of a static analysis, SARIF 2.1.0",
  predicate: "findings",
  read(bytes) {
    const log = readShape(logSchema, bytes, "SARIF 2.1.0 log");
    if (log.runs.length === 0) throw unreadable("it holds no run, so nothing was analysed");
    if ((log.inlineExternalProperties ?? []).length > 0) throw elsewhere();
    const drivers = log.runs.map(({ tool }) => tool.driver);
    const names = [...new Set(drivers.map(({ name }) => name))];
    const versions = new Set(drivers.map((driver) => driver.semanticVersion ?? driver.version));
    const [version] = versions;
    return {
      facts: fitFacts("findings", {
        tool: {
          name: names.join(" + "),
          ...(names.length === 1 && versions.size === 1 && typeof version === "string"
            ? { version }
            : {}),
        },
        result: log.runs.flatMap(findingsOf),
      }),
      producedAt: log.runs.flatMap(endOf).sort()[0] ?? null,
      about: aboutOf(log.runs),
    };
  },
};

/** The findings of a run. */
function findingsOf(run: Run) {
  const { results } = run;
  if (run.invocations?.some(({ executionSuccessful }) => !executionSuccessful) === true) {
    throw unreadable(`${run.tool.driver.name} did not end well; run it again and see what it says`);
  }
  if ((run.externalPropertyFileReferences?.results ?? []).length > 0) throw elsewhere();
  // By the standard, a run that found nothing has an empty list, and only one that broke off has none.
  if (results === undefined || results === null) {
    throw unreadable(
      `${run.tool.driver.name} gave no list of results, so it did not come to an end`,
    );
  }
  const rules = rulesOf(run);
  return results.filter(isFinding).map((result) => {
    const rule = rules.find({ ...result, ...givenIn(result.rule) });
    const location = locationOf(result);
    return {
      rule: result.rule?.id ?? result.ruleId ?? rule?.id ?? "rule without a name",
      level: levelOf(result, rule, rules),
      ...(location === undefined ? {} : { location }),
    };
  });
}

/** Kinds of results that say there is no problem; by the standard, all kinds but `fail` have the level `none`. */
const unproblematic: ReadonlySet<unknown> = new Set(["pass", "informational", "notApplicable"]);

function isFinding({ kind, level, baselineState, suppressions }: Result): boolean {
  const harmless = unproblematic.has(kind) && (level ?? "none") === "none";
  const suppressed =
    (suppressions ?? []).length > 0 &&
    suppressions?.every(({ status }) => (status ?? "accepted") === "accepted");
  return !harmless && suppressed !== true && baselineState !== "absent";
}

/** The level of a result, by section 3.27.10 of the standard. */
function levelOf(result: Result, rule: Descriptor | undefined, rules: Rules): Level {
  if (typeof result.level === "string") return result.level;
  if ((result.kind ?? "fail") !== "fail") return "none";
  if (rule === undefined) return "warning";
  const overridden = rules.overrides[result.provenance?.invocationIndex ?? -1]?.get(rule);
  return overridden ?? rule.defaultConfiguration?.level ?? "warning";
}

interface RuleReference {
  readonly ruleId?: string | null | undefined;
  readonly ruleIndex?: number | null | undefined;
  /** Index among the tool's extensions; -1 for its driver. */
  readonly extension?: number | undefined;
}

interface Rules {
  find(reference: RuleReference): Descriptor | undefined;
  /** Levels that each invocation set for rules. */
  readonly overrides: readonly ReadonlyMap<Descriptor, Level>[];
}

/** The rules that a run's tool and its extensions describe. */
function rulesOf({ tool, invocations }: Run): Rules {
  const components = [tool.driver, ...(tool.extensions ?? [])].map(({ rules }) => rules ?? []);
  const byId = new Map(
    components
      .flat()
      .toReversed()
      .map((rule) => [rule.id, rule]),
  );
  const find = ({ ruleId, ruleIndex, extension = -1 }: RuleReference) => {
    const placed = components[extension + 1]?.[ruleIndex ?? -1];
    if (typeof ruleId !== "string") return placed;
    // The name of a rule may go on where that of its description ends: CA1000/1 is described by CA1000.
    const ids = ruleId
      .split("/")
      .map((_, at, parts) => parts.slice(0, parts.length - at).join("/"));
    if (placed !== undefined && ids.includes(placed.id ?? "")) return placed;
    return ids.map((one) => byId.get(one)).find((rule) => rule !== undefined);
  };
  return {
    find,
    overrides: (invocations ?? []).map(
      ({ ruleConfigurationOverrides }) =>
        new Map(
          (ruleConfigurationOverrides ?? []).flatMap(({ descriptor, configuration }) => {
            const rule = find(givenIn(descriptor));
            const level = configuration?.level;
            return rule === undefined || typeof level !== "string" ? [] : [[rule, level] as const];
          }),
        ),
    ),
  };
}

/** What a reference gives, without what it leaves out. */
function givenIn(reference: z.output<typeof referenceSchema> | null | undefined): RuleReference {
  return {
    ...(typeof reference?.id === "string" ? { ruleId: reference.id } : {}),
    ...(typeof reference?.index === "number" ? { ruleIndex: reference.index } : {}),
    extension: reference?.toolComponent?.index ?? -1,
  };
}

/** Characters of a location, as the contract of predicates says. */
const mostCharacters = 1024;

/** Where a result is, within the repository; what may be a path of a machine is left out. */
function locationOf({ locations }: Result): string | undefined {
  const physical = locations?.[0]?.physicalLocation;
  const uri = physical?.artifactLocation?.uri;
  if (typeof uri !== "string" || !/^(?![a-z][a-z0-9+.-]*:|[/\\~%]|$)/i.test(uri)) return undefined;
  if (uri.split(/[/\\]/).includes("..")) return undefined;
  const line = physical?.region?.startLine;
  const location = typeof line === "number" ? `${uri}:${line}` : uri;
  return location.length > mostCharacters ? undefined : location;
}

/** When a run's last invocation ended; nothing where it does not say. */
function endOf({ invocations }: Run): string[] {
  const ends = (invocations ?? []).flatMap(({ endTimeUtc }) =>
    typeof endTimeUtc === "string" ? [isoTime(endTimeUtc)] : [],
  );
  return ends.sort().slice(-1);
}

function aboutOf(runs: readonly Run[]): NonNullable<ReadReport["about"]> {
  const revisions = runs
    .flatMap(({ versionControlProvenance }) => versionControlProvenance ?? [])
    .map(({ revisionId }) => revisionId?.toLowerCase() ?? "");
  const commits = new Set(revisions.filter((revision) => /^[0-9a-f]{40}$/.test(revision)));
  if (commits.size > 1) {
    throw unreadable(`it is about ${commits.size} commits, required is one; analyse one checkout`);
  }
  const [commit] = commits;
  return commit === undefined ? {} : { commit };
}

function elsewhere(): Error {
  return unreadable("it keeps results outside of its runs; write one log that holds them all");
}
