import { mkdir, readFile, writeFile } from "node:fs/promises";
import { devNull } from "node:os";
import { join } from "node:path";
import { simpleGit } from "simple-git";
import { parseDocument } from "yaml";
import type { Release } from "../../infra/release/release.ts";

/** A release of the repository, and what its tag is called. */
export interface TaggedRelease extends Pick<Release, "version" | "date" | "images" | "migrations"> {
  readonly tag: string;
}

/**
 * Makes the git repository that a system's releases come from: one commit for each, in order, on branch `main`, with its
 * tag. The same releases give the same commits.
 *
 * @param folder made if absent; must be empty
 * @returns commit ids, 40 hex digits, by version
 */
export async function makeRepository(
  folder: string,
  releases: readonly TaggedRelease[],
): Promise<Record<string, string>> {
  await mkdir(folder, { recursive: true });
  const git = simpleGit({
    baseDir: folder,
    // What it finds unsafe to set are the paths that switch the user's settings off.
    unsafe: { allowUnsafeConfigPaths: true },
    allowEnvironment: Object.keys(environment(firstDay)),
  });
  const at = (date: string) => git.env(environment(date));
  await at(firstDay).raw(["init", "--quiet", "--initial-branch=main"]);
  const commits: Record<string, string> = {};
  for (const { version, date, images, migrations, tag } of releases) {
    const content = { version, images, migrations: migrations.map(({ name }) => name) };
    await writeFile(join(folder, "release.json"), `${JSON.stringify(content, null, 2)}\n`);
    await at(date).raw(["add", "release.json"]);
    await at(date).raw(["commit", "--quiet", "--message", `Release ${version}`]);
    await at(date).raw(["tag", tag]);
    commits[version] = (await at(date).raw(["rev-parse", "HEAD"])).trim();
  }
  return commits;
}

/**
 * Puts the commits of a repository into copies of the release files, which name commits of the real one.
 *
 * @param folder the system's folder in the rehearsed project, never the project's own
 */
export async function rewriteCommits(
  folder: string,
  commits: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [version, commit] of Object.entries(commits)) {
    const file = join(folder, "releases", `${version}.yaml`);
    const document = parseDocument(await readFile(file, "utf8"));
    document.set("commit", commit);
    await writeFile(file, document.toString());
  }
}

const firstDay = "2026-01-01";

/** What git needs to find itself. It sees nothing of this user's settings, and the clock is the release's. */
function environment(date: string): Record<string, string> {
  const time = `${date}T12:00:00Z`;
  return {
    PATH: process.env["PATH"] ?? "",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_AUTHOR_NAME: "Developer",
    GIT_AUTHOR_EMAIL: "developer@example.com",
    GIT_AUTHOR_DATE: time,
    GIT_COMMITTER_NAME: "Developer",
    GIT_COMMITTER_EMAIL: "developer@example.com",
    GIT_COMMITTER_DATE: time,
  };
}
