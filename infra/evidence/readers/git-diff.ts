import { decodeUtf8 } from "../../../policies/contract/json.ts";
import { gitPath } from "../git-path.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { checkUnique, fitFacts, unreadable } from "./shared.ts";

/** What Git, or a shell without it, writes instead of a comparison; and what Git writes when asked for more than names. */
const otherLine =
  /^(?:(?:fatal|error|warning|hint|usage): |diff --git |commit [0-9a-f]|[ \t]|$)|: (?:(?:command )?not found|Permission denied|No such file or directory)$/;

/** Reads the files that differ between two commits, as `git diff --name-only <from>..<to>` lists them. */
export const gitDiff: Reader<"inventory"> = {
  format: "git-diff",
  title: "output of git diff --name-only <from>..<to>",
  predicate: "inventory",
  read(bytes) {
    const text = decodeUtf8(bytes, reportLimits.bytes).replace(/\r?\n$/, "");
    const lines = text === "" ? [] : text.split(/\r?\n/);
    const names = lines.map((line, index) => {
      if (otherLine.test(line)) {
        throw unreadable(`line ${index + 1} is not from git diff --name-only`);
      }
      return gitPath(line);
    });
    checkUnique(names);
    const entries = names.map((name) => ({ name }));
    return { facts: fitFacts("inventory", { entries }), producedAt: null };
  },
};
