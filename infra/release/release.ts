import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { foundText, parsePlainly } from "../../policies/contract/issues.ts";
import { digestOf } from "../../policies/contract/digest.ts";
import { sha256 } from "../../policies/contract/envelope.ts";
import { OperatorError, problemText, type Problem } from "../errors.ts";

const sqlFile = z.string().regex(/^[\w.-]+\.sql$/, "the name of an SQL file in migrations/");

const file = z.strictObject({
  version: z.string(),
  date: z.iso.date(),
  commit: z.string().regex(/^[0-9a-f]{40}$/, "a git commit of 40 hex digits"),
  images: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "a name in kebab case"), z.string()),
  migrations: z.array(sqlFile),
  prepared: z.array(sqlFile).default([]),
  authors: z
    .array(z.string().regex(/^\S{1,128}$/, "a principal without spaces, such as an address"))
    .min(1, "at least one of those who made the release"),
});

/** What a release is made of; immutable once it went live. */
export interface Release {
  readonly version: string;
  readonly date: string;
  /** Git commit, 40 hex digits. */
  readonly commit: string;
  /** Image references; a gate asks that each is given by digest. */
  readonly images: Readonly<Record<string, string>>;
  /** SQL files in the order in which they run, with the SHA-256 of their bytes. */
  readonly migrations: readonly { readonly name: string; readonly sha256: string }[];
  /** The first of them, which run in `prepare` because nobody uses the database yet. */
  readonly prepared: Release["migrations"];
  /** Who made it: principals, whom a checklist may bar from signing for it. */
  readonly authors: readonly string[];
  /** SHA-256 of all of the above, hex. */
  readonly digest: string;
}

/** The versions that have a file, sorted. */
export function availableVersions(folder: string): string[] {
  const releases = join(folder, "releases");
  if (!existsSync(releases)) return [];
  return readdirSync(releases)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length))
    .sort();
}

/**
 * Reads `releases/<version>.yaml` and the migrations that it names.
 *
 * @param folder absolute path of the system's folder
 * @returns undefined when there is no such file
 * @throws OperatorError with everything that is wrong with the file
 */
export function readRelease(folder: string, version: string): Release | undefined {
  const path = join(folder, "releases", `${version}.yaml`);
  if (!existsSync(path)) return undefined;
  const where = `releases/${version}.yaml`;
  const result = parsePlainly(file, parseYaml(path, where));
  if (!result.success) {
    throw new OperatorError(
      problemText(
        `The release cannot be read.`,
        result.error.issues.map((issue) => ({
          where: `${where}: ${issue.path.map(String).join(".")}`,
          found:
            issue.code === "unrecognized_keys"
              ? `the key ${issue.keys.map(foundText).join(", ")}`
              : foundText(issue.input),
          required: issue.message,
          todo: `correct ${where}`,
        })),
      ),
    );
  }
  const { migrations, prepared, ...rest } = result.data;
  const problems: Problem[] = [];
  if (rest.version !== version) {
    problems.push({
      where,
      found: `version ${rest.version}`,
      required: `the version of its file name, ${version}`,
      todo: `correct the version in ${where}`,
    });
  }
  const files = migrations.map((name) => {
    const sql = join(folder, "migrations", name);
    if (existsSync(sql)) return { name, sha256: sha256(readFileSync(sql)) };
    problems.push({
      where: `${where}: migrations`,
      found: `${name}, but no such file`,
      required: `a file migrations/${name}`,
      todo: `add the file, or remove the name from ${where}`,
    });
    return { name, sha256: "" };
  });
  problems.push(...orderProblems(where, migrations, prepared));
  if (problems.length > 0)
    throw new OperatorError(problemText("The release cannot be used.", problems));
  const facts = { ...rest, migrations: files, prepared: files.slice(0, prepared.length) };
  return { ...facts, digest: digestOf(facts) };
}

/** Files run in the order of their names; whoever reads the folder must see the same order. */
function orderProblems(
  where: string,
  migrations: readonly string[],
  prepared: readonly string[],
): Problem[] {
  const early = migrations.findIndex((name, index) => {
    const before = migrations[index - 1];
    return before !== undefined && before.localeCompare(name, "en", { numeric: true }) >= 0;
  });
  const problems: Problem[] = [];
  if (early !== -1) {
    problems.push({
      where: `${where}: migrations`,
      found: `${migrations[early] ?? ""} after ${migrations[early - 1] ?? ""}`,
      required: "files in the order of their names, each once",
      todo: `put them in order in ${where}, or give the file a later number`,
    });
  }
  if (prepared.some((name, index) => name !== migrations[index])) {
    problems.push({
      where: `${where}: prepared`,
      found: prepared.join(", "),
      required: `the first of migrations: ${migrations.slice(0, prepared.length).join(", ")}`,
      todo: `correct prepared in ${where}`,
    });
  }
  return problems;
}

function parseYaml(path: string, where: string): unknown {
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new OperatorError(
      problemText("The release cannot be read.", [
        {
          where,
          found: error instanceof Error ? (error.message.split("\n")[0] ?? "") : "no YAML",
          required: "a YAML document",
          todo: `correct ${where}`,
        },
      ]),
    );
  }
}
