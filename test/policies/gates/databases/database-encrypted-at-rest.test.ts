import { databaseEncryptedAtRest } from "../../../../policies/gates/databases/database-encrypted-at-rest.ts";
import { another, set, testGate, unknown, without } from "../../../support/gate-tester.ts";

testGate(databaseEncryptedAtRest, {
  needs: ["facts.covers.databases", "database.storageEncrypted"],
  names: ["database.identifier"],
  passes: {
    "its own key, not yet made": [set("database.kmsKeyId", unknown)],
    "two encrypted databases": [another("database", { identifier: "reports" })],
  },
  fails: {
    "encryption off": [
      [set("database.storageEncrypted", false)],
      "fail",
      "database orders: storageEncrypted is false",
    ],
    "encryption given as a text": [
      [set("database.storageEncrypted", "true")],
      "fail",
      "database orders: storageEncrypted is a text",
    ],
    "encryption not known before the update": [
      [set("database.storageEncrypted", unknown)],
      "inconclusive",
      "database orders: storageEncrypted is unknown until the update",
    ],
    "a second database that nobody covered": [
      [another("database", { identifier: "reports", storageEncrypted: false })],
      "fail",
      "database reports: storageEncrypted is false",
    ],
    "a covered database that is not declared": [
      [without("database")],
      "inconclusive",
      "database orders: no declared database carries this name",
    ],
    "nothing covered": [
      [set("facts.covers.databases", [])],
      "inconclusive",
      "release v1.1.0: it covers no database, so there is nothing to judge",
    ],
    "a name not known before the update": [
      [set("database.identifier", unknown)],
      "inconclusive",
      "database orders: no declared database carries this name; " +
        "1 declared one has a name that is unknown until the update",
    ],
  },
});
