import { decodeUtf8 } from "../../../policies/contract/json.ts";
import type { Facts } from "../../../policies/contract/predicates.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { checkCount, fitFacts, unreadable } from "./shared.ts";

type Finding = Facts<"findings">["result"][number];

/** A finding, with its file and line where it has them. */
const findingLine =
  /^(?:(?<file>[^\s\p{Cc}][^\p{Cc}]*)\((?<line>\d+),\d+\): )?(?<level>error|warning) (?<rule>TS\d{1,6}): /u;

/** What the compiler writes at the end when it is told to be pretty. */
const summaryLine = /^Found (\d+) errors?(?:\.| in .+)$/;

/** A longer location is left out; it would fit no predicate. */
const mostCharacters = 1024;

/**
 * Reads what `tsc --noEmit --pretty false` writes. The compiler writes nothing when all is well, so an empty report has
 * no findings; any other text is read only when every line of it is the compiler's.
 */
export const tsc: Reader<"findings"> = {
  format: "tsc",
  title: "output of tsc --noEmit --pretty false",
  predicate: "findings",
  read(bytes) {
    const result: Finding[] = [];
    for (const [index, line] of decodeUtf8(bytes, reportLimits.bytes).split(/\r?\n/).entries()) {
      if (line.trim() === "") continue;
      const found = findingLine.exec(line)?.groups;
      const summary = summaryLine.exec(line)?.[1];
      if (found !== undefined) result.push(findingOf(found));
      else if (summary !== undefined) checkErrors(Number(summary), result);
      else if (result.length === 0 || !/^[ \t]/.test(line)) {
        throw unreadable(`line ${index + 1} is not from tsc --noEmit --pretty false`);
      }
    }
    return { facts: fitFacts("findings", { tool: { name: "tsc" }, result }), producedAt: null };
  },
};

function findingOf({
  file,
  line = "",
  level,
  rule = "",
}: Readonly<Record<string, string>>): Finding {
  const location = file === undefined || !isWithin(file) ? "" : `${file}:${line}`;
  return {
    rule,
    level: level === "warning" ? "warning" : "error",
    ...(location === "" || location.length > mostCharacters ? {} : { location }),
  };
}

/** Tells whether a path stays within the project; what may be a path of a machine is left out. */
function isWithin(file: string): boolean {
  return !/^(?:[a-z]:|[/\\~])/i.test(file) && !file.split(/[/\\]/).includes("..");
}

function checkErrors(claimed: number, result: readonly Finding[]): void {
  checkCount("errors", claimed, result.filter(({ level }) => level === "error").length);
}
