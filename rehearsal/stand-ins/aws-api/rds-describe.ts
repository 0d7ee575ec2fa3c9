import { arnOf, type Account } from "../aws/account.ts";
import type { InstanceRecord, SnapshotRecord } from "../aws/rds/service.ts";
import type { Collection } from "../store.ts";
import type { Xml } from "./xml.ts";

/** Names of the snapshots that RDS took by itself, as it calls them, by the names that the stand-in keeps them under. */
export function automatedSnapshots({ store }: Account): {
  readonly names: Collection<string>;
  readonly plainName: (name: string) => string;
} {
  const names = store.collection<string>("aws-rds-automated-snapshots");
  return {
    names,
    plainName: (name) => names.entries().find(([, shown]) => shown === name)?.[0] ?? name,
  };
}

/** Says what the stand-in has on record as RDS says it. */
export function describer(
  account: Account,
  tags: Collection<Record<string, string>>,
  automated: ReturnType<typeof automatedSnapshots>,
) {
  const tagsOf = (arn: string): Xml => ({
    Tag: Object.entries(tags.get(arn) ?? {}).map(([Key, Value]) => ({ Key, Value })),
  });
  const shown = (value: unknown): Xml =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? value
      : undefined;
  return {
    instance(record: InstanceRecord) {
      const { described } = record;
      const arn = arnOf(account, "rds", `db:${record.identifier}`);
      const days = described["backupRetentionPeriod"];
      const isKept = typeof days === "number" && days > 0 && record.status === "available";
      return {
        DBInstanceIdentifier: record.identifier,
        DBInstanceArn: arn,
        DbiResourceId: record.resourceId,
        DBInstanceStatus: record.status,
        DBInstanceClass: shown(described["instanceClass"]),
        Engine: "postgres",
        EngineVersion: record.engineVersion,
        Endpoint:
          record.status === "available"
            ? { Address: record.address, Port: record.port, HostedZoneId: "Z2R2ITUGPM61AM" }
            : undefined,
        MasterUsername: record.username,
        DBName: record.dbName,
        AllocatedStorage: record.allocatedStorage,
        StorageType: shown(described["storageType"]) ?? "gp2",
        StorageEncrypted: record.storageEncrypted,
        KmsKeyId: record.kmsKeyId,
        BackupRetentionPeriod: shown(days) ?? 0,
        LatestRestorableTime: isKept ? new Date(Date.now() - restorableLagMilliseconds) : undefined,
        MultiAZ: shown(described["multiAz"]) ?? false,
        PubliclyAccessible: shown(described["publiclyAccessible"]) ?? false,
        AutoMinorVersionUpgrade: shown(described["autoMinorVersionUpgrade"]) ?? true,
        DeletionProtection: record.deletionProtection,
        CACertificateIdentifier: shown(described["caCertIdentifier"]) ?? "rds-ca-rsa2048-g1",
        MasterUserSecret:
          record.masterSecret === undefined
            ? undefined
            : {
                SecretArn: record.masterSecret.arn,
                SecretStatus: "active",
                KmsKeyId: record.masterSecret.kmsKeyId,
              },
        DBParameterGroups:
          record.parameterGroupName === undefined
            ? undefined
            : {
                DBParameterGroup: {
                  DBParameterGroupName: record.parameterGroupName,
                  ParameterApplyStatus: "in-sync",
                },
              },
        DBSubnetGroup:
          described["dbSubnetGroupName"] === undefined
            ? undefined
            : { DBSubnetGroupName: shown(described["dbSubnetGroupName"]) },
        VpcSecurityGroups: {
          VpcSecurityGroupMembership: groupsOf(described["vpcSecurityGroupIds"]).map(
            (VpcSecurityGroupId) => ({ VpcSecurityGroupId, Status: "active" }),
          ),
        },
        PendingModifiedValues: {},
        TagList: tagsOf(arn),
      };
    },
    snapshot(record: SnapshotRecord) {
      const { snapshotIdentifier, createdAt } = record;
      const automatic = automated.names.get(snapshotIdentifier);
      const name = automatic ?? snapshotIdentifier;
      const arn = arnOf(account, "rds", `snapshot:${name}`);
      return {
        DBSnapshotIdentifier: name,
        DBSnapshotArn: arn,
        DBInstanceIdentifier: record.identifier,
        DbiResourceId: record.resourceId,
        SnapshotType: automatic === undefined ? "manual" : "automated",
        Status: record.status,
        PercentProgress: record.status === "available" ? 100 : 0,
        SnapshotCreateTime: new Date(createdAt),
        OriginalSnapshotCreateTime: new Date(createdAt),
        Engine: "postgres",
        EngineVersion: record.engineVersion,
        AllocatedStorage: record.allocatedStorage,
        Port: record.port,
        MasterUsername: record.username,
        Encrypted: record.storageEncrypted,
        KmsKeyId: record.kmsKeyId,
        TagList: tagsOf(arn),
      };
    },
  };
}

function groupsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

// RDS ships its log every five minutes: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html
const restorableLagMilliseconds = 5 * 60 * 1000;
