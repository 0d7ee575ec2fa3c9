import { guards, type BeforeFacts, type GuardFacts } from "./contract/facts.ts";
import { isPhase } from "./contract/phase.ts";
import { isRecord } from "./contract/path.ts";
import { isNumber, isText, plain, unknownPath } from "./values.ts";

/** A guard's facts, or what is wrong with them, one sentence an entry. */
export type FactsReading =
  | { readonly facts: GuardFacts; readonly problems?: undefined }
  | { readonly facts?: undefined; readonly problems: readonly string[] };

/**
 * Reads a guard's facts as they come from the engine. The engine drops null entries on some of its ways, so an absent
 * entry that may be null is null. Anything of another shape is a problem: gates may trust the types.
 */
export function readFacts(given: () => unknown): FactsReading {
  try {
    const value = plain(given());
    const problems = shape
      .filter(({ path, is }) => !is(at(value, path)))
      .map(({ path, what }) => `facts.${path} is not ${what}`);
    if (problems.length > 0) return { problems };
    return { facts: withNulls(value as GuardFacts) };
  } catch (error) {
    const path = unknownPath(error);
    return { problems: [path === undefined ? "facts cannot be read" : `${path} is unknown`] };
  }
}

interface ShapeRow {
  readonly path: string;
  readonly is: (value: unknown) => boolean;
  readonly what: string;
}

const text = { is: isText, what: "a text" };
const texts = { is: isTexts, what: "a list of texts" };
const record = { is: isTextRecord, what: "texts by name" };
const number = { is: isNumber, what: "a number" };

const shape: readonly ShapeRow[] = [
  { path: "guard", is: oneOf(guards), what: `one of ${guards.join(", ")}` },
  { path: "system", ...text },
  { path: "stack", ...text },
  { path: "phase", is: isPhase, what: "a phase" },
  { path: "direction", is: oneOf(["forward", "rollback"]), what: "forward or rollback" },
  { path: "release.version", ...text },
  { path: "release.commit", ...text },
  { path: "release.digest", ...text },
  { path: "release.images", ...record },
  { path: "release.authors", ...texts },
  { path: "release.migrations", ...texts },
  { path: "before.phase", is: orNull(isPhase), what: "a phase or nothing" },
  { path: "before.release", is: orNull(isText), what: "a text or nothing" },
  { path: "before.serving", is: orNull(isText), what: "a text or nothing" },
  { path: "before.recorded", ...texts },
  { path: "before.ttl", is: orNull(isTtl), what: "a TTL with its times, or nothing" },
  { path: "before.times", is: orNull(isTextRecord), what: "times by phase" },
  { path: "before.record", is: orNull(isRecorded), what: "a release record, or nothing" },
  { path: "phases", ...texts },
  { path: "notBefore", ...record },
  { path: "before.restoreTest", is: orNull(isRestoreTest), what: "a restore test, or nothing" },
  { path: "before.legacyExport", is: orNull(isExport), what: "an export, or nothing" },
  { path: "identity.certificates", ...record },
  { path: "identity.redirects", is: isRedirects, what: "redirect URIs by client" },
  { path: "legacy.d1", is: orNull(isText), what: "a text or nothing" },
  { path: "steps", ...texts },
  { path: "plannedCutover", is: orNull(isText), what: "a time or nothing" },
  { path: "ttlSeconds", ...number },
  { path: "owners", ...record },
  { path: "declared", ...record },
  { path: "evidenceDigest", ...text },
  { path: "checklistDigest", ...text },
  { path: "covers.databases", ...texts },
  { path: "covers.containerDatabases", ...texts },
  { path: "covers.backups", ...texts },
  { path: "covers.buckets", ...texts },
  { path: "covers.archives", ...texts },
  { path: "covers.services", ...texts },
  { path: "covers.units", ...texts },
  { path: "covers.secrets", ...texts },
  { path: "covers.alarms", ...texts },
  { path: "replaced", is: isReplacedList, what: "a list of what is replaced" },
  { path: "clockScale", ...number },
  { path: "configDigest", ...text },
];

function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);
}

function oneOf(words: readonly string[]): (value: unknown) => boolean {
  return (value) => words.some((word) => word === value);
}

function orNull(is: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === undefined || value === null || is(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

function isTtl(value: unknown): boolean {
  return (
    isRecord(value) &&
    isNumber(value["seconds"]) &&
    isNumber(value["previousSeconds"]) &&
    isText(value["changedAt"])
  );
}

function isRecorded(value: unknown): boolean {
  return (
    isRecord(value) &&
    isText(value["release"]) &&
    isText(value["at"]) &&
    isTextRecord(value["verdicts"])
  );
}

function isRestoreTest(value: unknown): boolean {
  return isRecord(value) && isText(value["at"]) && isText(value["recoveryPoint"]);
}

function isExport(value: unknown): boolean {
  return (
    isRecord(value) && isText(value["at"]) && isNumber(value["bytes"]) && isText(value["sha256"])
  );
}

function isRedirects(value: unknown): boolean {
  return (
    isRecord(value) &&
    Object.values(value).every(
      (client) => isRecord(client) && isTexts(client["legacy"]) && isTexts(client["told"]),
    )
  );
}

function isReplacedList(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => isRecord(one) && isText(one["resource"]));
}

function isTextRecord(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((entry) => typeof entry === "string");
}

function withNulls(facts: GuardFacts): GuardFacts {
  const before: Partial<BeforeFacts> = facts.before;
  const { phase = null, release = null, serving = null, ttl = null } = before;
  const { record = null, restoreTest = null, legacyExport = null } = before;
  const { d1 = null } = facts.legacy as Partial<GuardFacts["legacy"]>;
  const { plannedCutover = null } = facts as Partial<GuardFacts>;
  const times = before.times ?? {};
  return {
    ...facts,
    plannedCutover,
    replaced: facts.replaced.map((one) => ({
      resource: one.resource,
      property: one.property ?? null,
      key: one.key ?? null,
    })),
    legacy: { d1 },
    before: {
      ...facts.before,
      phase,
      release,
      serving,
      ttl,
      times,
      record,
      restoreTest,
      legacyExport,
    },
  };
}
