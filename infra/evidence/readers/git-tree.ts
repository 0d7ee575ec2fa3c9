import { decodeUtf8 } from "../../../policies/contract/json.ts";
import { gitPath } from "../git-path.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { checkUnique, fitFacts, unreadable } from "./shared.ts";

/** A file, a link or a submodule; a folder has none of these modes. */
const entryLine =
  /^(?<mode>100644|100755|120000|160000) (?<type>blob|commit) (?<digest>[0-9a-f]{40}|[0-9a-f]{64})\t(?<path>.+)$/;

/**
 * Reads the files of a commit, as `git ls-tree -r --full-tree <commit>` lists them. Each has its digest by Git, and
 * whether it is executable.
 */
export const gitTree: Reader<"inventory"> = {
  format: "git-tree",
  title: "output of git ls-tree -r --full-tree <commit>",
  predicate: "inventory",
  read(bytes) {
    const text = decodeUtf8(bytes, reportLimits.bytes).replace(/\r?\n$/, "");
    const entries = text.split(/\r?\n/).map((line, index) => {
      const { mode, type, digest, path } = entryLine.exec(line)?.groups ?? {};
      if (
        path === undefined ||
        digest === undefined ||
        (type === "commit") !== (mode === "160000")
      ) {
        throw unreadable(`line ${index + 1} is not from git ls-tree -r --full-tree`);
      }
      return { name: gitPath(path), digest, executable: mode === "100755" };
    });
    checkUnique(entries.map(({ name }) => name));
    return { facts: fitFacts("inventory", { entries }), producedAt: null };
  },
};
