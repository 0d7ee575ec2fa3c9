import { legacyExported } from "../../../../policies/gates/legacy/legacy-exported.ts";
import { set, testGate } from "../../../support/gate-tester.ts";

const exported = {
  at: "2026-01-11T10:00:00Z",
  bytes: 4096,
  sha256: "ab".repeat(32),
};
const withD1 = [
  set("facts.phase", "decommission"),
  set("facts.legacy.d1", "orders-legacy"),
  set("facts.before.times", { cutover: "2026-01-10T10:00:00Z" }),
];
const having = (change: Partial<typeof exported>) => [
  ...withD1,
  set("facts.before.legacyExport", { ...exported, ...change }),
];

testGate(legacyExported, {
  needs: [],
  mayRead: ["facts.legacy", "facts.before"],
  passes: {
    "a system without a D1 database": [
      set("facts.legacy.d1", null),
      set("facts.before.legacyExport", null),
    ],
    "an export after the cutover": having({}),
    "an export of one byte": having({ bytes: 1 }),
    "an export a second after the cutover": having({ at: "2026-01-10T10:00:01Z" }),
    "the record's time where the phase's is not known": [
      ...having({}),
      set("facts.before.times", {}),
    ],
  },
  fails: {
    "no export": [
      [...withD1, set("facts.before.legacyExport", null)],
      "inconclusive",
      "release v1.1.0: the ledger has no export of the database",
    ],
    "an empty export": [having({ bytes: 0 }), "fail", "release v1.1.0: the export has 0 bytes"],
    "an export without a digest": [
      having({ sha256: "ab" }),
      "inconclusive",
      "release v1.1.0: the export has no SHA-256",
    ],
    "an export from before the cutover": [
      having({ at: "2026-01-10T09:59:59Z" }),
      "fail",
      "release v1.1.0: the export was taken before the cutover",
    ],
    "an export at the very time of the cutover": [
      having({ at: "2026-01-10T10:00:00Z" }),
      "fail",
      "release v1.1.0: the export was taken before the cutover",
    ],
    "a time that is none": [
      having({ at: "yesterday" }),
      "inconclusive",
      "release v1.1.0: the ledger does not say when the export was taken",
    ],
    "no time of a cutover": [
      [...having({}), set("facts.before.times", {}), set("facts.before.record", null)],
      "inconclusive",
      "release v1.1.0: the ledger does not say when the cutover was",
    ],
    "an export that is no export": [
      [...withD1, set("facts.before.legacyExport", "there is one")],
      "inconclusive",
      "facts: facts.before.legacyExport is not an export, or nothing",
    ],
    "a name that is none": [
      [set("facts.legacy.d1", 7)],
      "inconclusive",
      "facts: facts.legacy.d1 is not a text or nothing",
    ],
  },
});
