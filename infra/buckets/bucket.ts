import type * as pulumi from "@pulumi/pulumi";
import { Bucket as S3Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration.js";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock.js";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import { Component, type StepOptions } from "../component.ts";
import type { Config } from "../config.ts";

/** What an S3 bucket is made from: the config's `bucket` group and its key. */
export interface BucketArgs {
  readonly settings: Config["bucket"];
  readonly kmsKeyArn: pulumi.Input<string>;
}

/**
 * An S3 bucket: encrypted, versioned, private, with old versions kept. Its parts name the bucket in plain text, so that
 * the gates can tell which bucket they belong to before anything exists.
 */
export class Bucket extends Component {
  constructor(name: string, args: BucketArgs, step: StepOptions) {
    super("buckets:Bucket", name, step);
    const bucket = this.#createBucket(name, args);
    if (args.settings.encrypted) this.#encrypt(name, args, bucket);
    const versioning = args.settings.versioned ? this.#version(name, args, bucket) : bucket;
    if (args.settings.publicAccessBlocked) this.#blockPublicAccess(name, args, bucket);
    this.#keepOldVersions(name, args, versioning);
    this.registerOutputs({ bucket: bucket.bucket });
  }

  #createBucket(name: string, { settings }: BucketArgs): S3Bucket {
    return new S3Bucket(
      `${name}-bucket`,
      { bucket: settings.name },
      { ...this.child, protect: true },
    );
  }

  #encrypt(name: string, { settings, kmsKeyArn }: BucketArgs, bucket: S3Bucket): void {
    new BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        bucket: settings.name,
        rules: [
          {
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

  #blockPublicAccess(name: string, { settings }: BucketArgs, bucket: S3Bucket): void {
    new BucketPublicAccessBlock(
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

  #keepOldVersions(name: string, { settings }: BucketArgs, versioning: pulumi.Resource): void {
    if (settings.retentionDays === 0) return;
    new BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      {
        bucket: settings.name,
        rules: [
          {
            id: "keep-old-versions",
            status: "Enabled",
            filter: { prefix: "" },
            noncurrentVersionExpiration: { noncurrentDays: settings.retentionDays },
          },
        ],
      },
      this.after(versioning),
    );
  }
}
