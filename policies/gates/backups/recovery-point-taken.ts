import { defineGate, fail, type Reason } from "../../gate.ts";
import { judgeParts } from "../../parts.ts";
import { isRecord } from "../../values.ts";

const releaseTag = "cutover:release";
const snapshot = {
  kind: "Snapshot",
  type: "aws:rds/snapshot:Snapshot",
  ownerIn: "dbInstanceIdentifier",
};

/** A snapshot of every database stands before the switch, tagged with the release that may have to be undone. */
export const recoveryPointTaken = defineGate({
  id: "recovery-point-taken",
  about: "relation",
  nouns: ["databases"],
  requires: "Every database has a snapshot that was taken for this release.",
  because: "Without a snapshot from before the migrations, going back loses data or is impossible.",
  severity: "critical",
  required: `a Snapshot of it with the tag ${releaseTag} set to the release`,
  remedy: "declare a Snapshot of it in the cutover, after the write freeze",
  ownPhaseOnly: true,
  judge: (database, seen, { release }) => {
    // Snapshots of earlier releases stay declared, so one of this release is enough.
    let taken = false;
    const reasons = judgeParts(snapshot, database, "identifier", seen, ({ props }) => {
      const tags = props["tags"];
      const mine = isRecord(tags) && tags[releaseTag] === release.version;
      taken ||= mine;
      return mine ? [] : [otherRelease];
    });
    return taken ? [] : reasons.slice(0, 1);
  },
});

const otherRelease: Reason = fail("its snapshots carry no tag of this release");
