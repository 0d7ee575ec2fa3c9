import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { gitRelease } from "../../../../infra/readings/git/git-release.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";

afterEach(() => vi.unstubAllEnvs());

const author = "release-tooling@example.com";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-git-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs git in a folder, whatever this machine and this process are set up for. */
async function git(folder: string, ...args: string[]): Promise<string> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  const { stdout } = await execa("git", args, {
    cwd: folder,
    extendEnv: false,
    env: {
      ...Object.fromEntries(own),
      GIT_CONFIG_GLOBAL: devNull,
      GIT_CONFIG_NOSYSTEM: "1",
    },
  });
  return stdout;
}

async function commit(folder: string, message: string): Promise<string> {
  await git(folder, "commit", "--quiet", "--allow-empty", "--message", message);
  return git(folder, "rev-parse", "HEAD");
}

/** A repository whose `main` has two commits; the first is the release and has its tag. */
async function repository() {
  const folder = await temporaryFolder();
  await git(folder, "init", "--quiet", "--initial-branch=main");
  await git(folder, "config", "user.name", "release tooling");
  await git(folder, "config", "user.email", author);
  await writeFile(join(folder, "kept"), "kept\n");
  await git(folder, "add", "kept");
  const released = await commit(folder, "one");
  await git(folder, "tag", "--annotate", "--message", "the release", "v2.0.0");
  const head = await commit(folder, "two");
  return { folder, released, head };
}

function read(folder: string, released: string, more: object = {}, signal?: AbortSignal) {
  const { release } = contextOf();
  return readFacts(
    gitRelease,
    gitRelease.target.parse({ folder, ...more }),
    contextOf({
      release: { ...release, commit: released },
      ...(signal === undefined ? {} : { signal }),
    }),
  );
}

const unknown = "c".repeat(40);

describe("the release", () => {
  test("is on main, tagged and clean", async () => {
    const { folder, released, head } = await repository();
    expect(await read(folder, released)).toEqual({
      head,
      tagCommit: released,
      tagMatchesRelease: true,
      releaseCommitExists: true,
      branch: "main",
      releaseOnBranch: true,
      checkedOut: "main",
      clean: true,
      untracked: 0,
      ahead: null,
      behind: null,
    });
  });

  test("that is the head of the branch is on it", async () => {
    const { folder, head, released } = await repository();
    expect(await read(folder, head)).toMatchObject({
      releaseOnBranch: true,
      tagCommit: released,
      tagMatchesRelease: false,
    });
  });

  test("that is only on another branch is not on main", async () => {
    const { folder } = await repository();
    await git(folder, "switch", "--quiet", "--create", "feature");
    const released = await commit(folder, "three");
    expect(await read(folder, released)).toMatchObject({
      releaseCommitExists: true,
      branch: "main",
      releaseOnBranch: false,
      checkedOut: "feature",
    });
    expect(await read(folder, released, { branch: "feature" })).toMatchObject({
      branch: "feature",
      releaseOnBranch: true,
    });
  });

  test("whose history has nothing to do with main is not on it", async () => {
    const { folder } = await repository();
    await git(folder, "switch", "--quiet", "--orphan", "other");
    const released = await commit(folder, "other");
    expect(await read(folder, released)).toMatchObject({
      releaseCommitExists: true,
      releaseOnBranch: false,
    });
  });

  test("that nobody has does not exist", async () => {
    const { folder } = await repository();
    expect(await read(folder, unknown)).toMatchObject({
      tagMatchesRelease: false,
      releaseCommitExists: false,
      releaseOnBranch: false,
    });
  });

  test("is a commit, not a tree or a tag of the same name", async () => {
    const { folder } = await repository();
    const tree = await git(folder, "rev-parse", "HEAD^{tree}");
    const tag = await git(folder, "rev-parse", "refs/tags/v2.0.0");
    for (const other of [tree, tag]) {
      expect(await read(folder, other)).toMatchObject({
        tagMatchesRelease: false,
        releaseCommitExists: false,
        releaseOnBranch: false,
      });
    }
  });

  test("on a branch that does not exist is not on it", async () => {
    const { folder, released } = await repository();
    expect(await read(folder, released, { branch: "release/2" })).toMatchObject({
      branch: "release/2",
      releaseOnBranch: false,
    });
  });
});

