import { defineGate, fail } from "../../gate.ts";
import { nouns } from "../../nouns.ts";
import { judgeParts } from "../../parts.ts";
import { requirements } from "../../requirements.ts";
import { isAtLeast, shown } from "../../values.ts";

const days = requirements.vaultLockDays;
const lock = {
  kind: "VaultLockConfiguration",
  type: "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
  ownerIn: "backupVaultName",
};

/** A vault lock keeps every recovery point for the required days, whoever asks to delete it. */
export const backupVaultLocked = defineGate({
  id: "backup-vault-locked",
  about: "relation",
  nouns: ["backups"],
  requires: `Every backup vault is locked to keep recovery points at least ${days} days.`,
  because: "Whoever can delete a database could delete its backups as well.",
  severity: "high",
  required: `a vault lock with minRetentionDays of at least ${days}`,
  remedy: `pulumi config set --path cutover:backups.lockMinRetentionDays ${days}`,
  judge: (vault, seen) =>
    judgeParts(lock, vault, nouns.backups.nameIn, seen, ({ props }) =>
      isAtLeast(props["minRetentionDays"], days)
        ? []
        : [fail(`minRetentionDays of its lock is ${shown(props["minRetentionDays"])}`)],
    ),
});
