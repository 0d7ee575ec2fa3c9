import * as pulumi from "@pulumi/pulumi";
import type { BucketTable } from "../buckets/declare.ts";
import type { StorePlace } from "../provider/object-store.ts";
import type { ContainerDatabaseConfig } from "./config.ts";

/**
 * Where the dumps of a database go, as the provider takes it. In a bucket with object lock nobody deletes a dump before
 * `keepDays` have passed; in any other, the bucket's own rules say how long it stays, which its gates judge.
 *
 * @throws Error when the table has no such bucket, which the relations of the stack config rule out
 */
export function dumpStore({ dumps }: ContainerDatabaseConfig, buckets: BucketTable): StorePlace {
  const bucket = buckets[dumps.bucket];
  if (bucket === undefined) {
    throw new Error(`cutover:buckets has no ${dumps.bucket}, which cutover:database.dumps names`);
  }
  if (bucket.store === "r2") {
    return { store: "r2", bucket: bucket.name, accountId: bucket.accountId };
  }
  const region = awsRegion();
  return {
    store: "s3",
    bucket: bucket.name,
    ...(region === undefined ? {} : { region }),
    ...(bucket.objectLockDays === undefined || dumps.keepDays === 0
      ? {}
      : { lockDays: dumps.keepDays }),
  };
}

/** The region of the stack's own provider; undefined where the environment says it. */
export function awsRegion(): string | undefined {
  return new pulumi.Config("aws").get("region");
}
