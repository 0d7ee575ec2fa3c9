import { z } from "zod";
import { cloudflareId, key, tableName } from "../config-key.ts";

const cors = key(
  z.boolean().default(false),
  "true lets pages of cutover:identity.corsOrigins use it by signed URLs",
  "true",
);

const s3 = z.strictObject({
  store: z.literal("s3"),
  name: key(z.string().regex(/^[a-z0-9][a-z0-9.-]{2,62}$/), "an S3 bucket name", "flagship-docs"),
  encrypted: key(z.boolean().default(true), "true or false", "true"),
  versioned: key(z.boolean().default(true), "true or false", "true"),
  publicAccessBlocked: key(z.boolean().default(true), "true or false", "true"),
  tlsOnly: key(z.boolean().default(true), "true or false", "true"),
  retentionDays: key(z.number().int().min(0), "whole days an old version is kept", "30"),
  objectLockDays: key(
    z.number().int().min(1).optional(),
    "whole days that nobody can delete an object; only a new bucket can have it",
    "30",
  ),
  replicateTo: key(
    z
      .string()
      .regex(/^arn:[\w-]*:s3:::[a-z0-9][a-z0-9.-]{2,62}$/)
      .optional(),
    "the ARN of a versioned bucket in another region or account",
    "arn:aws:s3:::flagship-docs-copy",
  ),
  replicaKeyArn: key(
    z
      .string()
      .regex(/^arn:[\w-]*:kms:[\w-]+:\d{12}:key\/.+$/)
      .optional(),
    "the ARN of the KMS key that encrypts the replicas, where they lie",
    "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-4cde-8f01-23456789abcd",
  ),
  accessLogTo: key(
    tableName.optional(),
    "the name of another S3 bucket in cutover:buckets",
    "access-log",
  ),
  cors,
});

const r2 = z.strictObject({
  store: z.literal("r2"),
  accountId: key(cloudflareId, "a Cloudflare account id", "0123…cdef"),
  name: key(z.string().regex(/^[a-z0-9][a-z0-9-]{2,62}$/), "an R2 bucket name", "flagship-log"),
  /** Only there to say why it cannot be true. */
  versioned: key(
    z.literal(false).optional(),
    "false: R2 keeps no earlier versions of an object, lockDays is what keeps them",
    "false",
  ),
  lockDays: key(z.number().int().min(0), "whole days an object is locked", "30"),
  expireDays: key(z.number().int().min(1).optional(), "whole days until an object expires", "365"),
  /**
   * R2 copies to nowhere: it has no replication, and what Cloudflare offers for copies, Super Slurper and Sippy, only
   * brings objects into R2. So a job of the system copies; this says where to, and that the stack must have the place.
   * https://developers.cloudflare.com/r2/data-migration/
   */
  copyTo: key(
    tableName.optional(),
    "the name of an S3 bucket in cutover:buckets that a job of the system copies to",
    "archive-copy",
  ),
  cors,
});

/** A row of the table `buckets`. */
export const bucketConfig = z.discriminatedUnion("store", [s3, r2]);

/** A bucket of the stack config. */
export type BucketConfig = z.infer<typeof bucketConfig>;

/** An S3 bucket of the stack config. */
export type S3Config = z.infer<typeof s3>;

/** An R2 bucket of the stack config. */
export type R2Config = z.infer<typeof r2>;