describe("the tag", () => {
  test("that does not exist has no commit", async () => {
    const { folder, released } = await repository();
    expect(await read(folder, released, { tag: "v9.9.9" })).toMatchObject({
      tagCommit: null,
      tagMatchesRelease: false,
    });
  });

  test("is the one that the target names, in a folder of tags, too", async () => {
    const { folder, head } = await repository();
    await git(folder, "tag", "orders/v2.0.0", head);
    expect(await read(folder, head, { tag: "orders/v2.0.0" })).toMatchObject({
      tagCommit: head,
      tagMatchesRelease: true,
    });
  });

  test("is peeled through tags of tags", async () => {
    const { folder, released } = await repository();
    await git(folder, "tag", "--annotate", "--message", "again", "again", "v2.0.0");
    expect(await read(folder, released, { tag: "again" })).toMatchObject({ tagCommit: released });
  });

  test("of something else than a commit has none", async () => {
    const { folder, released } = await repository();
    await git(folder, "tag", "blob", "HEAD:kept");
    expect(await read(folder, released, { tag: "blob" })).toMatchObject({ tagCommit: null });
  });

  test("is no branch of the same name", async () => {
    const { folder, head } = await repository();
    await git(folder, "branch", "v3.0.0");
    expect(await read(folder, head, { tag: "v3.0.0" })).toMatchObject({ tagCommit: null });
  });
});

describe("the files", () => {
  test.each<[string, (folder: string) => Promise<unknown>]>([
    ["changed", (folder) => writeFile(join(folder, "kept"), "changed\n")],
    ["removed", (folder) => rm(join(folder, "kept"))],
    ["renamed", (folder) => git(folder, "mv", "kept", "moved")],
    [
      "added",
      async (folder) => {
        await writeFile(join(folder, "added"), "");
        await git(folder, "add", "added");
      },
    ],
    [
      "in conflict",
      async (folder) => {
        await git(folder, "switch", "--quiet", "--create", "side");
        await writeFile(join(folder, "kept"), "side\n");
        await git(folder, "commit", "--quiet", "--all", "--message", "side");
        await git(folder, "switch", "--quiet", "main");
        await writeFile(join(folder, "kept"), "main\n");
        await git(folder, "commit", "--quiet", "--all", "--message", "main");
        await git(folder, "merge", "--quiet", "side").catch(() => undefined);
      },
    ],
  ])("are not clean when one is %s", async (_what, change) => {
    const { folder, released } = await repository();
    await change(folder);
    expect(await read(folder, released)).toMatchObject({ clean: false, untracked: 0 });
  });

  test("that git does not know are counted, not named, whatever they are called", async () => {
    const { folder, released } = await repository();
    await mkdir(join(folder, "more"));
    for (const name of ["more/a", "more/b", "1 a", "line\n1 break", "# branch.head evil"]) {
      await writeFile(join(folder, name), "");
    }
    const facts = await read(folder, released);
    expect(facts).toMatchObject({ clean: true, untracked: 5, checkedOut: "main" });
    expect(JSON.stringify(facts)).not.toContain("break");
  });

  test("that are ignored count as nothing", async () => {
    const { folder, released } = await repository();
    await writeFile(join(folder, ".git", "info", "exclude"), "ignored\n");
    await writeFile(join(folder, "ignored"), "");
    expect(await read(folder, released)).toMatchObject({ clean: true, untracked: 0 });
  });
});

describe("the checkout", () => {
  test("without a branch has none", async () => {
    const { folder, released } = await repository();
    await git(folder, "switch", "--quiet", "--detach", released);
    expect(await read(folder, released)).toMatchObject({
      head: released,
      checkedOut: null,
      releaseOnBranch: true,
    });
  });

  test("of a repository without commits has no head", async () => {
    const folder = await temporaryFolder();
    await git(folder, "init", "--quiet", "--initial-branch=main");
    expect(await read(folder, unknown)).toMatchObject({
      head: null,
      tagCommit: null,
      releaseCommitExists: false,
      releaseOnBranch: false,
      checkedOut: "main",
      clean: true,
    });
  });

  test("is found from a folder within", async () => {
    const { folder, released, head } = await repository();
    await mkdir(join(folder, "within"));
    expect(await read(join(folder, "within"), released)).toMatchObject({ head });
  });
});

