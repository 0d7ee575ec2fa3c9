import type * as pulumi from "@pulumi/pulumi";
import type { StepOptions } from "../component.ts";
import { Archive } from "./archive.ts";
import { Bucket } from "./bucket.ts";
import type { BucketConfig, S3Config } from "./config.ts";
import { Replication } from "./replication.ts";

/** The table `buckets` of the stack config. */
export type BucketTable = Readonly<Record<string, BucketConfig>>;

/**
 * Declares every bucket of the table, those that take access logs before those that write them.
 *
 * @param table its relations hold, see relations.ts
 * @param shared the key that encrypts, and the origins whose pages may use the buckets with `cors`
 * @returns all that was declared, in that order; program names begin with the row's name
 */
export function declareBuckets(
  table: BucketTable,
  shared: { readonly kmsKeyArn: pulumi.Input<string>; readonly corsOrigins?: readonly string[] },
  step: StepOptions,
): pulumi.Resource[] {
  const { kmsKeyArn, corsOrigins = [] } = shared;
  const declared = new Map<string, pulumi.Resource>();
  const behind = (...names: readonly (string | undefined)[]): StepOptions => ({
    ...step,
    dependsOn: [...step.dependsOn, ...names.flatMap((name) => declared.get(name ?? "") ?? [])],
  });
  for (const [name, settings] of inOrder(table)) {
    if (settings.store === "r2") {
      declared.set(name, new Archive(name, { settings, corsOrigins }, step));
      continue;
    }
    const { accessLogTo } = settings;
    const args = {
      settings,
      kmsKeyArn,
      accessLogTo: accessLogTo === undefined ? undefined : table[accessLogTo]?.name,
      logsOf: logsOf(table, name),
      corsOrigins,
    };
    declared.set(name, new Bucket(name, args, behind(accessLogTo)));
    const { name: bucket, replicateTo: to } = settings;
    if (to === undefined) continue;
    const replication = `${name}-replication`;
    const keys = keysOf(settings, kmsKeyArn);
    declared.set(replication, new Replication(replication, { bucket, to, keys }, behind(name)));
  }
  return [...declared.values()];
}

/** The rows, those that take access logs first; none of these writes one itself. */
function inOrder(table: BucketTable): [string, BucketConfig][] {
  const rows = Object.entries(table);
  const takesLogs = ([name]: [string, BucketConfig]): boolean => logsOf(table, name).length > 0;
  return [...rows.filter(takesLogs), ...rows.filter((row) => !takesLogs(row))];
}

/** S3's names of the buckets that write their access log to a row. */
function logsOf(table: BucketTable, name: string): string[] {
  return Object.values(table).flatMap((row) =>
    row.store === "s3" && row.accessLogTo === name ? [row.name] : [],
  );
}

function keysOf(
  { replicaKeyArn }: S3Config,
  kmsKeyArn: pulumi.Input<string>,
): { readonly source: pulumi.Input<string>; readonly replica: string } | undefined {
  return replicaKeyArn === undefined ? undefined : { source: kmsKeyArn, replica: replicaKeyArn };
}
