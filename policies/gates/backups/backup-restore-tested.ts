import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";
import { requirements } from "../../requirements.ts";
import { isTime } from "../../values.ts";

const { clockSkewSeconds, restoreTestDays: days } = requirements;
const dayMilliseconds = 86_400_000;

/**
 * A backup of the database was restored beside production and answered as it should, not long ago. The ledger keeps the
 * last such test, whichever release it was made for. A rehearsal shortens waits, not ages: its own test is minutes old.
 */
export const backupRestoreTested = defineGate({
  id: "backup-restore-tested",
  about: "facts",
  requires: `A backup of the database was restored and asked within the last ${days} days.`,
  because: "A backup that nobody ever restored may turn out to be none on the day it is needed.",
  severity: "critical",
  required: `a restore test of the ledger, at most ${days} days old`,
  remedy: "pulumi config set cutover:phase prepare, then pulumi up",
  source: { document: "StageOS Release Checklist", section: "5) Data and backup gates" },
  judge: ({ before, declared }, { now }) => {
    const { restoreTest } = before;
    if (restoreTest === null)
      return [inconclusive("the ledger knows no restore test", todo(declared))];
    if (!isTime(restoreTest.at)) {
      return [inconclusive("the ledger's time of the last restore test cannot be read")];
    }
    const at = Date.parse(restoreTest.at);
    if (at > now + clockSkewSeconds * 1000) {
      return [
        inconclusive("the ledger's time of the last restore test is in the future", {
          remedy: "set this machine's clock right",
        }),
      ];
    }
    if (now - at <= days * dayMilliseconds) return [];
    return [fail(`the last restore test was on ${new Date(at).toISOString()}`)];
  },
});

/** A system whose stack config asks for no test gets none, however often it is prepared. */
function todo(declared: Readonly<Record<string, string>>): Partial<Pick<Reason, "remedy">> {
  const isDeclared = Object.keys(declared).some((key) => key.startsWith("restoreTest.queries."));
  if (isDeclared) return {};
  return {
    remedy:
      "say in cutover:restoreTest.queries what a restored backup must answer, then pulumi up in phase prepare",
  };
}
