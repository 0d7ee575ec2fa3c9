import { defineGate, fail } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { findParts } from "../../parts.ts";
import type { Sighting } from "../../run.ts";
import { isRecord } from "../../contract/path.ts";

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
    const { parts, missing } = findParts(snapshot, database, nouns.databases.nameIn, seen);
    // Snapshots of earlier releases stay declared, so one of this release is enough.
    if (parts.length === 0 || parts.some((part) => isOf(release.version, part))) return missing;
    return [fail("its snapshots carry no tag of this release")];
  },
});

function isOf(version: string, { props }: Sighting): boolean {
  const tags = props["tags"];
  return isRecord(tags) && tags[releaseTag] === version;
}
