import type {
  LifecycleRule,
  ObjectLockConfiguration,
  PublicAccessBlockConfiguration,
  ServerSideEncryptionConfiguration,
} from "@aws-sdk/client-s3";
import { z } from "zod";
import { parseJson, UnreadableError } from "../../../policies/contract/json.ts";
import { readingKind } from "../reading.ts";
import { numberFact, region, withAws } from "./client.ts";

const target = z.strictObject({
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of an S3 bucket")
    .meta({ description: "name of the S3 bucket", example: "orders-documents" }),
  region,
});

/** Reads how an S3 bucket keeps its objects. */
export const s3Bucket = readingKind({
  kind: "s3-bucket",
  title: "versioning, encryption, access and lifecycle of an S3 bucket",
  target,
  facts: {
    versioning: "Enabled or Suspended; null when it was never switched on",
    mfaDelete: "true when deleting a version takes a second factor",
    encryption:
      "how new objects are encrypted by default; null when nothing says so; a record of `algorithm` (such as AES256 or aws:kms; null when none is named) and `bucketKey` (true when S3 Bucket Keys are used)",
    publicAccessBlock:
      "what keeps the bucket from being public; null when nothing does; a record of `blockPublicAcls`, `ignorePublicAcls`, `blockPublicPolicy` and `restrictPublicBuckets`, each true when it is on",
    lifecycle:
      "its lifecycle; null when there is none; a record of `rules` (how many are enabled) and `noncurrentDays` (days after which the first noncurrent versions expire; null when none expire)",
    objectLock:
      "its object lock; null when it is off; a record of `mode` (GOVERNANCE or COMPLIANCE) and `days` (for which new objects are locked by default, 365 for a year), both null when nothing is locked by default",
    replication: "true when an enabled rule replicates objects",
    tlsOnly: "true when its policy refuses everybody access to all objects without TLS",
    logging: "name of the bucket that takes its access log; null when there is none",
  },
  subject: ({ bucket }) => bucket,

  async read({ bucket, ...where }, context) {
    const s3 = await import("@aws-sdk/client-s3");
    return withAws(
      (options) => new s3.S3Client(options),
      where,
      context,
      async ({ client, find, absent }) => {
        const input = { Bucket: bucket };
        const versioning = await find("s3:GetBucketVersioning", ["NoSuchBucket"], (options) =>
          client.send(new s3.GetBucketVersioningCommand(input), options),
        );
        if (versioning === undefined) throw await absent(`S3 bucket ${bucket}`);
        const [encryption, access, lifecycle, lock, replication, policy, logging] =
          await Promise.all([
            find(
              "s3:GetEncryptionConfiguration",
              ["ServerSideEncryptionConfigurationNotFoundError"],
              (options) => client.send(new s3.GetBucketEncryptionCommand(input), options),
            ),
            find(
              "s3:GetBucketPublicAccessBlock",
              ["NoSuchPublicAccessBlockConfiguration"],
              (options) => client.send(new s3.GetPublicAccessBlockCommand(input), options),
            ),
            find("s3:GetLifecycleConfiguration", ["NoSuchLifecycleConfiguration"], (options) =>
              client.send(new s3.GetBucketLifecycleConfigurationCommand(input), options),
            ),
            find(
              "s3:GetBucketObjectLockConfiguration",
              ["ObjectLockConfigurationNotFoundError"],
              (options) => client.send(new s3.GetObjectLockConfigurationCommand(input), options),
            ),
            find(
              "s3:GetReplicationConfiguration",
              ["ReplicationConfigurationNotFoundError"],
              (options) => client.send(new s3.GetBucketReplicationCommand(input), options),
            ),
            find("s3:GetBucketPolicy", ["NoSuchBucketPolicy"], (options) =>
              client.send(new s3.GetBucketPolicyCommand(input), options),
            ),
            find("s3:GetBucketLogging", [], (options) =>
              client.send(new s3.GetBucketLoggingCommand(input), options),
            ),
          ]);
        return {
          versioning: versioning.Status ?? null,
          mfaDelete: versioning.MFADelete === "Enabled",
          encryption: encryptionFacts(encryption?.ServerSideEncryptionConfiguration),
          publicAccessBlock: accessFacts(access?.PublicAccessBlockConfiguration),
          lifecycle: lifecycleFacts(lifecycle?.Rules),
          objectLock: lockFacts(lock?.ObjectLockConfiguration),
          replication: (replication?.ReplicationConfiguration?.Rules ?? []).some(
            ({ Status }) => Status === "Enabled",
          ),
          tlsOnly: isTlsOnly(bucket, policy?.Policy),
          logging: logging?.LoggingEnabled?.TargetBucket ?? null,
        };
      },
    );
  },
});

