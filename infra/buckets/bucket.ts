import type * as pulumi from "@pulumi/pulumi";
import { Bucket as S3Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketCorsConfiguration } from "@pulumi/aws/s3/bucketCorsConfiguration.js";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration.js";
import { BucketLogging } from "@pulumi/aws/s3/bucketLogging.js";
import { BucketObjectLockConfiguration } from "@pulumi/aws/s3/bucketObjectLockConfiguration.js";
import { BucketPolicy } from "@pulumi/aws/s3/bucketPolicy.js";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock.js";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import { Component, type StepOptions } from "../component.ts";
import { bucketPolicy } from "./bucket-policy.ts";
import { corsRule } from "./cors.ts";
import type { S3Config } from "./config.ts";

/** What an S3 bucket is made from: its row of the config's `buckets`, its key, and its part in access logs. */
export interface BucketArgs {
  readonly settings: S3Config;
  readonly kmsKeyArn: pulumi.Input<string>;
  /** S3's name of the bucket that takes its access log. */
  readonly accessLogTo?: string | undefined;
  /** S3's names of the buckets that write their access log here. */
  readonly logsOf?: readonly string[];
  /** Origins whose pages may use it, where its row has `cors`. */
  readonly corsOrigins?: readonly string[];
}

/**
 * Days after which S3 throws away what was uploaded of an object that was never finished. It is paid for and no listing
 * shows it; no upload takes a week.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html
 */
export const abortUploadsDays = 7;

/**
 * An S3 bucket: encrypted, versioned, private, reached by TLS only, with old versions kept. Its parts name the bucket in
 * plain text, so that the gates can tell which bucket they belong to before anything exists.
 */
export class Bucket extends Component {
  constructor(name: string, args: BucketArgs, step: StepOptions) {
    super("buckets:Bucket", name, step);
    const { settings } = args;
    const bucket = this.#createBucket(name, args);
    if (settings.encrypted) this.#encrypt(name, args, bucket);
    const versioning = settings.versioned ? this.#version(name, args, bucket) : bucket;
    const block = settings.publicAccessBlocked
      ? this.#blockPublicAccess(name, args, bucket)
      : bucket;
    this.#limitAccess(name, args, block);
    this.#limitLives(name, args, versioning);
    this.#lockObjects(name, args, versioning);
    this.#logAccess(name, args, bucket);
    this.#letPagesUse(name, args, bucket);
    this.registerOutputs({ bucket: bucket.bucket });
  }

  #createBucket(name: string, { settings }: BucketArgs): S3Bucket {
    return new S3Bucket(
      `${name}-bucket`,
      {
        bucket: settings.name,
        ...(settings.objectLockDays === undefined ? {} : { objectLockEnabled: true }),
      },
      { ...this.child, protect: true },
    );
  }

  #encrypt(name: string, { settings, kmsKeyArn, logsOf = [] }: BucketArgs, bucket: S3Bucket): void {
    new BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        bucket: settings.name,
        rules: [
          // S3 delivers no access log to a bucket that encrypts with KMS by default.
          logsOf.length > 0
            ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
            : {
                applyServerSideEncryptionByDefault: {
                  sseAlgorithm: "aws:kms",
                  kmsMasterKeyId: kmsKeyArn,
                },
                bucketKeyEnabled: true,
              },
        ],
      },
      this.after(bucket),
    );
  }

  #version(name: string, { settings }: BucketArgs, bucket: S3Bucket): pulumi.Resource {
    return new BucketVersioning(
      `${name}-versioning`,
      { bucket: settings.name, versioningConfiguration: { status: "Enabled" } },
      this.after(bucket),
    );
  }

  #blockPublicAccess(name: string, { settings }: BucketArgs, bucket: S3Bucket): pulumi.Resource {
    return new BucketPublicAccessBlock(
      `${name}-public-access-block`,
      {
        bucket: settings.name,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      this.after(bucket),
    );
  }

  /** S3 refuses two changes of who may reach a bucket at once, so the policy waits for the block. */
  #limitAccess(name: string, { settings, logsOf = [] }: BucketArgs, block: pulumi.Resource): void {
    const { tlsOnly } = settings;
    const policy = bucketPolicy({ bucket: settings.name, tlsOnly, logsOf });
    if (policy === undefined) return;
    new BucketPolicy(`${name}-policy`, { bucket: settings.name, policy }, this.after(block));
  }

  #limitLives(name: string, { settings }: BucketArgs, versioning: pulumi.Resource): void {
    new BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        bucket: settings.name,
        rules: [
          ...(settings.retentionDays === 0
            ? []
            : [
                {
                  id: "keep-old-versions",
                  status: "Enabled",
                  filter: { prefix: "" },
                  noncurrentVersionExpiration: { noncurrentDays: settings.retentionDays },
                },
              ]),
          {
            id: "abort-unfinished-uploads",
            status: "Enabled",
            filter: { prefix: "" },
            abortIncompleteMultipartUpload: { daysAfterInitiation: abortUploadsDays },
          },
        ],
      },
      this.after(versioning),
    );
  }

  /**
   * COMPLIANCE, because in GOVERNANCE whoever has one more permission deletes all the same, and a lock is there for the
   * day on which somebody has too many. It holds for objects that are written from then on.
   */
  #lockObjects(name: string, { settings }: BucketArgs, versioning: pulumi.Resource): void {
    if (settings.objectLockDays === undefined) return;
    new BucketObjectLockConfiguration(
      `${name}-object-lock`,
      {
        bucket: settings.name,
        objectLockEnabled: "Enabled",
        rule: { defaultRetention: { mode: "COMPLIANCE", days: settings.objectLockDays } },
      },
      this.after(versioning),
    );
  }

  #logAccess(name: string, { settings, accessLogTo }: BucketArgs, bucket: S3Bucket): void {
    if (accessLogTo === undefined) return;
    new BucketLogging(
      `${name}-access-log`,
      { bucket: settings.name, targetBucket: accessLogTo, targetPrefix: `${settings.name}/` },
      this.after(bucket),
    );
  }

  #letPagesUse(name: string, { settings, corsOrigins = [] }: BucketArgs, bucket: S3Bucket): void {
    if (!settings.cors || corsOrigins.length === 0) return;
    const { id, origins, methods, headers, exposeHeaders, maxAgeSeconds } = corsRule(corsOrigins);
    new BucketCorsConfiguration(
      `${name}-cors`,
      {
        bucket: settings.name,
        corsRules: [
          {
            id,
            allowedOrigins: origins,
            allowedMethods: methods,
            allowedHeaders: headers,
            exposeHeaders,
            maxAgeSeconds,
          },
        ],
      },
      this.after(bucket),
    );
  }
}
