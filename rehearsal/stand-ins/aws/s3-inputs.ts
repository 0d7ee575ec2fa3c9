import { z } from "zod";
import { arn, policyText } from "./account.ts";

const bucket = z.string();
const status = z.enum(["Enabled", "Disabled"]);
const switched = z.strictObject({ status });

/** Whether a bucket keeps old versions. */
export const versioningInputs = z.strictObject({
  bucket,
  versioningConfiguration: z.strictObject({
    status: z.enum(["Enabled", "Suspended", "Disabled"]),
    mfaDelete: status.optional(),
  }),
});

/** How a bucket encrypts its objects. */
export const encryptionInputs = z.strictObject({
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

/** What a bucket refuses to make public. */
export const publicAccessInputs = z.strictObject({
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

/** When a bucket moves and expires its objects. */
export const lifecycleInputs = z.strictObject({
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

/** Who may do what with a bucket. */
export const policyInputs = z.strictObject({ bucket, policy: policyText });

/** Where a bucket logs who asked for what. */
export const loggingInputs = z.strictObject({
  bucket,
  targetBucket: z.string(),
  targetPrefix: z.string(),
});

/** Which pages of other origins may use a bucket. */
export const corsInputs = z.strictObject({
  bucket,
  corsRules: z
    .array(
      z.strictObject({
        id: z.string().max(255).optional(),
        allowedOrigins: z.array(z.string()).min(1),
        allowedMethods: z
          .array(
            z.enum(["GET", "PUT", "HEAD", "POST", "DELETE"], {
              error: "Found unsupported HTTP method in CORS config",
            }),
          )
          .min(1),
        allowedHeaders: z.array(z.string()).optional(),
        exposeHeaders: z.array(z.string()).optional(),
        maxAgeSeconds: z.int().min(0).optional(),
      }),
    )
    .min(1)
    .max(100),
});

/** Where a bucket copies its objects. */
export const replicationInputs = z.strictObject({
  bucket,
  role: arn,
  rules: z
    .array(
      z.strictObject({
        id: z.string().max(255).optional(),
        status,
        priority: z.int().min(0).optional(),
        filter: z.strictObject({ prefix: z.string().max(1024).optional() }).optional(),
        deleteMarkerReplication: switched.optional(),
        existingObjectReplication: switched.optional(),
        sourceSelectionCriteria: z
          .strictObject({
            replicaModifications: switched.optional(),
            sseKmsEncryptedObjects: switched.optional(),
          })
          .optional(),
        destination: z.strictObject({
          bucket: arn,
          account: z.string().optional(),
          storageClass: z.string().optional(),
          encryptionConfiguration: z.strictObject({ replicaKmsKeyId: z.string() }).optional(),
        }),
      }),
    )
    .min(1),
});

/** How long a bucket lets nobody delete its objects. */
export const objectLockInputs = z.strictObject({
  bucket,
  objectLockEnabled: z.literal("Enabled").default("Enabled"),
  rule: z
    .strictObject({
      defaultRetention: z
        .strictObject({
          mode: z.enum(["COMPLIANCE", "GOVERNANCE"]),
          days: z.int().min(1).optional(),
          years: z.int().min(1).optional(),
        })
        .refine(({ days, years }) => (days === undefined) !== (years === undefined), {
          error: "one of days and years must be set, not both",
        }),
    })
    .optional(),
});
