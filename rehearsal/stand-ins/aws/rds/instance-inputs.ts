import { z } from "zod";
import type { Properties } from "../../../../infra/provider/serve.ts";
import { arn, tags, whole } from "../account.ts";
import { identifier, snapshotName } from "./service.ts";

/** What the rehearsal imitates of an instance. */
export const instanceInputs = z
  .strictObject({
    allocatedStorage: z.int().optional(),
    allowMajorVersionUpgrade: z.boolean().optional(),
    applyImmediately: z.boolean().optional(),
    autoMinorVersionUpgrade: z.boolean().default(true),
    availabilityZone: z.string().optional(),
    backupRetentionPeriod: z.int().default(0),
    backupWindow: z.string().optional(),
    blueGreenUpdate: z
      .undefined({
        error:
          "the provider deletes the old instance as soon as the new one is in its place, so there is no way back. " +
          "To do: leave it out",
      })
      .optional(),
    caCertIdentifier: z.string().optional(),
    copyTagsToSnapshot: z.boolean().default(false),
    dbName: z.string().optional(),
    dbSubnetGroupName: z.string().optional(),
    deleteAutomatedBackups: z.boolean().default(true),
    deletionProtection: z.boolean().default(false),
    enabledCloudwatchLogsExports: z.array(z.enum(["postgresql", "upgrade"])).optional(),
    engine: z.literal("postgres", { error: "the rehearsal only has postgres" }).optional(),
    engineVersion: z.string().optional(),
    finalSnapshotIdentifier: snapshotName.optional(),
    identifier,
    instanceClass: z.string(),
    kmsKeyId: arn.optional(),
    maintenanceWindow: z.string().optional(),
    manageMasterUserPassword: z.boolean().optional(),
    masterUserSecretKmsKeyId: arn.optional(),
    maxAllocatedStorage: z.int().optional(),
    monitoringInterval: z.literal([0, 1, 5, 10, 15, 30, 60]).optional(),
    multiAz: z.boolean().optional(),
    parameterGroupName: z.string().optional(),
    password: z.string().optional(),
    performanceInsightsEnabled: z.boolean().default(false),
    port: whole(1150, 65_535).optional(),
    publiclyAccessible: z.boolean().default(false),
    skipFinalSnapshot: z.boolean().default(false),
    snapshotIdentifier: z.string().optional(),
    storageEncrypted: z.boolean().default(false),
    storageType: z.enum(["standard", "gp2", "gp3", "io1", "io2"]).optional(),
    tags,
    username: z.string().optional(),
    vpcSecurityGroupIds: z.array(z.string()).optional(),
  })
  .refine(
    ({ manageMasterUserPassword, password }) =>
      manageMasterUserPassword !== true || password === undefined,
    { path: ["manageMasterUserPassword"], error: "conflicts with password" },
  );

/** The inputs of an instance. */
export type InstanceInputs = z.output<typeof instanceInputs>;

/** Inputs of an instance that only a new one can have. */
export const replacedOn = new Set([
  "availabilityZone",
  "dbName",
  "engine",
  "identifier",
  "kmsKeyId",
  "snapshotIdentifier",
  "storageEncrypted",
  "username",
]);

// What the API does not describe: resourceInstanceImport and -Read in instance.go of hashicorp/terraform-provider-aws.
const neverDescribed = new Set([
  "allowMajorVersionUpgrade",
  "applyImmediately",
  "deleteAutomatedBackups",
  "finalSnapshotIdentifier",
  "manageMasterUserPassword",
  "masterUserSecretKmsKeyId",
  "password",
  "skipFinalSnapshot",
  "snapshotIdentifier",
]);

/** The inputs that RDS tells again when it is asked about an instance. */
export function describedBy(inputs: InstanceInputs): Properties {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !neverDescribed.has(name)));
}
