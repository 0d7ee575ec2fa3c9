import { z } from "zod";
import type { Properties, ResourceType } from "../../../infra/provider/serve.ts";
import { arnOf, type Account } from "../aws/account.ts";
import type { InstanceRecord, SnapshotRecord } from "../aws/rds/service.ts";
import type { Collection } from "../store.ts";
import { begin, change, finish } from "./actions.ts";
import { AwsError, notImitated } from "./error.ts";
import { operation, pageOf, queryService, type ApiService } from "./protocols.ts";
import { automatedSnapshots, describer } from "./rds-describe.ts";

/** What of RDS the API imitates. What it changes, the stand-in's own types do. */
export function rdsService(
  account: Account,
  types: Readonly<Record<string, ResourceType>>,
): ApiService {
  const instances = account.store.collection<InstanceRecord>("aws-rds-instances");
  const snapshots = account.store.collection<SnapshotRecord>("aws-rds-snapshots");
  const tags = account.store.collection<Record<string, string>>("aws-rds-tags");
  const automated = automatedSnapshots(account);
  const describe = describer(account, tags, automated);
  const tag = (arn: string, list: z.output<typeof tagList>): void => {
    const added = Object.values(list?.Tag ?? {}).map(({ Key, Value = "" }) => [Key, Value]);
    tags.set(arn, {
      ...tags.get(arn),
      ...(Object.fromEntries(added) as Record<string, string>),
    });
  };
  const run = (type: string): ResourceType => {
    const found = types[type];
    if (found === undefined) throw new Error(`the stand-in of aws has no type ${type}`);
    return found;
  };

  return queryService("rds", "http://rds.amazonaws.com/doc/2014-10-31/", {
    DescribeDBInstances: operation(
      "rds:DescribeDBInstances",
      z.strictObject({ DBInstanceIdentifier: text.optional(), ...paging }),
      ({ DBInstanceIdentifier: name, MaxRecords, Marker }) => {
        const found = instances
          .items()
          .filter(({ identifier }) => name === undefined || identifier === name);
        if (name !== undefined && found.length === 0) throw noInstance(name);
        const { page, next } = pageOf(found, Marker, MaxRecords);
        return {
          Marker: next,
          DBInstances: { DBInstance: page.map((each) => describe.instance(each)) },
        };
      },
    ),
    DescribeDBSnapshots: operation(
      "rds:DescribeDBSnapshots",
      z.strictObject({
        DBInstanceIdentifier: text.optional(),
        DBSnapshotIdentifier: text.optional(),
        SnapshotType: z.enum(["manual", "automated"]).optional(),
        ...paging,
      }),
      ({ DBInstanceIdentifier: of, DBSnapshotIdentifier: name, SnapshotType: type, ...page }) => {
        const found = snapshots
          .items()
          .filter(({ identifier }) => of === undefined || identifier === of)
          .map((each) => describe.snapshot(each))
          .filter(
            ({ DBSnapshotIdentifier, SnapshotType }) =>
              (name === undefined || DBSnapshotIdentifier === name) &&
              (type === undefined || SnapshotType === type),
          );
        if (name !== undefined && found.length === 0) throw noSnapshot(name);
        const { page: shown, next } = pageOf(found, page.Marker, page.MaxRecords);
        return { Marker: next, DBSnapshots: { DBSnapshot: shown } };
      },
    ),
    CreateDBSnapshot: operation(
      "rds:CreateDBSnapshot",
      z.strictObject({
        DBInstanceIdentifier: text,
        DBSnapshotIdentifier: text,
        Tags: tagList,
      }),
      async ({ DBInstanceIdentifier, DBSnapshotIdentifier: name, Tags }) => {
        const inputs = {
          dbInstanceIdentifier: DBInstanceIdentifier,
          dbSnapshotIdentifier: name,
        };
        await begin(run(snapshotType), snapshotType, inputs);
        tag(arnOf(account, "rds", `snapshot:${name}`), Tags);
        return { DBSnapshot: describe.snapshot(known(snapshots, name)) };
      },
    ),
    RestoreDBInstanceFromDBSnapshot: operation(
      "rds:RestoreDBInstanceFromDBSnapshot",
      restoreInput,
      async ({ DBInstanceIdentifier: name, DBSnapshotIdentifier: from, Tags, ...given }) => {
        const snapshotIdentifier = automated.plainName(from);
        const source = instances.get(snapshots.get(snapshotIdentifier)?.identifier ?? "");
        const inputs = {
          identifier: name,
          snapshotIdentifier,
          ...restoredSettings(given, source),
          skipFinalSnapshot: true,
        };
        await begin(run(instanceType), instanceType, inputs);
        tag(arnOf(account, "rds", `db:${name}`), Tags);
        return { DBInstance: describe.instance(known(instances, name)) };
      },
    ),
    ModifyDBInstance: operation(
      "rds:ModifyDBInstance",
      z.strictObject({
        DBInstanceIdentifier: text,
        MasterUserPassword: text.optional(),
        DeletionProtection: flag.optional(),
        ApplyImmediately: flag.default(false),
      }),
      async ({ DBInstanceIdentifier: name, MasterUserPassword, DeletionProtection, ...how }) => {
        if (instances.get(name) === undefined) throw noInstance(name);
        if (!how.ApplyImmediately) throw notImitated("a change of an RDS instance that waits");
        await change(run(instanceType), instanceType, name, {
          ...(MasterUserPassword === undefined ? {} : { password: MasterUserPassword }),
          ...(DeletionProtection === undefined ? {} : { deletionProtection: DeletionProtection }),
        });
        return { DBInstance: describe.instance(known(instances, name)) };
      },
    ),
    DeleteDBInstance: operation(
      "rds:DeleteDBInstance",
      z.strictObject({
        DBInstanceIdentifier: text,
        SkipFinalSnapshot: flag.default(false),
        FinalDBSnapshotIdentifier: text.optional(),
        DeleteAutomatedBackups: flag.optional(),
      }),
      async ({ DBInstanceIdentifier: name, SkipFinalSnapshot, FinalDBSnapshotIdentifier }) => {
        const record = instances.get(name);
        if (record === undefined) throw noInstance(name);
        const inputs = {
          identifier: name,
          skipFinalSnapshot: SkipFinalSnapshot,
          ...(FinalDBSnapshotIdentifier === undefined
            ? {}
            : { finalSnapshotIdentifier: FinalDBSnapshotIdentifier }),
        };
        await finish(run(instanceType), instanceType, record.resourceId, inputs);
        tags.delete(arnOf(account, "rds", `db:${name}`));
        return { DBInstance: { ...describe.instance(record), DBInstanceStatus: "deleting" } };
      },
    ),
    AddTagsToResource: operation(
      "rds:AddTagsToResource",
      z.strictObject({ ResourceName: text, Tags: tagList }),
      ({ ResourceName, Tags }) => {
        tag(ResourceName, Tags);
        return {};
      },
    ),
  });
}

