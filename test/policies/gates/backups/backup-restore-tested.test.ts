import { backupRestoreTested } from "../../../../policies/gates/backups/backup-restore-tested.ts";
import { set, testGate } from "../../../support/gate-tester.ts";

const at = Date.parse("2026-02-20T10:00:00Z");
const days = 86_400_000;
const noTest = "release v1.1.0: the ledger knows no restore test";

testGate(backupRestoreTested, {
  needs: ["facts.before.restoreTest", "facts.before.restoreTest.at"],
  mayRead: ["facts.declared"],
  passes: {
    "a test of a moment ago": [set("now", at)],
    "the last moment of the last day": [set("now", at + 30 * days)],
    "a ledger clock that is a minute ahead": [set("now", at - 60_000)],
    "a time with another offset": [set("facts.before.restoreTest.at", "2026-02-20T11:00:00+01:00")],
    "scaled time, which makes nothing older": [
      set("rehearsal", true),
      set("facts.clockScale", 86_400),
    ],
  },
  fails: {
    "a millisecond too old": [
      [set("now", at + 30 * days + 1)],
      "fail",
      "release v1.1.0: the last restore test was on 2026-02-20T10:00:00.000Z",
    ],
    "no test in the ledger": [[set("facts.before.restoreTest", null)], "inconclusive", noTest],
    "no test, and none asked for": [
      [set("facts.before.restoreTest", null), set("facts.declared", {})],
      "inconclusive",
      noTest,
    ],
    "a test in the future": [
      [set("now", at - 60_001)],
      "inconclusive",
      "release v1.1.0: the ledger's time of the last restore test is in the future",
    ],
    "a time without a zone": [
      [set("facts.before.restoreTest.at", "2026-02-20T10:00:00")],
      "inconclusive",
      "release v1.1.0: the ledger's time of the last restore test cannot be read",
    ],
    "a day that does not exist": [
      [set("facts.before.restoreTest.at", "2026-13-20T10:00:00Z")],
      "inconclusive",
      "release v1.1.0: the ledger's time of the last restore test cannot be read",
    ],
  },
});
