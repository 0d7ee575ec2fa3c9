import type { Properties } from "../../../infra/provider/serve.ts";
import type { BucketRecord } from "../aws/s3.ts";
import { AwsError } from "./error.ts";
import type { Xml } from "./xml.ts";

/** One setting of a bucket, as the API tells it. */
interface SettingQuery {
  /** The query that asks for it, as in `GET /bucket?versioning`. */
  readonly query: string;
  readonly name: string;
  /** The document's top. */
  readonly top: string;
  /** How it is said from what was declared; an error where nothing was. */
  readonly say: (record: BucketRecord) => Xml;
}

/** What the API tells of a bucket's settings. Each is what the stack declared, and the error of AWS where it is not. */
export const settingQueries: readonly SettingQuery[] = [
  {
    query: "versioning",
    name: "GetBucketVersioning",
    top: "VersioningConfiguration",
    say({ settings, objectLockEnabled }) {
      const { status, mfaDelete } = partOf(settings["versioning"], "versioningConfiguration");
      // A lock needs versions, so such a bucket has them from its first day.
      return { Status: objectLockEnabled ? "Enabled" : known(status), MfaDelete: known(mfaDelete) };
    },
  },
  {
    query: "encryption",
    name: "GetBucketEncryption",
    top: "ServerSideEncryptionConfiguration",
    say({ settings }) {
      // S3 encrypts by itself since 2023, with keys of its own.
      const rules = listOf(settings["encryption"], "rules") ?? [
        { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
      ];
      return {
        Rule: rules.map((rule) => {
          const how = partOf(rule, "applyServerSideEncryptionByDefault");
          return {
            ApplyServerSideEncryptionByDefault: {
              SSEAlgorithm: known(how["sseAlgorithm"]),
              KMSMasterKeyID: known(how["kmsMasterKeyId"]),
            },
            BucketKeyEnabled: rule["bucketKeyEnabled"] === true,
          };
        }),
      };
    },
  },
  {
    query: "publicAccessBlock",
    name: "GetPublicAccessBlock",
    top: "PublicAccessBlockConfiguration",
    say({ settings }) {
      const block = required(
        settings["public-access-block"],
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
      );
      return {
        BlockPublicAcls: block["blockPublicAcls"] === true,
        IgnorePublicAcls: block["ignorePublicAcls"] === true,
        BlockPublicPolicy: block["blockPublicPolicy"] === true,
        RestrictPublicBuckets: block["restrictPublicBuckets"] === true,
      };
    },
  },
  {
    query: "lifecycle",
    name: "GetBucketLifecycleConfiguration",
    top: "LifecycleConfiguration",
    say({ settings }) {
      const lifecycle = required(
        settings["lifecycle"],
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
      );
      return {
        Rule: (listOf(lifecycle, "rules") ?? []).map((rule) => {
          const expiration = partOf(rule, "expiration");
          const noncurrent = partOf(rule, "noncurrentVersionExpiration");
          return {
            ID: known(rule["id"]),
            Status: known(rule["status"]),
            Filter: { Prefix: known(partOf(rule, "filter")["prefix"]) ?? "" },
            Expiration: orNone({
              Days: known(expiration["days"]),
              ExpiredObjectDeleteMarker: known(expiration["expiredObjectDeleteMarker"]),
            }),
            NoncurrentVersionExpiration: orNone({
              NoncurrentDays: known(noncurrent["noncurrentDays"]),
              NewerNoncurrentVersions: known(noncurrent["newerNoncurrentVersions"]),
            }),
          };
        }),
      };
    },
  },
  {
    query: "object-lock",
    name: "GetObjectLockConfiguration",
    top: "ObjectLockConfiguration",
    say({ objectLockEnabled, settings }) {
      if (!objectLockEnabled) {
        throw new AwsError(
          "ObjectLockConfigurationNotFoundError",
          "Object Lock configuration does not exist for this bucket",
          404,
        );
      }
      const retention = partOf(partOf(settings["object-lock"], "rule"), "defaultRetention");
      const DefaultRetention = orNone({
        Mode: known(retention["mode"]),
        Days: known(retention["days"]),
        Years: known(retention["years"]),
      });
      return {
        ObjectLockEnabled: "Enabled",
        Rule: DefaultRetention === undefined ? undefined : { DefaultRetention },
      };
    },
  },
  {
    query: "replication",
    name: "GetBucketReplication",
    top: "ReplicationConfiguration",
    say({ settings }) {
      const replication = required(
        settings["replication"],
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
      );
      return {
        Role: known(replication["role"]),
        Rule: (listOf(replication, "rules") ?? []).map((rule) => ({
          ID: known(rule["id"]),
          Priority: known(rule["priority"]),
          Status: known(rule["status"]),
          Filter: { Prefix: known(partOf(rule, "filter")["prefix"]) ?? "" },
          Destination: { Bucket: known(partOf(rule, "destination")["bucket"]) },
        })),
      };
    },
  },
  {
    query: "logging",
    name: "GetBucketLogging",
    top: "BucketLoggingStatus",
    say({ settings }) {
      const logging = settings["logging"];
      if (logging === undefined) return {};
      return {
        LoggingEnabled: {
          TargetBucket: known(logging["targetBucket"]),
          TargetPrefix: known(logging["targetPrefix"]),
        },
      };
    },
  },
];

/** The policy of a bucket as it was declared: the API tells it as JSON, not as XML. */
export function bucketPolicy({ settings }: BucketRecord): string {
  const { policy } = required(
    settings["policy"],
    "NoSuchBucketPolicy",
    "The bucket policy does not exist",
  );
  return typeof policy === "string" ? policy : JSON.stringify(policy);
}

function required(setting: Properties | undefined, code: string, message: string): Properties {
  if (setting !== undefined) return setting;
  throw new AwsError(code, message, 404);
}

function partOf(value: Properties | undefined, name: string): Properties {
  const part = value?.[name];
  return typeof part === "object" && part !== null ? (part as Properties) : {};
}

function listOf(value: Properties | undefined, name: string): Properties[] | undefined {
  const list = value?.[name];
  return Array.isArray(list) ? (list as Properties[]) : undefined;
}

function known(value: unknown): string | number | boolean | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : undefined;
}

function orNone(content: Readonly<Record<string, Xml>>): Xml {
  return Object.values(content).every((value) => value === undefined) ? undefined : content;
}