const instanceType = "aws:rds/instance:Instance";
/** Token of the type that takes snapshots. */
export const snapshotType = "aws:rds/snapshot:Snapshot";

const text = z.string().min(1);
const flag = z.enum(["true", "false"]).transform((word) => word === "true");
const count = z.coerce.number().int();
const paging = { MaxRecords: count.min(20).max(100).default(100), Marker: text.optional() };
const tagList = z
  .strictObject({
    Tag: z.record(z.string(), z.strictObject({ Key: text, Value: z.string().optional() })),
  })
  .optional();

const restoreInput = z.strictObject({
  DBInstanceIdentifier: text,
  DBSnapshotIdentifier: text,
  DBInstanceClass: text.optional(),
  Port: count.optional(),
  MultiAZ: flag.optional(),
  PubliclyAccessible: flag.optional(),
  AutoMinorVersionUpgrade: flag.optional(),
  CopyTagsToSnapshot: flag.optional(),
  DeletionProtection: flag.optional(),
  DBParameterGroupName: text.optional(),
  DBSubnetGroupName: text.optional(),
  VpcSecurityGroupIds: z
    .strictObject({ VpcSecurityGroupId: z.record(z.string(), text) })
    .optional(),
  Tags: tagList,
});

/** What the provider's type calls what the API calls otherwise. The class is the source's unless another is asked. */
function restoredSettings(
  given: Omit<
    z.output<typeof restoreInput>,
    "DBInstanceIdentifier" | "DBSnapshotIdentifier" | "Tags"
  >,
  source: InstanceRecord | undefined,
): Properties {
  const settings = {
    instanceClass: given.DBInstanceClass ?? source?.described["instanceClass"],
    port: given.Port ?? source?.port,
    multiAz: given.MultiAZ,
    publiclyAccessible: given.PubliclyAccessible,
    autoMinorVersionUpgrade: given.AutoMinorVersionUpgrade,
    copyTagsToSnapshot: given.CopyTagsToSnapshot,
    deletionProtection: given.DeletionProtection,
    parameterGroupName: given.DBParameterGroupName,
    dbSubnetGroupName: given.DBSubnetGroupName,
    vpcSecurityGroupIds:
      given.VpcSecurityGroupIds && Object.values(given.VpcSecurityGroupIds.VpcSecurityGroupId),
  };
  const set = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set);
}

function noInstance(name: string): AwsError {
  return new AwsError("DBInstanceNotFound", `DBInstance ${name} not found.`, 404);
}

function noSnapshot(name: string): AwsError {
  return new AwsError("DBSnapshotNotFound", `DBSnapshot ${name} not found.`, 404);
}

function known<Record>(records: Collection<Record>, name: string): Record {
  const record = records.get(name);
  if (record === undefined) throw new Error(`the stand-in of RDS made no record of ${name}`);
  return record;
}
