import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import type { Collection } from "../store.ts";
import { arn, arnOf, requireKey, tags, type Account } from "./account.ts";

/** A vault, as plans look it up. */
export interface VaultRecord {
  readonly arn: string;
  readonly lock?: VaultLock;
}

/** A lock with `changeableForDays` can never be taken away once those days are over. */
interface VaultLock {
  readonly lockedAt: string;
  readonly changeableForDays: number | undefined;
  readonly minRetentionDays: number | undefined;
  readonly maxRetentionDays: number | undefined;
}

/** AWS Backup: vaults and their locks. Plans refer to them. */
export function backupVaultTypes(account: Account): Record<string, ResourceType> {
  const vaults = account.store.collection<VaultRecord>("aws-backup-vaults");
  return {
    "aws:backup/vault:Vault": vaultType(account, vaults),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": lockType(account, vaults),
  };
}

const vaultInputs = z.strictObject({
  name: z.string().regex(/^[\w-]{2,50}$/, {
    error: "must consist of 2 to 50 letters, digits, hyphens or underscores",
  }),
  kmsKeyArn: arn.optional(),
  forceDestroy: z.boolean().default(false),
  tags,
});

function vaultType(account: Account, vaults: Collection<VaultRecord>): ResourceType {
  return standIn({
    inputs: vaultInputs,
    replaceOn: (name) => ["name", "kmsKeyArn"].includes(name),
    physicalName: "name",
    create({ name, kmsKeyArn }) {
      const operation = "Backup: CreateBackupVault";
      if (vaults.get(name) !== undefined) {
        throw new ApiError(
          operation,
          "AlreadyExistsException",
          "Backup vault with the same name already exists",
        );
      }
      requireKey(account, kmsKeyArn, operation);
      const vault = { arn: arnOf(account, "backup", `backup-vault:${name}`) };
      vaults.set(name, vault);
      return Promise.resolve({ id: name, outputs: { arn: vault.arn, recoveryPoints: 0 } });
    },
    update: (olds) => Promise.resolve(computedOf(olds, ["arn", "recoveryPoints"])),
    exists: ({ id }) => vaults.get(id) !== undefined,
    delete(olds) {
      vaults.delete(textOf(olds, "name"));
      return Promise.resolve();
    },
  });
}

const lockInputs = z.strictObject({
  backupVaultName: z.string(),
  changeableForDays: z.int().optional(),
  minRetentionDays: z.int().optional(),
  maxRetentionDays: z.int().optional(),
});

const dayMilliseconds = 86_400_000;

function lockType({ clockScale }: Account, vaults: Collection<VaultRecord>): ResourceType {
  const isForEver = ({ lockedAt, changeableForDays }: VaultLock): boolean =>
    changeableForDays !== undefined &&
    (Date.now() - Date.parse(lockedAt)) * clockScale > changeableForDays * dayMilliseconds;
  return standIn({
    inputs: lockInputs,
    replaceOn: "every",
    create({ backupVaultName, changeableForDays, minRetentionDays, maxRetentionDays }) {
      const operation = "Backup: PutBackupVaultLockConfiguration";
      const refuse = (message: string): never => {
        throw new ApiError(operation, "InvalidParameterValueException", message);
      };
      const vault = requireVault(vaults, backupVaultName, operation);
      if ((changeableForDays ?? 3) < 3) refuse("ChangeableForDays must be at least 3 days");
      if ((minRetentionDays ?? 1) < 1) refuse("MinRetentionDays must be at least 1 day");
      if ((maxRetentionDays ?? 36_500) > 36_500)
        refuse("MaxRetentionDays must be at most 36500 days");
      if ((maxRetentionDays ?? Infinity) < (minRetentionDays ?? 1)) {
        refuse("MaxRetentionDays must be greater than or equal to MinRetentionDays");
      }
      if (vault.lock !== undefined && isForEver(vault.lock)) throw immutable(operation);
      const lock = {
        lockedAt: new Date().toISOString(),
        changeableForDays,
        minRetentionDays,
        maxRetentionDays,
      };
      vaults.set(backupVaultName, { ...vault, lock });
      return Promise.resolve({ id: backupVaultName, outputs: { backupVaultArn: vault.arn } });
    },
    exists: (olds) => vaults.get(textOf(olds, "backupVaultName"))?.lock !== undefined,
    delete(olds) {
      const name = textOf(olds, "backupVaultName");
      const vault = vaults.get(name);
      if (vault?.lock === undefined) return Promise.resolve();
      if (isForEver(vault.lock)) throw immutable("Backup: DeleteBackupVaultLockConfiguration");
      vaults.set(name, { arn: vault.arn });
      return Promise.resolve();
    },
  });
}

function immutable(operation: string): ApiError {
  return new ApiError(
    operation,
    "InvalidRequestException",
    "the vault lock cannot be changed or deleted: its ChangeableForDays are over",
  );
}

/** The vault of this name. @throws ApiError when there is none */
export function requireVault(
  vaults: Collection<VaultRecord>,
  name: string,
  operation: string,
): VaultRecord {
  const vault = vaults.get(name);
  if (vault !== undefined) return vault;
  throw new ApiError(
    operation,
    "ResourceNotFoundException",
    `Backup vault ${name} cannot be found`,
  );
}
