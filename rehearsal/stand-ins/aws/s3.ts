import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Properties, ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import type { Collection } from "../store.ts";
import { tags, type Account } from "./account.ts";

/** What S3 keeps of a bucket. */
export interface BucketRecord {
  readonly arn: string;
  readonly objectLockEnabled: boolean;
  /** The settings that were made, by their kind, as in `versioning`. */
  readonly settings: Readonly<Record<string, Properties>>;
}

/** Buckets by name. */
export function bucketsOf({ store }: Account): Collection<BucketRecord> {
  return store.collection("aws-s3-buckets");
}

/** S3: buckets are folders, whose files are the objects. */
export function s3BucketTypes(account: Account): Record<string, ResourceType> {
  return { "aws:s3/bucket:Bucket": bucketType(account) };
}

/** Folder of a bucket's objects. */
function bucketFolder({ store }: Account, bucket: string): string {
  return join(store.folder, "s3", bucket);
}

const bucketInputs = z.strictObject({
  bucket: z.string().regex(/^[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]$/, {
    error:
      "must be 3 to 63 lowercase letters, digits, dots or hyphens, with a letter or digit at both ends",
  }),
  forceDestroy: z.boolean().default(false),
  objectLockEnabled: z.boolean().optional(),
  tags,
});

function bucketType(account: Account): ResourceType {
  const buckets = bucketsOf(account);
  return standIn({
    inputs: bucketInputs,
    replaceOn: (name) => ["bucket", "objectLockEnabled"].includes(name),
    physicalName: "bucket",
    create({ bucket, objectLockEnabled = false }) {
      if (buckets.get(bucket) !== undefined) {
        throw new ApiError(
          "S3: CreateBucket",
          "BucketAlreadyOwnedByYou",
          "Your previous request to create the named bucket succeeded and you already own it.",
        );
      }
      const arn = `arn:aws:s3:::${bucket}`;
      mkdirSync(bucketFolder(account, bucket), { recursive: true });
      buckets.set(bucket, { arn, objectLockEnabled, settings: {} });
      const outputs = {
        arn,
        bucketDomainName: `${bucket}.s3.amazonaws.com`,
        bucketRegionalDomainName: `${bucket}.s3.${account.region}.amazonaws.com`,
        bucketRegion: account.region,
        hostedZoneId: "Z3AQBSTGFYJSTF",
      };
      return Promise.resolve({ id: bucket, outputs });
    },
    update: (olds) =>
      Promise.resolve(
        computedOf(olds, [
          "arn",
          "bucketDomainName",
          "bucketRegionalDomainName",
          "bucketRegion",
          "hostedZoneId",
        ]),
      ),
    exists: ({ id }) => buckets.get(id) !== undefined,
    delete(olds) {
      const bucket = textOf(olds, "bucket");
      if (buckets.get(bucket) === undefined) return Promise.resolve();
      const folder = bucketFolder(account, bucket);
      refuseLocked(account, bucket, folder);
      if (olds.inputs["forceDestroy"] !== true && readdirSync(folder).length > 0) {
        throw new ApiError(
          "S3: DeleteBucket",
          "BucketNotEmpty",
          "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        );
      }
      rmSync(folder, { recursive: true });
      forgetObjects(account, bucket);
      buckets.delete(bucket);
      return Promise.resolve();
    },
  });
}

/** What is on record of the objects of a bucket goes with it; a later one of its name is empty. */
function forgetObjects({ store }: Account, bucket: string): void {
  const objects = store.collection("aws-s3-objects");
  for (const [key] of objects.entries()) if (key.startsWith(`${bucket}/`)) objects.delete(key);
}

const dayMilliseconds = 86_400_000;
const yearDays = 365;

/** What lies in a bucket in compliance mode cannot be deleted by anybody until its days are over. */
function refuseLocked(account: Account, bucket: string, folder: string): void {
  const lock = bucketsOf(account).get(bucket)?.settings["object-lock"];
  const rule = lock?.["rule"] as
    { readonly defaultRetention?: { mode?: string; days?: number; years?: number } } | undefined;
  const { mode, days, years } = rule?.defaultRetention ?? {};
  if (mode !== "COMPLIANCE") return;
  const lockedDays = days ?? (years ?? 0) * yearDays;
  const isLocked = (file: string): boolean =>
    (Date.now() - statSync(join(folder, file)).mtimeMs) * account.clockScale <
    lockedDays * dayMilliseconds;
  if (!readdirSync(folder).some(isLocked)) return;
  throw new ApiError(
    "S3: DeleteObjects",
    "AccessDenied",
    "Access Denied because object protected by object lock.",
  );
}
