import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { findParts } from "../../parts.ts";
import { shown } from "../../values.ts";

const dump = { kind: "DatabaseDump", type: "cutover:index:DatabaseDump", ownerIn: "container" };

/** A dump of every database in a container stands before the switch, made for the release that may have to be undone. */
export const databaseDumpTaken = defineGate({
  id: "database-dump-taken",
  about: "relation",
  nouns: ["containerDatabases"],
  requires: "Every database in a container has a dump that was taken for this release.",
  because: "Without a dump from before the migrations, going back loses data or is impossible.",
  severity: "critical",
  required: "a DatabaseDump of it whose release is this one",
  remedy: "declare a DatabaseDump of it in the cutover, after the write freeze",
  ownPhaseOnly: true,
  judge: (database, seen, { release, covers }): readonly Reason[] => {
    // Most containers are no databases; which ones are, the guard is told.
    const name = database.props[nouns.containerDatabases.nameIn];
    if (!covers.containerDatabases.some((covered) => covered === name)) return [];
    const { parts, missing } = findParts(dump, database, nouns.containerDatabases.nameIn, seen);
    if (parts.length === 0) return missing;
    const releases = parts.map(({ props }) => props["release"]);
    if (releases.includes(release.version)) return [];
    const [other] = releases;
    return other === undefined || other === null || other === ""
      ? [inconclusive("its dump does not say which release it was taken for")]
      : [fail(`its dump is of ${shown(other)}, not of this release`)];
  },
});
