import { defineGate, fail } from "../../gate.ts";
import { shown } from "../../values.ts";

/** The cloud itself refuses to delete a database: no policy sees a delete. */
export const databaseDeletionProtected = defineGate({
  id: "database-deletion-protected",
  about: "resource",
  noun: "databases",
  requires: "Every database is protected from deletion by the cloud.",
  because:
    "A wrong replacement or a destroy would delete the data, and no policy is asked about it.",
  severity: "high",
  required: "deletionProtection is true",
  remedy: "pulumi config set --path cutover:database.deletionProtection true",
  judge: ({ props }) =>
    props["deletionProtection"] === true
      ? []
      : [fail(`deletionProtection is ${shown(props["deletionProtection"])}`)],
});
