import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import type { Collection } from "../store.ts";
import { arn, arnOf, newUuid, tags, type Account } from "./account.ts";
import { requireVault, type VaultRecord } from "./backup.ts";
import type { RoleRecord } from "./iam.ts";

interface PlanRecord {
  readonly name: string;
  readonly selections: readonly string[];
}

/** AWS Backup: plans and selections as they refer to each other and to vaults. No backup job ever runs. */
export function backupPlanTypes(account: Account): Record<string, ResourceType> {
  const vaults = account.store.collection<VaultRecord>("aws-backup-vaults");
  const plans = account.store.collection<PlanRecord>("aws-backup-plans");
  return {
    "aws:backup/plan:Plan": planType(account, vaults, plans),
    "aws:backup/selection:Selection": selectionType(account, plans),
  };
}

const lifecycle = z
  .strictObject({
    coldStorageAfter: z.int().optional(),
    deleteAfter: z.int().optional(),
    optInToArchiveForSupportedResources: z.boolean().optional(),
  })
  .optional();

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
        lifecycle,
        copyActions: z.array(z.strictObject({ destinationVaultArn: arn, lifecycle })).optional(),
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
    for (const { ruleName, targetVaultName, schedule, copyActions = [], ...rule } of rules) {
      requireVault(vaults, targetVaultName, operation);
      judgeLifecycle(rule.lifecycle, ruleName, operation);
      for (const copy of copyActions) {
        judgeLifecycle(copy.lifecycle, ruleName, operation);
        judgeDestination(account, vaults, copy.destinationVaultArn, operation);
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

function judgeLifecycle(
  { coldStorageAfter, deleteAfter }: NonNullable<z.output<typeof lifecycle>> = {},
  ruleName: string,
  operation: string,
): void {
  if (deleteAfter === undefined || deleteAfter >= (coldStorageAfter ?? -90) + 90) return;
  throw new ApiError(
    operation,
    "InvalidParameterValueException",
    `rule ${ruleName}: DeleteAfterDays must be at least 90 days more than MoveToColdStorageAfterDays`,
  );
}

/** Only this account's vaults in this region are known here; a copy may go to any other. */
function judgeDestination(
  account: Account,
  vaults: Collection<VaultRecord>,
  vaultArn: string,
  operation: string,
): void {
  const own = arnOf(account, "backup", "backup-vault:");
  if (vaultArn.startsWith(own)) requireVault(vaults, vaultArn.slice(own.length), operation);
  else if (/^arn:[\w-]*:backup:[\w-]+:\d{12}:backup-vault:.+$/.test(vaultArn)) return;
  else {
    throw new ApiError(
      operation,
      "InvalidParameterValueException",
      `Invalid DestinationBackupVaultArn: ${vaultArn}`,
    );
  }
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
