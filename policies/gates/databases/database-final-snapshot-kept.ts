import { defineGate, fail, type Reason } from "../../gate.ts";
import { isText, shown } from "../../values.ts";

/** A deleted database leaves a last snapshot behind. Both inputs must be spelled out: a default can change. */
export const databaseFinalSnapshotKept = defineGate({
  id: "database-final-snapshot-kept",
  about: "resource",
  noun: "databases",
  requires: "Every database leaves a final snapshot when it is deleted.",
  because: "After decommission the final snapshot is the only way back to the data.",
  severity: "high",
  required: "skipFinalSnapshot is false and the final snapshot has a name",
  remedy: "pulumi config set --path cutover:database.skipFinalSnapshot false",
  judge: ({ props }) => {
    const reasons: Reason[] = [];
    if (props["skipFinalSnapshot"] !== false) {
      reasons.push(fail(`skipFinalSnapshot is ${shown(props["skipFinalSnapshot"])}`));
    }
    if (!isText(props["finalSnapshotIdentifier"])) {
      reasons.push(
        fail(`finalSnapshotIdentifier is ${shown(props["finalSnapshotIdentifier"])}`, {
          remedy: "name the final snapshot where the database is declared",
        }),
      );
    }
    return reasons;
  },
});
