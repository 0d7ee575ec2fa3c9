import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import { tags, usableKey, type Account } from "./account.ts";

interface BucketRecord {
  readonly arn: string;
  /** Names of the settings that were made, as in `versioning`. */
  readonly settings: readonly string[];
}

/** S3: buckets are folders, whose files are the objects; their settings are kept and referred to. */
export function s3Types(account: Account): Record<string, ResourceType> {
  return {
    "aws:s3/bucket:Bucket": bucketType(account),
    "aws:s3/bucketVersioning:BucketVersioning": settingType(
      account,
      versioningInputs,
      "versioning",
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
      settingType(account, encryptionInputs, "encryption", ({ rules }, operation) => {
        for (const { applyServerSideEncryptionByDefault: how } of rules) {
          const key = how?.kmsMasterKeyId;
          if (key === undefined || usableKey(account, key) !== undefined) continue;
          throw new ApiError(operation, "KMS.NotFoundException", `Key '${key}' does not exist`);
        }
      }),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": settingType(
      account,
      publicAccessInputs,
      "public-access-block",
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": settingType(
      account,
      lifecycleInputs,
      "lifecycle",
    ),
  };
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
  const buckets = account.store.collection<BucketRecord>("aws-s3-buckets");
  return standIn({
    inputs: bucketInputs,
    replaceOn: (name) => ["bucket", "objectLockEnabled"].includes(name),
    physicalName: "bucket",
    create({ bucket }) {
      if (buckets.get(bucket) !== undefined) {
        throw new ApiError(
          "S3: CreateBucket",
          "BucketAlreadyOwnedByYou",
          "Your previous request to create the named bucket succeeded and you already own it.",
        );
      }
      const arn = `arn:aws:s3:::${bucket}`;
      mkdirSync(bucketFolder(account, bucket), { recursive: true });
      buckets.set(bucket, { arn, settings: [] });
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
      if (olds.inputs["forceDestroy"] !== true && readdirSync(folder).length > 0) {
        throw new ApiError(
          "S3: DeleteBucket",
          "BucketNotEmpty",
          "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        );
      }
      rmSync(folder, { recursive: true });
      buckets.delete(bucket);
      return Promise.resolve();
    },
  });
}

const bucket = z.string();
const status = z.enum(["Enabled", "Disabled"]);

const versioningInputs = z.strictObject({
  bucket,
  versioningConfiguration: z.strictObject({
    status: z.enum(["Enabled", "Suspended", "Disabled"]),
    mfaDelete: status.optional(),
  }),
});

const encryptionInputs = z.strictObject({
  bucket,
  rules: z
    .array(
      z.strictObject({
        applyServerSideEncryptionByDefault: z
          .strictObject({
            sseAlgorithm: z.enum(["AES256", "aws:kms", "aws:kms:dsse"]),
            kmsMasterKeyId: z.string().optional(),
          })
          .optional(),
        bucketKeyEnabled: z.boolean().optional(),
      }),
    )
    .min(1),
});

const publicAccessInputs = z.strictObject({
  bucket,
  blockPublicAcls: z.boolean().default(false),
  blockPublicPolicy: z.boolean().default(false),
  ignorePublicAcls: z.boolean().default(false),
  restrictPublicBuckets: z.boolean().default(false),
});

const storageClass = z.enum([
  "GLACIER",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "DEEP_ARCHIVE",
  "GLACIER_IR",
]);

const lifecycleInputs = z.strictObject({
  bucket,
  rules: z
    .array(
      z.strictObject({
        id: z.string().max(255),
        status,
        filter: z.strictObject({ prefix: z.string().optional() }).optional(),
        expiration: z
          .strictObject({
            days: z.int().min(1).optional(),
            expiredObjectDeleteMarker: z.boolean().optional(),
          })
          .optional(),
        noncurrentVersionExpiration: z
          .strictObject({
            noncurrentDays: z.int().min(1),
            newerNoncurrentVersions: z.int().min(1).optional(),
          })
          .optional(),
        transitions: z.array(z.strictObject({ days: z.int().min(0), storageClass })).optional(),
        noncurrentVersionTransitions: z
          .array(z.strictObject({ noncurrentDays: z.int().min(0), storageClass }))
          .optional(),
        abortIncompleteMultipartUpload: z
          .strictObject({ daysAfterInitiation: z.int().min(1) })
          .optional(),
      }),
    )
    .min(1),
});

/** A setting of a bucket: there is one of its kind, and putting it again changes it. */
function settingType<Schema extends z.ZodType<{ bucket: string }>>(
  { store }: Account,
  inputs: Schema,
  setting: string,
  judge: (inputs: z.output<Schema>, operation: string) => void = () => undefined,
): ResourceType {
  const buckets = store.collection<BucketRecord>("aws-s3-buckets");
  const operation = `S3: Put bucket ${setting}`;
  const put = (values: z.output<Schema>): string => {
    const { bucket: name } = values;
    const record = buckets.get(name);
    if (record === undefined) {
      throw new ApiError(operation, "NoSuchBucket", `The specified bucket does not exist: ${name}`);
    }
    judge(values, operation);
    buckets.set(name, { ...record, settings: [...new Set([...record.settings, setting])] });
    return name;
  };
  return standIn({
    inputs,
    replaceOn: (name) => name === "bucket",
    create: (values) => Promise.resolve({ id: put(values), outputs: {} }),
    update(_olds, values) {
      put(values);
      return Promise.resolve({});
    },
    exists: (olds) => buckets.get(textOf(olds, "bucket"))?.settings.includes(setting) ?? false,
    delete(olds) {
      const name = textOf(olds, "bucket");
      const record = buckets.get(name);
      if (record !== undefined) {
        const settings = record.settings.filter((each) => each !== setting);
        buckets.set(name, { ...record, settings });
      }
      return Promise.resolve();
    },
  });
}
