import type { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, standIn, textOf } from "../kind.ts";
import { policyOf, usableKey, type Account } from "./account.ts";
import type { RoleRecord } from "./iam.ts";
import { bucketsOf, type BucketRecord } from "./s3.ts";
import {
  corsInputs,
  encryptionInputs,
  lifecycleInputs,
  loggingInputs,
  objectLockInputs,
  policyInputs,
  publicAccessInputs,
  replicationInputs,
  versioningInputs,
} from "./s3-inputs.ts";

/** The settings of buckets in S3: they are kept, and judged by what they refer to. */
export function s3SettingTypes(account: Account): Record<string, ResourceType> {
  const buckets = bucketsOf(account);
  return {
    "aws:s3/bucketVersioning:BucketVersioning": settingType(account, {
      inputs: versioningInputs,
      setting: "versioning",
      judge({ versioningConfiguration: { status } }, record, operation) {
        if (status !== "Enabled") judgeSuspension(record, operation);
      },
      judgeEnd: judgeSuspension,
    }),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration":
      settingType(account, {
        inputs: encryptionInputs,
        setting: "encryption",
        judge({ rules }, _record, operation) {
          for (const { applyServerSideEncryptionByDefault: how } of rules) {
            const key = how?.kmsMasterKeyId;
            if (key === undefined || usableKey(account, key) !== undefined) continue;
            throw new ApiError(operation, "KMS.NotFoundException", `Key '${key}' does not exist`);
          }
        },
      }),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": settingType(account, {
      inputs: publicAccessInputs,
      setting: "public-access-block",
    }),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": settingType(account, {
      inputs: lifecycleInputs,
      setting: "lifecycle",
    }),
    "aws:s3/bucketPolicy:BucketPolicy": settingType(account, {
      inputs: policyInputs,
      setting: "policy",
      judge({ policy }, record, operation) {
        judgePolicy(policy, record, operation);
      },
    }),
    "aws:s3/bucketLogging:BucketLogging": settingType(account, {
      inputs: loggingInputs,
      setting: "logging",
      judge({ targetBucket }, _record, operation) {
        if (buckets.get(targetBucket) !== undefined) return;
        throw new ApiError(
          operation,
          "InvalidTargetBucketForLogging",
          `The target bucket for logging does not exist: ${targetBucket}`,
        );
      },
    }),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": settingType(account, {
      inputs: corsInputs,
      setting: "cors",
      judge({ corsRules }, _record, operation) {
        const wild = corsRules
          .flatMap(({ allowedOrigins }) => allowedOrigins)
          .find((origin) => origin.split("*").length > 2);
        if (wild === undefined) return;
        throw new ApiError(
          operation,
          "InvalidRequest",
          `AllowedOrigin "${wild}" can not have more than one wildcard.`,
        );
      },
    }),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": settingType(account, {
      inputs: replicationInputs,
      setting: "replication",
      judge({ role, rules }, record, operation) {
        judgeReplication(account, role, record, operation);
        for (const { destination } of rules) {
          // Another account's bucket, or one in another region, is not known here.
          const copy = buckets.items().find((each) => each.arn === destination.bucket);
          if (copy === undefined || isVersioned(copy)) continue;
          throw new ApiError(
            operation,
            "InvalidRequest",
            "Destination bucket must have versioning enabled.",
          );
        }
      },
    }),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": settingType(account, {
      inputs: objectLockInputs,
      setting: "object-lock",
      judge(_inputs, { objectLockEnabled }, operation) {
        if (objectLockEnabled) return;
        throw new ApiError(
          operation,
          "InvalidBucketState",
          "Object Lock configuration cannot be enabled on existing buckets",
        );
      },
    }),
  };
}

function isVersioned({ settings, objectLockEnabled }: BucketRecord): boolean {
  const versioning = settings["versioning"]?.["versioningConfiguration"];
  return objectLockEnabled || (versioning as { status?: string } | undefined)?.status === "Enabled";
}

/** @throws ApiError when something of the bucket needs its versioning */
function judgeSuspension({ settings }: BucketRecord, operation: string): void {
  if (settings["replication"] === undefined) return;
  throw new ApiError(
    operation,
    "InvalidBucketState",
    "A replication configuration is present on this bucket, so you cannot change the versioning state. " +
      "To change the versioning state, first delete the replication configuration.",
  );
}

function judgePolicy(text: string, { arn: own, settings }: BucketRecord, operation: string): void {
  const block = settings["public-access-block"];
  for (const { Principal, Resource, Effect, Condition } of policyOf(text)?.Statement ?? []) {
    if (Principal === undefined) {
      throw new ApiError(operation, "MalformedPolicy", "Missing required field Principal");
    }
    const resources = [Resource ?? []].flat();
    if (resources.length === 0 || resources.some((each) => !isIn(own, each))) {
      throw new ApiError(operation, "MalformedPolicy", "Policy has invalid resource");
    }
    const isForAll = JSON.stringify(Principal).includes('"*"');
    if (Effect !== "Allow" || !isForAll || Condition !== undefined) continue;
    if (block?.["blockPublicPolicy"] !== true) continue;
    throw new ApiError(
      operation,
      "AccessDenied",
      "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
    );
  }
}

function isIn(bucketArn: string, resource: string): boolean {
  return resource === bucketArn || resource.startsWith(`${bucketArn}/`);
}

function judgeReplication(
  { store }: Account,
  role: string,
  record: BucketRecord,
  operation: string,
): void {
  if (!isVersioned(record)) {
    throw new ApiError(
      operation,
      "InvalidRequest",
      "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
    );
  }
  const roles = store.collection<RoleRecord>("aws-iam-roles");
  if (roles.items().some((each) => each.arn === role)) return;
  throw new ApiError(operation, "InvalidArgument", `Invalid Role specified in the rule: ${role}`);
}

/** One kind of setting. */
interface Setting<Schema extends z.ZodType<{ bucket: string }>> {
  readonly inputs: Schema;
  readonly setting: string;
  /** @throws ApiError when the bucket cannot have it */
  judge?(inputs: z.output<Schema>, record: BucketRecord, operation: string): void;
  /** @throws ApiError when the bucket must keep it */
  judgeEnd?(record: BucketRecord, operation: string): void;
}

/** A setting of a bucket: there is one of its kind, and putting it again changes it. */
function settingType<Schema extends z.ZodType<{ bucket: string }>>(
  account: Account,
  kind: Setting<Schema>,
): ResourceType {
  const { inputs, setting } = kind;
  const buckets = bucketsOf(account);
  const put = (values: z.output<Schema>): string => {
    const operation = `S3: Put bucket ${setting}`;
    const { bucket: name } = values;
    const record = buckets.get(name);
    if (record === undefined) {
      throw new ApiError(operation, "NoSuchBucket", `The specified bucket does not exist: ${name}`);
    }
    kind.judge?.(values, record, operation);
    buckets.set(name, { ...record, settings: { ...record.settings, [setting]: values } });
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
    exists: (olds) => buckets.get(textOf(olds, "bucket"))?.settings[setting] !== undefined,
    delete(olds) {
      const name = textOf(olds, "bucket");
      const record = buckets.get(name);
      if (record === undefined) return Promise.resolve();
      kind.judgeEnd?.(record, `S3: Delete bucket ${setting}`);
      const { [setting]: _ended, ...settings } = record.settings;
      buckets.set(name, { ...record, settings });
      return Promise.resolve();
    },
  });
}
