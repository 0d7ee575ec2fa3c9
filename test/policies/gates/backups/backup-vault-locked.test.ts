import { backupVaultLocked } from "../../../../policies/gates/backups/backup-vault-locked.ts";
import { another, set, testGate, unknown, without } from "../../../support/gate-tester.ts";

testGate(backupVaultLocked, {
  needs: ["facts.covers.backups", "vaultLock.minRetentionDays"],
  names: ["vault.name", "vaultLock.backupVaultName"],
  passes: {
    "the required days": [set("vaultLock.minRetentionDays", 7)],
    "more days": [set("vaultLock.minRetentionDays", 365)],
  },
  fails: {
    "one day short": [
      [set("vaultLock.minRetentionDays", 6)],
      "fail",
      "backup vault orders-vault: minRetentionDays of its lock is 6",
    ],
    "no days": [
      [set("vaultLock.minRetentionDays", 0)],
      "fail",
      "backup vault orders-vault: minRetentionDays of its lock is 0",
    ],
    "no lock": [
      [without("vaultLock")],
      "inconclusive",
      "backup vault orders-vault: no declared VaultLockConfiguration names it",
    ],
    "the lock of another vault": [
      [set("vaultLock.backupVaultName", "other-vault")],
      "inconclusive",
      "backup vault orders-vault: no declared VaultLockConfiguration names it",
    ],
    "a lock whose vault is not known before the update": [
      [set("vaultLock.backupVaultName", unknown)],
      "inconclusive",
      "backup vault orders-vault: no declared VaultLockConfiguration names it; " +
        "1 declared one has a name that is unknown until the update",
    ],
    "a second vault without a lock": [
      [another("vault", { name: "second-vault" })],
      "inconclusive",
      "backup vault second-vault: no declared VaultLockConfiguration names it",
    ],
    "a second, weaker lock": [
      [another("vaultLock", { minRetentionDays: 1 })],
      "fail",
      "backup vault orders-vault: minRetentionDays of its lock is 1",
    ],
    "no vault": [
      [without("vault")],
      "inconclusive",
      "backup vault orders-vault: no declared backup vault carries this name",
    ],
    "nothing covered": [
      [set("facts.covers.backups", [])],
      "inconclusive",
      "release v1.1.0: it covers no backup vault, so there is nothing to judge",
    ],
  },
});