type Facts = Readonly<Record<string, unknown>> | null;

function encryptionFacts(configuration: ServerSideEncryptionConfiguration | undefined): Facts {
  const rule = configuration?.Rules?.[0];
  if (rule === undefined) return null;
  return {
    algorithm: rule.ApplyServerSideEncryptionByDefault?.SSEAlgorithm ?? null,
    bucketKey: rule.BucketKeyEnabled ?? false,
  };
}

function accessFacts(block: PublicAccessBlockConfiguration | undefined): Facts {
  if (block === undefined) return null;
  return {
    blockPublicAcls: block.BlockPublicAcls ?? false,
    ignorePublicAcls: block.IgnorePublicAcls ?? false,
    blockPublicPolicy: block.BlockPublicPolicy ?? false,
    restrictPublicBuckets: block.RestrictPublicBuckets ?? false,
  };
}

function lifecycleFacts(all: readonly LifecycleRule[] | undefined): Facts {
  if (all === undefined) return null;
  const rules = all.filter(({ Status }) => Status === "Enabled");
  const days = rules
    .map(({ NoncurrentVersionExpiration }) => NoncurrentVersionExpiration?.NoncurrentDays)
    .filter((noncurrentDays) => noncurrentDays !== undefined);
  return {
    rules: rules.length,
    noncurrentDays: days.length === 0 ? null : numberFact(Math.min(...days)),
  };
}

function lockFacts(configuration: ObjectLockConfiguration | undefined): Facts {
  if (configuration?.ObjectLockEnabled !== "Enabled") return null;
  const retention = configuration.Rule?.DefaultRetention;
  const years = retention?.Years;
  return {
    mode: retention?.Mode ?? null,
    days: numberFact(retention?.Days ?? (years === undefined ? undefined : years * 365)),
  };
}

const policyLimits = { bytes: 64 * 1024, depth: 16 };

const oneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const everybody = z.union([
  z.literal("*"),
  z.strictObject({ AWS: z.union([z.literal("*"), z.tuple([z.literal("*")])]) }),
]);
const isFalse = z.union([z.literal("false"), z.literal(false), z.tuple([z.literal("false")])]);

/** A statement that refuses everybody everything without TLS, and nothing less. */
const tlsStatement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.literal("Deny"),
  Principal: everybody,
  Action: oneOrMore.refine((actions) =>
    actions.some((action) => action === "*" || action === "s3:*"),
  ),
  Resource: oneOrMore,
  Condition: z.strictObject({ Bool: z.strictObject({ "aws:SecureTransport": isFalse }) }),
});

const policySchema = z.looseObject({
  Statement: z.union([z.array(z.unknown()), z.looseObject({}).transform((one) => [one])]),
});

function isTlsOnly(bucket: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    return policySchema.parse(parseJson(text, policyLimits)).Statement.some((statement) => {
      const found = tlsStatement.safeParse(statement);
      return (
        found.success &&
        found.data.Resource.some((arn) => arn === "*" || arn.endsWith(`:::${bucket}/*`))
      );
    });
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof z.ZodError) return false;
    throw error;
  }
}
