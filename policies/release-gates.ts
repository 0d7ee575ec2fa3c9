import type { Gate } from "./gate.ts";
import { alarmHasReceiver } from "./gates/alarms/alarm-has-receiver.ts";
import { backupRestoreTested } from "./gates/backups/backup-restore-tested.ts";
import { databaseDumpTaken } from "./gates/backups/database-dump-taken.ts";
import { legacyExported } from "./gates/legacy/legacy-exported.ts";
import { certificateDeclared } from "./gates/identity/certificate-declared.ts";
import { legacyRedirectsKept } from "./gates/identity/legacy-redirects-kept.ts";
import { backupVaultLocked } from "./gates/backups/backup-vault-locked.ts";
import { recoveryPointTaken } from "./gates/backups/recovery-point-taken.ts";
import { bucketEncrypted } from "./gates/buckets/bucket-encrypted.ts";
import { bucketPublicAccessBlocked } from "./gates/buckets/bucket-public-access-blocked.ts";
import { bucketRetentionSet } from "./gates/buckets/bucket-retention-set.ts";
import { bucketTlsOnly } from "./gates/buckets/bucket-tls-only.ts";
import { bucketVersioned } from "./gates/buckets/bucket-versioned.ts";
import { databaseBackupsRetained } from "./gates/databases/database-backups-retained.ts";
import { databaseDeletionProtected } from "./gates/databases/database-deletion-protected.ts";
import { databaseEncryptedAtRest } from "./gates/databases/database-encrypted-at-rest.ts";
import { databaseFinalSnapshotKept } from "./gates/databases/database-final-snapshot-kept.ts";
import { databaseTlsForced } from "./gates/databases/database-tls-forced.ts";
import { dnsTtlLowered } from "./gates/dns/dns-ttl-lowered.ts";
import { evidenceVerified } from "./gates/evidence/evidence-verified.ts";
import { nothingReplaced } from "./gates/release/nothing-replaced.ts";
import { phaseInOrder } from "./gates/release/phase-in-order.ts";
import { phaseNotEarly } from "./gates/release/phase-not-early.ts";
import { secretRecoverable } from "./gates/secrets/secret-recoverable.ts";
import { serviceHardened } from "./gates/services/service-hardened.ts";
import { serviceHealthChecked } from "./gates/services/service-health-checked.ts";
import { serviceImagePinned } from "./gates/services/service-image-pinned.ts";
import { unitHardened } from "./gates/units/unit-hardened.ts";

/** The gates that every system has, in the order in which a release meets them: that of contract/gates.ts. */
export const releaseGates: readonly Gate[] = [
  phaseInOrder,
  phaseNotEarly,
  nothingReplaced,
  evidenceVerified,
  dnsTtlLowered,
  backupRestoreTested,
  legacyExported,
  certificateDeclared,
  legacyRedirectsKept,
  databaseEncryptedAtRest,
  databaseBackupsRetained,
  databaseDeletionProtected,
  databaseFinalSnapshotKept,
  databaseTlsForced,
  backupVaultLocked,
  bucketEncrypted,
  bucketVersioned,
  bucketPublicAccessBlocked,
  bucketRetentionSet,
  bucketTlsOnly,
  secretRecoverable,
  serviceImagePinned,
  serviceHealthChecked,
  serviceHardened,
  unitHardened,
  alarmHasReceiver,
  databaseDumpTaken,
  recoveryPointTaken,
];
