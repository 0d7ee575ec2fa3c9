import type { Gate } from "./gate.ts";
import { backupVaultLocked } from "./gates/backups/backup-vault-locked.ts";
import { recoveryPointTaken } from "./gates/backups/recovery-point-taken.ts";
import { bucketEncrypted } from "./gates/buckets/bucket-encrypted.ts";
import { bucketPublicAccessBlocked } from "./gates/buckets/bucket-public-access-blocked.ts";
import { bucketRetentionSet } from "./gates/buckets/bucket-retention-set.ts";
import { bucketVersioned } from "./gates/buckets/bucket-versioned.ts";
import { databaseBackupsRetained } from "./gates/databases/database-backups-retained.ts";
import { databaseDeletionProtected } from "./gates/databases/database-deletion-protected.ts";
import { databaseEncryptedAtRest } from "./gates/databases/database-encrypted-at-rest.ts";
import { databaseFinalSnapshotKept } from "./gates/databases/database-final-snapshot-kept.ts";
import { dnsTtlLowered } from "./gates/dns/dns-ttl-lowered.ts";
import { evidenceVerified } from "./gates/evidence/evidence-verified.ts";
import { phaseInOrder } from "./gates/release/phase-in-order.ts";
import { serviceHealthChecked } from "./gates/services/service-health-checked.ts";
import { serviceImagePinned } from "./gates/services/service-image-pinned.ts";

/** The gates that every system has, in the order in which a release meets them: that of contract/gates.ts. */
export const releaseGates: readonly Gate[] = [
  phaseInOrder,
  evidenceVerified,
  dnsTtlLowered,
  databaseEncryptedAtRest,
  databaseBackupsRetained,
  databaseDeletionProtected,
  databaseFinalSnapshotKept,
  backupVaultLocked,
  bucketEncrypted,
  bucketVersioned,
  bucketPublicAccessBlocked,
  bucketRetentionSet,
  serviceImagePinned,
  serviceHealthChecked,
  recoveryPointTaken,
];
