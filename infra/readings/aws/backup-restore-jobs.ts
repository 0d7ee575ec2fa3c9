import { z } from "zod";
import { readingKind } from "../reading.ts";
import { latest, nameInArn, region, timeFact, withAws } from "./client.ts";

const millisecondsPerDay = 24 * 60 * 60 * 1000;

const target = z.strictObject({
  resourceType: z
    .string()
    .regex(/^[\w.-]{1,50}$/, "must be a resource type of AWS Backup")
    .optional()
    .meta({ description: "only restores of this resource type of AWS Backup", example: "RDS" }),
  identifier: z.string().min(1).max(255).optional().meta({
    description: "only restores of what has this name at the end of its ARN",
    example: "orders-production",
  }),
  withinDays: z.number().int().min(1).max(1000).default(90).meta({
    description: "how many days back restores are looked at",
    example: "90",
  }),
  region,
});

/** Reads the newest restore that AWS Backup completed, and what failed after it. */
export const backupRestoreJobs = readingKind({
  kind: "backup-restore-jobs",
  title: "the newest completed restore of AWS Backup",
  target,
  facts: {
    newest:
      "the newest restore that AWS Backup completed; null when there is none; a record of `status` (COMPLETED), `completedAt` (ISO 8601; null when AWS does not say) and `validationStatus` (such as SUCCESSFUL; null when nothing validated it)",
    failuresSince:
      "how many restores failed or were aborted after the newest one, or at all when there is none; one that does not say what it restored counts too",
  },
  subject: ({ identifier, resourceType }) => identifier ?? resourceType ?? "restores",

  async read({ resourceType, identifier, withinDays, ...where }, context) {
    const { BackupClient, paginateListRestoreJobs } = await import("@aws-sdk/client-backup");
    return withAws(
      (options) => new BackupClient(options),
      where,
      context,
      async ({ client, list }) => {
        const input = {
          ByResourceType: resourceType,
          ByCreatedAfter: new Date(context.now.getTime() - withinDays * millisecondsPerDay),
        };
        const jobs = await list(
          "backup:ListRestoreJobs",
          (options) => paginateListRestoreJobs({ client, pageSize: 1000 }, input, options),
          ({ RestoreJobs }) => RestoreJobs,
        );
        const isOf = (source: string | undefined): boolean =>
          identifier === undefined || nameInArn(source) === identifier;
        const newest = latest(
          jobs.filter((job) => job.Status === "COMPLETED" && isOf(job.SourceResourceArn)),
          ({ CompletionDate }) => CompletionDate,
          () => true,
        );
        const since = newest?.CompletionDate?.getTime() ?? 0;
        const failures = jobs.filter(
          (job) =>
            (job.Status === "FAILED" || job.Status === "ABORTED") &&
            (job.SourceResourceArn === undefined || isOf(job.SourceResourceArn)) &&
            ((job.CompletionDate ?? job.CreationDate)?.getTime() ?? Infinity) > since,
        );
        return {
          newest:
            newest === undefined
              ? null
              : {
                  status: newest.Status ?? null,
                  completedAt: timeFact(newest.CompletionDate),
                  validationStatus: newest.ValidationStatus ?? null,
                },
          failuresSince: failures.length,
        };
      },
    );
  },
});
