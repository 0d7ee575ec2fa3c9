import { devNull } from "node:os";
import { resolve } from "node:path";
import type { SimpleGit } from "simple-git";
import { z } from "zod";
import { messageOf } from "../../provider/error-text.ts";
import { projectFolder } from "../credentials.ts";
import { ReadingError, readingKind, type ReadingContext } from "../reading.ts";

/** The part of git's rules for names that leaves no room for a revision's own syntax. */
const refName = z
  .string()
  .regex(
    /^(?!.*(\.\.|\/\/|@\{))[A-Za-z0-9_](?:[\w./@+-]*[\w@+-])?$/,
    "must be a plain name of git",
  );

const target = z.strictObject({
  folder: z.string().min(1).optional().meta({
    description:
      "a folder of the repository, from the project's top; the project's top when absent",
    example: "../orders",
  }),
  tag: refName.max(200).optional().meta({
    description: "the release's tag; its version when absent",
    example: "v2.0.0",
  }),
  branch: refName.max(200).default("main").meta({
    description: "the branch that releases are made of",
    example: "main",
  }),
  remote: refName.max(100).optional().meta({
    description: "judge the branch as this remote had it when it was last fetched",
    example: "origin",
  }),
});

/**
 * What a git repository on this machine knows of the release. Nothing is changed, no server is asked, and no hook and no
 * file system monitor of the repository runs.
 */
export const gitRelease = readingKind({
  kind: "git-release",
  title: "the release's commit, tag and branch in a git repository",
  target,
  facts: {
    head: "the commit that is checked out, 40 hexadecimal digits; null when there is none",
    tagCommit: "the commit that the tag leads to; null without the tag",
    tagMatchesRelease: "true when that is the release's commit",
    releaseCommitExists: "true when the repository has the release's commit",
    branch: "the branch that was judged, with its remote where one is named",
    releaseOnBranch: "true when that branch holds the release's commit",
    checkedOut: "the branch that is checked out; null when no branch is",
    clean: "true when every file that git knows is as it was committed",
    untracked: "how many files git does not know",
    ahead:
      "commits that the upstream of the checked out branch lacks, as of the last fetch; null without an upstream",
    behind:
      "commits of the upstream that the checked out branch lacks, as of the last fetch; null without an upstream",
  },
  subject: ({ folder }) => folder ?? "the project's repository",

  async read({ folder, tag, branch: name, remote }, { release, signal }) {
    const place = folder ?? "the project's top";
    const branch = remote === undefined ? name : `${remote}/${name}`;
    const tagName = refName.safeParse(tag ?? release.version);
    if (!tagName.success) throw new ReadingError("the release's version is no name of a tag");
    const names = [
      "HEAD",
      `refs/tags/${tagName.data}`,
      release.commit,
      `refs/${remote === undefined ? "heads" : "remotes"}/${branch}`,
    ];
    const git = await openGit(resolve(projectFolder, folder ?? "."), place, names, signal);
    const ask = async (...args: string[]): Promise<string> =>
      git.raw(args).catch((error: unknown) => {
        signal.throwIfAborted();
        throw unreadable(place, error);
      });

    const kinds = await ask("rev-parse", "--is-inside-work-tree", "--is-shallow-repository");
    const [inWorkTree, shallow] = kinds.trim().split("\n");
    if (inWorkTree !== "true") {
      throw new ReadingError(`${place} is a git repository without files. To do: name a clone`);
    }
    if (shallow !== "false") {
      throw new ReadingError(
        `the repository in ${place} has only a part of its history, so it cannot tell what a branch holds. To do: git fetch --unshallow --tags`,
      );
    }
    const found = (await ask("cat-file", "--batch-check=%(objectname)")).trim().split("\n");
    const [head, tagged, released, branchHead] = found.map(commitOf);
    const exists = released === release.commit;
    const base =
      exists && branchHead !== undefined
        ? (await ask("merge-base", release.commit, branchHead)).trim()
        : undefined;
    const status = ["status", "--porcelain=v2", "--branch", "--untracked-files=all"];
    return {
      head: head ?? null,
      tagCommit: tagged ?? null,
      tagMatchesRelease: tagged === release.commit,
      releaseCommitExists: exists,
      branch,
      releaseOnBranch: base === release.commit,
      ...statusFacts(await ask("--no-optional-locks", ...status)),
    };
  },
});

/** A client of git that sees nothing of this process's settings of git. */
async function openGit(
  baseDir: string,
  place: string,
  names: readonly string[],
  signal: ReadingContext["signal"],
): Promise<SimpleGit> {
  signal.throwIfAborted();
  const { simpleGit } = await import("simple-git");
  const commits = names.map((name) => `${name}^{commit}\n`).join("");
  try {
    return simpleGit({
      baseDir,
      abort: signal,
      config: ["core.fsmonitor=false", `core.hooksPath=${devNull}`, "protocol.allow=never"],
      // What it finds unsafe to set are the settings that switch these off.
      unsafe: {
        allowUnsafeFsMonitor: true,
        allowUnsafeHooksPath: true,
        allowUnsafeProtocolOverride: true,
      },
      input: (args) => (args.includes("cat-file") ? commits : undefined),
    }).env(Object.fromEntries(environment()));
  } catch (error) {
    throw new ReadingError(`${place} is no folder. To do: correct the folder`, { cause: error });
  }
}

/** What git needs to find itself and the user's settings. Its own words must be English to be told apart. */
function environment(): [string, string][] {
  const kept = ["PATH", "HOME", "XDG_CONFIG_HOME"].flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return [...kept, ["LC_ALL", "C"]];
}

/** The commit in a line of `cat-file`, which says `<name> missing` where there is none. */
function commitOf(line: string): string | undefined {
  return /^[0-9a-f]{40}$/.test(line) ? line : undefined;
}

/** Reads `git status --porcelain=v2 --branch`; a line is one file, whatever the file's name. */
function statusFacts(text: string) {
  const lines = text.split("\n");
  const [, checkedOut] = /^# branch\.head (.*)$/m.exec(text) ?? [];
  const [, ahead, behind] = /^# branch\.ab \+(\d+) -(\d+)$/m.exec(text) ?? [];
  return {
    checkedOut: checkedOut === undefined || checkedOut === "(detached)" ? null : checkedOut,
    clean: !lines.some((line) => /^[12u] /.test(line)),
    untracked: lines.filter((line) => line.startsWith("? ")).length,
    ahead: ahead === undefined ? null : Number(ahead),
    behind: behind === undefined ? null : Number(behind),
  };
}

function unreadable(place: string, error: unknown): ReadingError {
  const said = messageOf(error);
  const text = failures.find(([words]) => said.includes(words))?.[1] ?? "git cannot read it";
  return new ReadingError(`the repository in ${place}: ${text}`, { cause: error });
}

const failures: readonly (readonly [string, string])[] = [
  ["spawn git ENOENT", "there is no git on PATH. To do: install git"],
  ["not a git repository", "there is none. To do: correct the folder"],
  [
    "dubious ownership",
    "it belongs to another user. To do: git config --global --add safe.directory with its path",
  ],
];
