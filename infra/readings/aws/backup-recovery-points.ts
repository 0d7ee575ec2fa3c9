import { z } from "zod";
import { readingKind } from "../reading.ts";
import { latest, nameInArn, numberFact, region, timeFact, withAws } from "./client.ts";

const target = z.strictObject({
  vault: z
    .string()
    .regex(/^[\w-]{2,50}$/, "must be the name of an AWS Backup vault")
    .meta({ description: "name of the AWS Backup vault", example: "orders-backups" }),
  identifier: z.string().min(1).max(255).optional().meta({
    description: "only recovery points of what has this name at the end of its ARN",
    example: "orders-production",
  }),
  region,
});

/** Reads a vault of AWS Backup and its newest recovery point. */
export const backupRecoveryPoints = readingKind({
  kind: "backup-recovery-points",
  title: "the newest recovery point and the lock of an AWS Backup vault",
  target,
  facts: {
    vaultLocked:
      "true when a lock of the vault keeps recovery points from being deleted early; null when AWS does not say",
    minRetentionDays:
      "days for which the lock keeps every recovery point at least; null when it sets none",
    count: "how many recovery points the vault has, of `identifier` alone where it is named",
    newest:
      "the newest of them, of the complete ones where there are any; null when there is none; a record of `status` (such as COMPLETED), `createdAt` and `completedAt` (ISO 8601) and `isEncrypted` (true when it is), each null when AWS does not say",
  },
  subject: ({ vault }) => vault,

  async read({ vault, identifier, ...where }, context) {
    const { BackupClient, DescribeBackupVaultCommand, paginateListRecoveryPointsByBackupVault } =
      await import("@aws-sdk/client-backup");
    return withAws(
      (options) => new BackupClient(options),
      where,
      context,
      async ({ client, find, list, absent }) => {
        const name = { BackupVaultName: vault };
        const description = await find(
          "backup:DescribeBackupVault",
          ["ResourceNotFoundException"],
          (options) => client.send(new DescribeBackupVaultCommand(name), options),
        );
        if (description === undefined) throw await absent(`AWS Backup vault ${vault}`);
        const all = await list(
          "backup:ListRecoveryPointsByBackupVault",
          (options) =>
            paginateListRecoveryPointsByBackupVault({ client, pageSize: 1000 }, name, options),
          ({ RecoveryPoints }) => RecoveryPoints,
        );
        const points = all.filter(
          ({ ResourceArn }) => identifier === undefined || nameInArn(ResourceArn) === identifier,
        );
        const newest = latest(
          points,
          ({ CreationDate }) => CreationDate,
          ({ Status }) => Status !== undefined && complete.includes(Status),
        );
        return {
          vaultLocked: description.Locked ?? null,
          minRetentionDays: numberFact(description.MinRetentionDays),
          count: points.length,
          newest:
            newest === undefined
              ? null
              : {
                  status: newest.Status ?? null,
                  createdAt: timeFact(newest.CreationDate),
                  completedAt: timeFact(newest.CompletionDate),
                  isEncrypted: newest.IsEncrypted ?? null,
                },
        };
      },
    );
  },
});

/** States of a recovery point that can be restored whole; continuous ones are `AVAILABLE`. */
const complete: readonly string[] = ["COMPLETED", "AVAILABLE"];
