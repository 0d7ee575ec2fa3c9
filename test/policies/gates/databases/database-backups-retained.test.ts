import { databaseBackupsRetained } from "../../../../policies/gates/databases/database-backups-retained.ts";
import { set, testGate, unset } from "../../../support/gate-tester.ts";

testGate(databaseBackupsRetained, {
  needs: ["facts.covers.databases", "database.backupRetentionPeriod"],
  names: ["database.identifier"],
  passes: {
    "the required days": [set("database.backupRetentionPeriod", 7)],
    "more days": [set("database.backupRetentionPeriod", 35)],
  },
  fails: {
    "one day short": [
      [set("database.backupRetentionPeriod", 6)],
      "fail",
      "database orders: backupRetentionPeriod is 6",
    ],
    "backups off": [
      [set("database.backupRetentionPeriod", 0)],
      "fail",
      "database orders: backupRetentionPeriod is 0",
    ],
    "retention not set": [
      [unset("database.backupRetentionPeriod")],
      "fail",
      "database orders: backupRetentionPeriod is not set",
    ],
    "endless days": [
      [set("database.backupRetentionPeriod", Number.POSITIVE_INFINITY)],
      "fail",
      "database orders: backupRetentionPeriod is not a number",
    ],
  },
});
