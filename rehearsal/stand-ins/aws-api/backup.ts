import type { VaultRecord } from "../aws/backup.ts";
import type { Account } from "../aws/account.ts";
import { AwsError } from "./error.ts";
import { restJsonService, type ApiService } from "./protocols.ts";

/** What of AWS Backup the API imitates. No backup job ever runs here, so there are no recovery points and no restores. */
export function backupService({ store }: Account): ApiService {
  const vaults = store.collection<VaultRecord>("aws-backup-vaults");
  const vaultNamed = (name: string): VaultRecord => {
    const vault = vaults.get(name);
    if (vault !== undefined) return vault;
    throw new AwsError("ResourceNotFoundException", `Backup vault ${name} cannot be found`);
  };
  return restJsonService("backup", [
    [
      /^GET \/backup-vaults\/(?<name>[\w-]+)\/recovery-points\/?$/,
      ({ name = "" }) => {
        vaultNamed(name);
        return { RecoveryPoints: [] };
      },
    ],
    [
      /^GET \/backup-vaults\/(?<name>[\w-]+)\/?$/,
      ({ name = "" }) => {
        const { arn, lock } = vaultNamed(name);
        return {
          BackupVaultName: name,
          BackupVaultArn: arn,
          Locked: lock !== undefined,
          MinRetentionDays: lock?.minRetentionDays,
          MaxRetentionDays: lock?.maxRetentionDays,
          NumberOfRecoveryPoints: 0,
        };
      },
    ],
    [/^GET \/restore-jobs\/?$/, () => ({ RestoreJobs: [] })],
  ]);
}
