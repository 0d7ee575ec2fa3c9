import { z } from "zod";
import { readingKind } from "../reading.ts";
import { nameInArn, numberFact, region, timeFact, withAws } from "./client.ts";

/** Names an RDS instance. */
export const instanceIdentifier = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,62}$/, "must be an RDS instance identifier")
  .meta({ description: "identifier of the RDS instance", example: "orders-production" });

const target = z.strictObject({ identifier: instanceIdentifier, region });

/** Reads how an RDS instance keeps its data. */
export const rdsInstance = readingKind({
  kind: "rds-instance",
  title: "encryption, backups and state of an RDS instance",
  target,
  facts: {
    encrypted: "true when its storage is; null when AWS does not say",
    kmsKey: "id of the KMS key that encrypts it; null without one",
    backupRetentionDays:
      "days that automated backups are kept, 0 when there are none; null when AWS does not say",
    latestRestorableTime:
      "ISO 8601, the latest time that it can be restored to; null when there is none",
    multiAz: "true when it has a standby in another availability zone; null when AWS does not say",
    deletionProtection: "true when it cannot be deleted; null when AWS does not say",
    publiclyAccessible: "true when its name leads to a public address; null when AWS does not say",
    status: "its state, such as available; null when AWS does not say",
    engine: "its engine, such as postgres; null when AWS does not say",
    engineVersion: "version of the engine, as a text such as 17.2; null when AWS does not say",
    storageType: "type of its storage, such as gp3; null when AWS does not say",
    pendingModifiedValues: "list of the names of settings that wait to be changed, sorted",
  },
  subject: ({ identifier }) => identifier,

  async read({ identifier, ...where }, context) {
    const { RDSClient, DescribeDBInstancesCommand } = await import("@aws-sdk/client-rds");
    const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier });
    return withAws(
      (options) => new RDSClient(options),
      where,
      context,
      async ({ client, find, absent }) => {
        const answer = await find(
          "rds:DescribeDBInstances",
          ["DBInstanceNotFoundFault"],
          (options) => client.send(command, options),
        );
        const instance = answer?.DBInstances?.[0];
        if (instance === undefined) throw await absent(`RDS instance ${identifier}`);
        return {
          encrypted: instance.StorageEncrypted ?? null,
          kmsKey: nameInArn(instance.KmsKeyId) ?? null,
          backupRetentionDays: numberFact(instance.BackupRetentionPeriod),
          latestRestorableTime: timeFact(instance.LatestRestorableTime),
          multiAz: instance.MultiAZ ?? null,
          deletionProtection: instance.DeletionProtection ?? null,
          publiclyAccessible: instance.PubliclyAccessible ?? null,
          status: instance.DBInstanceStatus ?? null,
          engine: instance.Engine ?? null,
          engineVersion: instance.EngineVersion ?? null,
          storageType: instance.StorageType ?? null,
          pendingModifiedValues: Object.entries(instance.PendingModifiedValues ?? {})
            .filter(([, value]) => value !== undefined && !isEmpty(value))
            .map(([name]) => name)
            .sort(),
        };
      },
    );
  },
});

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
