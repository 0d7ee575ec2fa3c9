import { databaseDeletionProtected } from "../../../../policies/gates/databases/database-deletion-protected.ts";
import { set, testGate, unset } from "../../../support/gate-tester.ts";

testGate(databaseDeletionProtected, {
  needs: ["facts.covers.databases", "database.deletionProtection"],
  names: ["database.identifier"],
  passes: { "protection on": [set("database.deletionProtection", true)] },
  fails: {
    "protection off": [
      [set("database.deletionProtection", false)],
      "fail",
      "database orders: deletionProtection is false",
    ],
    "protection left to the default": [
      [unset("database.deletionProtection")],
      "fail",
      "database orders: deletionProtection is not set",
    ],
  },
});
