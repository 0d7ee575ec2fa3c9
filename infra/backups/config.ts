import { z } from "zod";
import { key, tableName } from "../config-key.ts";

/** The group `backups`: the vault of a database's recovery points, and how they are tested. */
export const backupsConfig = z.strictObject({
  vault: key(z.string().regex(/^[a-zA-Z0-9_-]{2,50}$/), "an AWS Backup vault name", "flagship"),
  lockMinRetentionDays: key(z.number().int().min(0), "whole days", "7"),
  keepDays: key(z.number().int().min(1), "whole days a backup is kept", "35"),
  schedule: key(z.string().startsWith("cron("), "an AWS cron expression", "cron(0 3 * * ? *)"),
  copyTo: z
    .strictObject({
      vaultArn: key(
        z.string().regex(/^arn:[\w-]*:backup:[\w-]+:\d{12}:backup-vault:.+$/),
        "the ARN of a vault in another region or account",
        "arn:aws:backup:eu-west-1:123456789012:backup-vault:flagship-copies",
      ),
      keepDays: key(z.number().int().min(1), "whole days a copy is kept", "35"),
    })
    .optional(),
});

/** The group `restoreTest`: what a restored copy of the database must answer. */
export const restoreTestConfig = z.strictObject({
  queries: z
    .record(
      tableName,
      key(
        z.string().regex(/^\s*select\b/i),
        "a SELECT with one row whose first column is true when all is well",
        "SELECT count(*) > 0 FROM orders",
      ),
    )
    .refine((queries) => Object.keys(queries).length > 0)
    .meta({ description: "queries by name, at least one" }),
});

/** The vault of the stack config. */
export type BackupsConfig = z.infer<typeof backupsConfig>;