describe("the upstream", () => {
  async function cloned() {
    const origin = await repository();
    const folder = await temporaryFolder();
    await git(folder, "clone", "--quiet", origin.folder, ".");
    await git(folder, "config", "user.name", "release tooling");
    await git(folder, "config", "user.email", author);
    return { ...origin, origin: origin.folder, folder };
  }

  test("that is level is neither ahead nor behind", async () => {
    const { folder, released } = await cloned();
    expect(await read(folder, released)).toMatchObject({ ahead: 0, behind: 0 });
  });

  test("that went on is counted as of the last fetch", async () => {
    const { folder, origin, released } = await cloned();
    await commit(origin, "three");
    expect(await read(folder, released)).toMatchObject({ ahead: 0, behind: 0 });
    await git(folder, "fetch", "--quiet");
    await commit(folder, "mine");
    await commit(folder, "mine, too");
    expect(await read(folder, released)).toMatchObject({ ahead: 2, behind: 1 });
  });

  test("that is gone is none", async () => {
    const { folder, released } = await cloned();
    await git(folder, "update-ref", "-d", "refs/remotes/origin/main");
    expect(await read(folder, released)).toMatchObject({ ahead: null, behind: null });
  });

  test("is what the release is looked for in when the target names the remote", async () => {
    const { folder } = await cloned();
    const mine = await commit(folder, "mine");
    expect(await read(folder, mine)).toMatchObject({ branch: "main", releaseOnBranch: true });
    expect(await read(folder, mine, { remote: "origin" })).toMatchObject({
      branch: "origin/main",
      releaseOnBranch: false,
    });
  });

  test("of a clone that has only a part of the history is not judged", async () => {
    const { origin, head } = await cloned();
    const folder = await temporaryFolder();
    await git(folder, "clone", "--quiet", "--depth=1", `file://${origin}`, ".");
    const error = await failureOf(read(folder, head));
    expect(error.message).toContain("has only a part of its history");
    expect(error.message).toContain("To do: git fetch --unshallow --tags");
  });
});

describe("what the process and the repository are set up for", () => {
  test("GIT_DIR and its like do not lead elsewhere", async () => {
    const { folder, released, head } = await repository();
    const other = await repository();
    await commit(other.folder, "elsewhere");
    vi.stubEnv("GIT_DIR", join(other.folder, ".git"));
    vi.stubEnv("GIT_WORK_TREE", other.folder);
    vi.stubEnv("GIT_INDEX_FILE", join(other.folder, "no-index"));
    vi.stubEnv("GIT_CONFIG_COUNT", "1");
    vi.stubEnv("GIT_CONFIG_KEY_0", "core.bare");
    vi.stubEnv("GIT_CONFIG_VALUE_0", "true");
    expect(await read(folder, released)).toMatchObject({ head, clean: true });
  });

  test("no hook and no file system monitor runs", async () => {
    const { folder, released } = await repository();
    const traces = await temporaryFolder();
    const hooks = join(folder, "hooks");
    await mkdir(hooks);
    for (const name of ["monitor", "post-index-change", "reference-transaction"]) {
      const script = `#!/bin/sh\ntouch '${traces}/${name}'\n`;
      await writeFile(join(hooks, name), script, { mode: 0o755 });
    }
    await git(folder, "config", "core.hooksPath", hooks);
    await git(folder, "config", "core.fsmonitor", join(hooks, "monitor"));
    await writeFile(join(folder, "kept"), "kept\n");
    await read(folder, released);
    const ran = () => execa("ls", [traces]).then(({ stdout }) => stdout);
    expect(await ran()).toBe("");
    // git by itself runs the monitor.
    await git(folder, "status");
    expect(await ran()).toContain("monitor");
  });

  test("the index is not written", async () => {
    const { folder, released } = await repository();
    const index = () => execa("sha256sum", [join(folder, ".git", "index")]);
    // Only the time differs, which git notes down when it may.
    await utimes(join(folder, "kept"), 1, 1);
    const { stdout: before } = await index();
    await read(folder, released);
    expect((await index()).stdout).toBe(before);
    // git by itself writes it.
    await git(folder, "status");
    expect((await index()).stdout).not.toBe(before);
  });

  test("no server is asked for what a partial clone lacks", async () => {
    const { folder } = await repository();
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const url = `git://127.0.0.1:${String(port)}/orders`;
    await git(folder, "config", "core.repositoryFormatVersion", "1");
    await git(folder, "config", "extensions.partialClone", "origin");
    await git(folder, "config", "remote.origin.url", url);
    await git(folder, "config", "remote.origin.promisor", "true");
    expect(await read(folder, unknown)).toMatchObject({ releaseCommitExists: false });
    expect(connections).toBe(0);
    // git by itself asks.
    await git(folder, "rev-parse", `${unknown}^{commit}`).catch(() => undefined);
    expect(connections).toBeGreaterThan(0);
  });
});

