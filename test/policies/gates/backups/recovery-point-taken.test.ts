import { recoveryPointTaken } from "../../../../policies/gates/backups/recovery-point-taken.ts";
import { another, set, testGate, unset, without } from "../../../support/gate-tester.ts";

testGate(recoveryPointTaken, {
  needs: ["facts.covers.databases", "snapshot.tags"],
  names: ["database.identifier", "snapshot.dbInstanceIdentifier"],
  passes: {
    "a snapshot of an earlier release beside it": [
      another("snapshot", { tags: { "cutover:release": "v1.0.0" } }),
    ],
    "the order in which they were declared": [
      set("snapshot.tags", { "cutover:release": "v1.0.0" }),
      another("snapshot", { tags: { "cutover:release": "v1.1.0" } }),
    ],
  },
  fails: {
    "no snapshot": [
      [without("snapshot")],
      "inconclusive",
      "database orders: no declared Snapshot names it",
    ],
    "a snapshot of another database": [
      [set("snapshot.dbInstanceIdentifier", "reports")],
      "inconclusive",
      "database orders: no declared Snapshot names it",
    ],
    "a snapshot of an earlier release": [
      [set("snapshot.tags", { "cutover:release": "v1.0.0" })],
      "fail",
      "database orders: its snapshots carry no tag of this release",
    ],
    "a snapshot without tags": [
      [unset("snapshot.tags")],
      "fail",
      "database orders: its snapshots carry no tag of this release",
    ],
    "a second database without a snapshot": [
      [another("database", { identifier: "reports" })],
      "inconclusive",
      "database reports: no declared Snapshot names it",
    ],
  },
});
