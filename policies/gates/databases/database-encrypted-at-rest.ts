import { defineGate, fail } from "../../gate.ts";
import { shown } from "../../values.ts";

/**
 * Storage is encrypted. Which key does it is not judged: a key made in the same run has an ARN that is unknown until
 * the update, and without one RDS takes the account's own key, so the storage is encrypted either way.
 */
export const databaseEncryptedAtRest = defineGate({
  id: "database-encrypted-at-rest",
  about: "resource",
  noun: "databases",
  requires: "Every database stores its data encrypted.",
  because: "Encryption cannot be switched on later: it takes a restore into a new database.",
  severity: "critical",
  required: "storageEncrypted is true",
  remedy: "pulumi config set --path cutover:database.storageEncrypted true",
  judge: ({ props }) =>
    props["storageEncrypted"] === true
      ? []
      : [fail(`storageEncrypted is ${shown(props["storageEncrypted"])}`)],
});