describe("what is no repository to read", () => {
  test("a folder that is none", async () => {
    const folder = await temporaryFolder();
    const error = await failureOf(read(folder, unknown));
    expect(error.message).toBe(
      `the repository in ${folder}: there is none. To do: correct the folder`,
    );
    expect(error.again).toBe(false);
  });

  test("a folder that does not exist", async () => {
    const folder = join(await temporaryFolder(), "absent");
    const error = await failureOf(read(folder, unknown));
    expect(error.message).toBe(`${folder} is no folder. To do: correct the folder`);
  });

  test("a repository without files", async () => {
    const folder = await temporaryFolder();
    await git(folder, "init", "--quiet", "--bare");
    const error = await failureOf(read(folder, unknown));
    expect(error.message).toContain("is a git repository without files");
  });

  test("a repository that is damaged", async () => {
    const { folder, released } = await repository();
    await writeFile(join(folder, ".git", "index"), "damaged");
    const error = await failureOf(read(folder, released));
    expect(error.message).toBe(`the repository in ${folder}: git cannot read it`);
  });

  test("a repository of another user", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root gives a folder away");
    const { folder, released } = await repository();
    await execa("chown", ["-R", "65534:65534", folder]);
    vi.stubEnv("HOME", await temporaryFolder());
    const error = await failureOf(read(folder, released));
    expect(error.message).toContain("it belongs to another user");
    expect(error.message).toContain("git config --global --add safe.directory");
  });

  test("a machine without git", async () => {
    const { folder, released } = await repository();
    vi.stubEnv("PATH", await temporaryFolder());
    const error = await failureOf(read(folder, released));
    expect(error.message).toContain("there is no git on PATH");
  });

  test("a git that never ends is left when the time is over", async () => {
    const { folder, released } = await repository();
    const bin = await temporaryFolder();
    const controller = new AbortController();
    await writeFile(join(bin, "git"), "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 });
    vi.stubEnv("PATH", `${bin}:${process.env["PATH"] ?? ""}`);
    const reading = read(folder, released, {}, controller.signal);
    setImmediate(() => {
      controller.abort(new Error("the time is over"));
    });
    await expect(reading).rejects.toThrow("the time is over");
  });

  test("a time that was over before", async () => {
    const { folder, released } = await repository();
    const signal = AbortSignal.abort(new Error("the time is over"));
    await expect(read(folder, released, {}, signal)).rejects.toThrow("the time is over");
  });
});

describe("the target", () => {
  test.each([
    ["an option", { tag: "--exec=x" }],
    ["a revision's syntax", { tag: "v1^" }],
    ["a range", { branch: "a..b" }],
    ["a reflog", { branch: "main@{1}" }],
    ["a way out", { branch: "../main" }],
    ["a line break", { branch: "main\nmain" }],
    ["a line break behind it", { tag: "v1\n" }],
    ["a blank", { remote: "a b" }],
    ["an empty name", { tag: "" }],
    ["an empty folder", { folder: "" }],
    ["an unknown key", { commit: unknown }],
  ])("refuses %s", (_what, given) => {
    expect(gitRelease.target.safeParse(given).success).toBe(false);
  });

  test.each(["v2.0.0", "orders@2.0.0", "release/2", "v", "1", "a+b"])("takes %s", (tag) => {
    expect(gitRelease.target.parse({ tag })).toEqual({ tag, branch: "main" });
  });

  test("names the folder, or the project", () => {
    expect(gitRelease.subject(gitRelease.target.parse({ folder: "../orders" }))).toBe("../orders");
    expect(gitRelease.subject(gitRelease.target.parse({}))).toBe("the project's repository");
  });

  test("a version that is no name of a tag is refused", async () => {
    const { folder } = await repository();
    const { release } = contextOf();
    const error = await failureOf(
      readFacts(
        gitRelease,
        gitRelease.target.parse({ folder }),
        contextOf({ release: { ...release, version: "--all" } }),
      ),
    );
    expect(error.message).toBe("the release's version is no name of a tag");
  });
});
