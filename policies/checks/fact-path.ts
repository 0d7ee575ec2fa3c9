import { z } from "zod";
import type { GuardFacts } from "../contract/facts.ts";
import { phases } from "../contract/phase.ts";
import { own } from "./names.ts";
import { at } from "../contract/path.ts";

/** Paths that end here, by the fact that they begin with. */
const entries: Readonly<Record<string, readonly string[]>> = {
  release: ["version", "commit", "digest", "authors", "migrations"],
  before: [
    "phase",
    "release",
    "serving",
    "recorded",
    "ttl.seconds",
    "ttl.previousSeconds",
    "ttl.changedAt",
    ...phases.map((phase) => `times.${phase}`),
    "record.release",
    "record.at",
  ],
  covers: ["databases", "backups", "buckets", "archives", "services"],
};

/** Facts whose entries have names of the team's own. */
const open = ["release.images", "before.record.verdicts", "declared", "owners"];

const single = [
  "steps",
  "ttlSeconds",
  "plannedCutover",
  "checklistDigest",
  "evidenceDigest",
  "phase",
  "direction",
  "system",
  "stack",
];

const paths: ReadonlySet<string> = new Set([
  ...single,
  ...Object.entries(entries).flatMap(([fact, rest]) => rest.map((entry) => `${fact}.${entry}`)),
]);

const allowed = [
  ...Object.keys(entries).map((fact) => `${fact}.…`),
  ...open.map((fact) => `${fact}.<name>`),
  ...single,
].join(", ");

/** Tells whether a path leads to a fact that every guard is told. */
function isFact(path: string): boolean {
  return paths.has(path) || open.some((fact) => path.startsWith(`${fact}.`) && path !== `${fact}.`);
}

/** What is wrong with a path that leads to no fact; undefined for one that does. */
export function factProblem(path: string): string | undefined {
  return isFact(path) ? undefined : `no fact has this path; the facts are ${allowed}`;
}

/** A path to a fact, in a checklist. */
export const factPath = z
  .string()
  .max(256)
  .superRefine((path, context) => {
    const problem = factProblem(path);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/**
 * A fact by its path: `release.version`, `release.images.api`, `declared.<key of the stack config>`, `checklistDigest`.
 * Undefined where it is not there.
 */
export function factAt(path: string, facts: GuardFacts): unknown {
  // The names of both are dotted themselves, and no part of such a name counts as the whole.
  if (path.startsWith("declared.")) return own(facts.declared, path.slice("declared.".length));
  if (path.startsWith("owners.")) return own(facts.owners, path.slice("owners.".length));
  return at(facts, path);
}

/**
 * Tells whether two texts mean the same. An image is the same wherever it lies: only its digest counts. A version is the
 * same with and without its v.
 */
export function isSame(one: string, other: string): boolean {
  return identity(one) === identity(other);
}

/**
 * Tells whether two texts certainly mean something else: an image by its tag may be one by its digest, `1.1.0` may be
 * `v1.1.0`, a short commit may be a long one, and texts that look the same may be one name.
 */
export function areDifferent(one: string, other: string): boolean {
  const [a, b] = [identity(one), identity(other)];
  if (digest.test(a) !== digest.test(b)) return false;
  const [short = "", long = ""] = [a, b].map(bare).toSorted((x, y) => x.length - y.length);
  if (/^[0-9a-f]{7,}$/.test(short) && long.startsWith(short)) return false;
  return short !== long && !(isNumeric(short) && Number(short) === Number(long));
}

const digest = /(?:^|@)(sha256:[0-9a-f]{64})$/;

const version = /^v?(\d+\.\d+\.\d+)$/;

function identity(text: string): string {
  return digest.exec(text)?.[1] ?? version.exec(text)?.[1] ?? text;
}

function bare(text: string): string {
  const letters = text.normalize("NFKC").replaceAll(/[\p{C}\s]+/gu, "");
  return letters.toLowerCase().replace(/^v(?=\d)/, "");
}

function isNumeric(text: string): boolean {
  return text !== "" && Number.isFinite(Number(text));
}
