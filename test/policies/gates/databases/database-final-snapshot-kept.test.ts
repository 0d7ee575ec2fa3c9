import { databaseFinalSnapshotKept } from "../../../../policies/gates/databases/database-final-snapshot-kept.ts";
import { set, testGate, unknown, unset } from "../../../support/gate-tester.ts";

testGate(databaseFinalSnapshotKept, {
  needs: ["facts.covers.databases", "database.skipFinalSnapshot"],
  names: ["database.identifier"],
  mayRead: ["database.finalSnapshotIdentifier"],
  passes: { "a final snapshot under any name": [set("database.finalSnapshotIdentifier", "last")] },
  fails: {
    "the snapshot skipped": [
      [set("database.skipFinalSnapshot", true)],
      "fail",
      "database orders: skipFinalSnapshot is true",
    ],
    "skipping left to the default": [
      [unset("database.skipFinalSnapshot")],
      "fail",
      "database orders: skipFinalSnapshot is not set",
    ],
    "no name for the snapshot": [
      [unset("database.finalSnapshotIdentifier")],
      "fail",
      "database orders: finalSnapshotIdentifier is not set",
    ],
    "an empty name for the snapshot": [
      [set("database.finalSnapshotIdentifier", "")],
      "fail",
      "database orders: finalSnapshotIdentifier is empty",
    ],
    "a name not known before the update": [
      [set("database.finalSnapshotIdentifier", unknown)],
      "inconclusive",
      "database orders: finalSnapshotIdentifier is unknown until the update",
    ],
    "both wrong": [
      [set("database.skipFinalSnapshot", true), unset("database.finalSnapshotIdentifier")],
      "fail",
      "database orders: finalSnapshotIdentifier is not set",
    ],
  },
});
