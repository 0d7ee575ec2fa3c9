import * as pulumi from "@pulumi/pulumi";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { BucketReplicationConfig } from "@pulumi/aws/s3/bucketReplicationConfig.js";
import { Component, type StepOptions } from "../component.ts";
import { bucketArn } from "./bucket-policy.ts";

/** What a replication is made from. */
export interface ReplicationArgs {
  /** Name of the bucket that is copied; it must be versioned. */
  readonly bucket: string;
  /** ARN of the bucket that holds the copies; it must be versioned too. */
  readonly to: string;
  /** The keys of both sides; undefined where objects are not encrypted with KMS. */
  readonly keys:
    { readonly source: pulumi.Input<string>; readonly replica: pulumi.Input<string> } | undefined;
}

/** IAM's limit for the name of a role. */
const longestRoleName = 64;
const suffix = "-replication";

/** Copies every new object and every deletion of a bucket to another one, as S3 itself does it. */
export class Replication extends Component {
  constructor(name: string, args: ReplicationArgs, step: StepOptions) {
    super("buckets:Replication", name, step);
    const role = this.#createRole(name, args);
    const permission = this.#permit(name, args, role);
    this.#replicate(name, args, role, permission);
    this.registerOutputs({});
  }

  #createRole(name: string, { bucket }: ReplicationArgs): Role {
    return new Role(
      `${name}-role`,
      {
        name: `${bucket.slice(0, longestRoleName - suffix.length)}${suffix}`,
        assumeRolePolicy: policyOf([
          {
            Effect: "Allow",
            Principal: { Service: "s3.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ]),
      },
      this.child,
    );
  }

  #permit(name: string, { bucket, to, keys }: ReplicationArgs, role: Role): RolePolicy {
    const arn = bucketArn(bucket);
    const statements = [
      allow(["s3:GetReplicationConfiguration", "s3:ListBucket"], arn),
      allow(
        [
          "s3:GetObjectVersionForReplication",
          "s3:GetObjectVersionAcl",
          "s3:GetObjectVersionTagging",
          "s3:GetObjectRetention",
          "s3:GetObjectLegalHold",
        ],
        `${arn}/*`,
      ),
      allow(["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], `${to}/*`),
      ...(keys === undefined
        ? []
        : [allow(["kms:Decrypt"], keys.source), allow(["kms:Encrypt"], keys.replica)]),
    ];
    return new RolePolicy(
      `${name}-role-policy`,
      { name: "replicate", role: role.name, policy: pulumi.output(statements).apply(policyOf) },
      this.child,
    );
  }

  #replicate(
    name: string,
    { bucket, to, keys }: ReplicationArgs,
    role: Role,
    permission: RolePolicy,
  ): void {
    new BucketReplicationConfig(
      `${name}-config`,
      {
        bucket,
        role: role.arn,
        rules: [
          {
            id: "everything",
            status: "Enabled",
            priority: 0,
            filter: { prefix: "" },
            deleteMarkerReplication: { status: "Enabled" },
            destination: {
              bucket: to,
              ...(keys === undefined
                ? {}
                : { encryptionConfiguration: { replicaKmsKeyId: keys.replica } }),
            },
            // S3 leaves out what is encrypted with KMS unless it is told otherwise.
            ...(keys === undefined
              ? {}
              : {
                  sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
                }),
          },
        ],
      },
      this.after(permission),
    );
  }
}

function allow(actions: string[], resource: pulumi.Input<string>): Record<string, unknown> {
  return { Effect: "Allow", Action: actions, Resource: resource };
}

function policyOf(statements: readonly unknown[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}
