import type { GuardFacts } from "../contract/facts.ts";
import type { WaiverNote } from "../contract/seal.ts";
import type { Verdict } from "../contract/verdict.ts";
import { subjectProblems } from "../contract/statement.ts";
import { wrapWords } from "../contract/text.ts";
import { textWidth, verdictOf, type Finding, type Gate, type Judge } from "../gate.ts";
import type { Told } from "./attested.ts";
import { shownLine, shownName } from "../checks/names.ts";
import { requirements } from "../requirements.ts";

/** A gate's answer, complete. */
export interface Judgement {
  readonly verdict: Verdict;
  /** Why it is closed, or would be without its waiver. */
  readonly findings: readonly Finding[];
  /** The waiver that opens it. */
  readonly waiver?: WaiverNote;
}

const { clockSkewSeconds, waiverDays } = requirements;

/** What a gate's findings come to, with the waivers of this release. A waiver that does not count says why. */
export function judgementOf(
  gate: Gate,
  findings: readonly Finding[],
  facts: GuardFacts,
  { attested }: Told,
  { now }: Judge,
): Judgement {
  if (findings.length === 0) return { verdict: "pass", findings };
  const said = attested.waivers
    .filter(({ content }) => content.gate === gate.id)
    .map(({ content, statement, principals }) => {
      const { approver, expires, reason, signedAt, stack } = content;
      const problems = [
        gate.waivable ? [] : [`this gate cannot be waived`],
        subjectProblems(statement.subject, facts.release),
        stack === facts.stack ? [] : [`it is about stack ${shownName(stack)}`],
        facts.release.authors.some((author) => principals.includes(author))
          ? [`its approver made the release`]
          : [],
        Date.parse(expires) > now ? [] : [`it expired at ${expires}`],
        Date.parse(expires) <= Date.parse(signedAt) + waiverDays * 86_400_000
          ? []
          : [`it is given for more than ${waiverDays} days`],
        Date.parse(signedAt) <= now + clockSkewSeconds * 1000 ? [] : [`it is signed in the future`],
      ].flat();
      const expired = Date.parse(expires) <= now;
      return { note: { approver, expires, reason }, problems, expired };
    });
  const valid = said.find(({ problems }) => problems.length === 0);
  if (valid !== undefined) return { verdict: "waived", findings, waiver: valid.note };
  const refusals = said.map(
    ({ note, problems }) =>
      `; the waiver by ${shownName(note.approver)} does not count: ${problems.join(", ")}`,
  );
  // Somebody knew that it does not hold, and the time that it may go without is over.
  const known = said.some(({ expired }) => expired) ? ({ verdict: "fail" } as const) : {};
  const judged = findings.map((finding) => ({
    ...finding,
    ...known,
    found: finding.found + refusals.join(""),
  }));
  return { verdict: verdictOf(judged), findings: judged };
}

/** A waiver as people read it, above what it waives. */
export function waiverText({ approver, expires, reason }: WaiverNote): string {
  const text = `Waived by ${shownName(approver)} until ${expires}: ${shownLine(reason)}`;
  return wrapWords(text, textWidth, "  ").join("\n");
}
