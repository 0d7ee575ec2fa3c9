import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import type { Collection } from "../store.ts";
import { arn, arnOf, newUuid, requireKey, tags, type Account } from "./account.ts";
import type { RoleRecord } from "./iam.ts";

interface VaultRecord {
  readonly arn: string;
  readonly lock?: VaultLock;
}

/** A lock with `changeableForDays` can never be taken away once those days are over. */
interface VaultLock {
  readonly lockedAt: string;
  readonly changeableForDays: number | undefined;
}

interface PlanRecord {
  readonly name: string;
  readonly selections: readonly string[];
}

/** AWS Backup: vaults, locks, plans and selections as they refer to each other. No backup job ever runs. */
export function backupTypes(account: Account): Record<string, ResourceType> {
  const vaults = account.store.collection<VaultRecord>("aws-backup-vaults");
  const plans = account.store.collection<PlanRecord>("aws-backup-plans");
  return {
    "aws:backup/vault:Vault": vaultType(account, vaults),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": lockType(account, vaults),
    "aws:backup/plan:Plan": planType(account, vaults, plans),
    "aws:backup/selection:Selection": selectionType(account, plans),
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
      const lock = { lockedAt: new Date().toISOString(), changeableForDays };
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

function requireVault(
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

const planInputs = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,50}$/, {
    error: "must consist of 1 to 50 letters, digits, or -_. characters",
  }),
  rules: z
    .array(
      z.strictObject({
        ruleName: z.string().regex(/^[\w.-]{1,50}$/, {
          error: "must consist of 1 to 50 letters, digits, or -_. characters",
        }),
        targetVaultName: z.string(),
        schedule: z.string().optional(),
        scheduleExpressionTimezone: z.string().optional(),
        startWindow: z.int().default(60),
        completionWindow: z.int().default(180),
        enableContinuousBackup: z.boolean().optional(),
        lifecycle: z
          .strictObject({
            coldStorageAfter: z.int().optional(),
            deleteAfter: z.int().optional(),
          })
          .optional(),
        recoveryPointTags: tags,
      }),
    )
    .min(1),
  tags,
});

function planType(
  account: Account,
  vaults: Collection<VaultRecord>,
  plans: Collection<PlanRecord>,
): ResourceType {
  const judge = ({ rules }: z.output<typeof planInputs>, operation: string): void => {
    for (const { ruleName, targetVaultName, schedule, lifecycle } of rules) {
      requireVault(vaults, targetVaultName, operation);
      const { coldStorageAfter, deleteAfter } = lifecycle ?? {};
      if (deleteAfter !== undefined && deleteAfter < (coldStorageAfter ?? -90) + 90) {
        throw new ApiError(
          operation,
          "InvalidParameterValueException",
          `rule ${ruleName}: DeleteAfterDays must be at least 90 days more than MoveToColdStorageAfterDays`,
        );
      }
      if (schedule !== undefined && !/^(cron|rate)\(.+\)$/.test(schedule)) {
        throw new ApiError(
          operation,
          "InvalidParameterValueException",
          `rule ${ruleName}: invalid schedule expression ${schedule}`,
        );
      }
    }
  };
  return standIn({
    inputs: planInputs,
    replaceOn: (name) => name === "name",
    physicalName: "name",
    create(inputs) {
      judge(inputs, "Backup: CreateBackupPlan");
      const id = newUuid();
      plans.set(id, { name: inputs.name, selections: [] });
      return Promise.resolve({
        id,
        outputs: { arn: arnOf(account, "backup", `backup-plan:${id}`), version: newUuid() },
      });
    },
    update(olds, inputs) {
      judge(inputs, "Backup: UpdateBackupPlan");
      return Promise.resolve({ ...computedOf(olds, ["arn"]), version: newUuid() });
    },
    exists: ({ id }) => plans.get(id) !== undefined,
    delete({ id }) {
      if ((plans.get(id)?.selections.length ?? 0) > 0) {
        throw new ApiError(
          "Backup: DeleteBackupPlan",
          "InvalidRequestException",
          "Related backup plan selections must be deleted prior to backup plan deletion",
        );
      }
      plans.delete(id);
      return Promise.resolve();
    },
  });
}

const selectionInputs = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,50}$/, {
    error: "must consist of 1 to 50 letters, digits, or -_. characters",
  }),
  planId: z.string(),
  iamRoleArn: arn,
  resources: z.array(z.string()).optional(),
  notResources: z.array(z.string()).optional(),
});

function selectionType({ store }: Account, plans: Collection<PlanRecord>): ResourceType {
  const roles = store.collection<RoleRecord>("aws-iam-roles");
  const operation = "Backup: CreateBackupSelection";
  return standIn({
    inputs: selectionInputs,
    replaceOn: "every",
    create({ planId, iamRoleArn }) {
      const plan = plans.get(planId);
      if (plan === undefined) {
        throw new ApiError(
          operation,
          "InvalidParameterValueException",
          `Cannot find Backup plan with ID ${planId}`,
        );
      }
      const role = roles.items().find((each) => each.arn === iamRoleArn);
      if (role?.assumeRolePolicy.includes("backup.amazonaws.com") !== true) {
        throw new ApiError(
          operation,
          "InvalidParameterValueException",
          `IAM Role ${iamRoleArn} cannot be assumed by AWS Backup`,
        );
      }
      const id = newUuid();
      plans.set(planId, { ...plan, selections: [...plan.selections, id] });
      return Promise.resolve({ id, outputs: {} });
    },
    exists: (olds) => plans.get(textOf(olds, "planId"))?.selections.includes(olds.id) ?? false,
    delete(olds) {
      const planId = textOf(olds, "planId");
      const plan = plans.get(planId);
      if (plan !== undefined) {
        plans.set(planId, { ...plan, selections: plan.selections.filter((id) => id !== olds.id) });
      }
      return Promise.resolve();
    },
  });
}
