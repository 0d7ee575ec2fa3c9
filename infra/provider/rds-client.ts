import type {
  BlueGreenDeployment,
  DBInstance,
  DBSnapshot,
  RDSClient,
  Tag,
} from "@aws-sdk/client-rds";
import { messageOf } from "./error-text.ts";
import { pause } from "./pause.ts";
import { RefusedError } from "./resource-type.ts";

/** RDS, opened. Whatever fails says it in words for the operator, and names the action. */
export interface Rds {
  /** Undefined when there is no such instance. */
  findInstance(identifier: string): Promise<DBInstance | undefined>;
  /** The instances that carry all of these tags. */
  instancesTagged(tags: Readonly<Record<string, string>>): Promise<readonly DBInstance[]>;
  /** Changes whether the cloud refuses to delete an instance. */
  protect(identifier: string, deletionProtection: boolean): Promise<void>;
  tag(arn: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Deletes an instance that has its last snapshot already; its automated backups stay. */
  deleteInstance(identifier: string): Promise<void>;
  findSnapshot(identifier: string): Promise<DBSnapshot | undefined>;
  takeSnapshot(
    instance: string,
    snapshot: string,
    tags: Readonly<Record<string, string>>,
  ): Promise<void>;
  findDeployment(name: string): Promise<BlueGreenDeployment | undefined>;
  createDeployment(wanted: NewDeployment): Promise<void>;
  /** @returns false while its instances are not ready for it */
  switchOver(deployment: string, timeoutSeconds: number): Promise<boolean>;
  /** Deletes the deployment, and neither of its instances. */
  deleteDeployment(deployment: string): Promise<void>;
  close(): void;
}

/** A blue/green deployment that is to be made. */
export interface NewDeployment {
  readonly name: string;
  /** ARN of the instance. */
  readonly source: string;
  readonly version: string;
  readonly parameterGroup: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Opens RDS with the AWS SDK's own credentials.
 *
 * @param region where the instance is; otherwise AWS_REGION
 */
export async function openRds(region: string | undefined, signal: AbortSignal): Promise<Rds> {
  // Loaded here, because most runs reach no RDS.
  const aws = await import("@aws-sdk/client-rds");
  const client: RDSClient = new aws.RDSClient(region === undefined ? {} : { region });
  const options = { abortSignal: signal };
  const ask = async <Answer>(action: string, call: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      throw refusal(action, error);
    }
  };
  const find = <Answer>(action: string, absent: string, call: () => Promise<Answer>) =>
    ask(action, async () => {
      try {
        return await call();
      } catch (error) {
        if (nameOf(error) === absent) return undefined;
        throw error;
      }
    });
  return {
    findInstance: (DBInstanceIdentifier) =>
      find("DescribeDBInstances", "DBInstanceNotFoundFault", async () => {
        const command = new aws.DescribeDBInstancesCommand({ DBInstanceIdentifier });
        return (await client.send(command, options)).DBInstances?.[0];
      }),
    instancesTagged: (tags) =>
      ask("DescribeDBInstances", async () => {
        const all: DBInstance[] = [];
        for await (const page of aws.paginateDescribeDBInstances({ client }, {}, options)) {
          all.push(...(page.DBInstances ?? []));
        }
        return all.filter(({ TagList = [] }) =>
          Object.entries(tags).every(([key, value]) => valueOf(TagList, key) === value),
        );
      }),
    async protect(DBInstanceIdentifier, DeletionProtection) {
      const change = { DBInstanceIdentifier, DeletionProtection, ApplyImmediately: true };
      await ask("ModifyDBInstance", () =>
        client.send(new aws.ModifyDBInstanceCommand(change), options),
      );
    },
    async tag(ResourceName, tags) {
      const command = new aws.AddTagsToResourceCommand({ ResourceName, Tags: listOf(tags) });
      await ask("AddTagsToResource", () => client.send(command, options));
    },
    async deleteInstance(DBInstanceIdentifier) {
      const command = new aws.DeleteDBInstanceCommand({
        DBInstanceIdentifier,
        SkipFinalSnapshot: true,
        DeleteAutomatedBackups: false,
      });
      await ask("DeleteDBInstance", () => client.send(command, options));
    },
    findSnapshot: (DBSnapshotIdentifier) =>
      find("DescribeDBSnapshots", "DBSnapshotNotFoundFault", async () => {
        const command = new aws.DescribeDBSnapshotsCommand({ DBSnapshotIdentifier });
        return (await client.send(command, options)).DBSnapshots?.[0];
      }),
    async takeSnapshot(DBInstanceIdentifier, DBSnapshotIdentifier, tags) {
      const wanted = { DBInstanceIdentifier, DBSnapshotIdentifier, Tags: listOf(tags) };
      await ask("CreateDBSnapshot", () =>
        client.send(new aws.CreateDBSnapshotCommand(wanted), options),
      );
    },
    findDeployment: (name) =>
      ask("DescribeBlueGreenDeployments", async () => {
        const Filters = [{ Name: "blue-green-deployment-name", Values: [name] }];
        const command = new aws.DescribeBlueGreenDeploymentsCommand({ Filters });
        return (await client.send(command, options)).BlueGreenDeployments?.[0];
      }),
    async createDeployment({ name, source, version, parameterGroup, tags }) {
      const command = new aws.CreateBlueGreenDeploymentCommand({
        BlueGreenDeploymentName: name,
        Source: source,
        TargetEngineVersion: version,
        ...(parameterGroup === undefined ? {} : { TargetDBParameterGroupName: parameterGroup }),
        Tags: listOf(tags),
      });
      await ask("CreateBlueGreenDeployment", () => client.send(command, options));
    },
    async switchOver(BlueGreenDeploymentIdentifier, SwitchoverTimeout) {
      const wanted = { BlueGreenDeploymentIdentifier, SwitchoverTimeout };
      const notReady = "InvalidBlueGreenDeploymentStateFault";
      const answer = await find("SwitchoverBlueGreenDeployment", notReady, () =>
        client.send(new aws.SwitchoverBlueGreenDeploymentCommand(wanted), options),
      );
      return answer !== undefined;
    },
    async deleteDeployment(BlueGreenDeploymentIdentifier) {
      const command = new aws.DeleteBlueGreenDeploymentCommand({ BlueGreenDeploymentIdentifier });
      await find("DeleteBlueGreenDeployment", "BlueGreenDeploymentNotFoundFault", () =>
        client.send(command, options),
      );
    },
    close() {
      client.destroy();
    },
  };
}

/** What a tag says; undefined where there is none. */
export function valueOf(tags: readonly Tag[], key: string): string | undefined {
  return tags.find(({ Key }) => Key === key)?.Value;
}

/** Waiting for RDS: at most until a deadline, asking every so often. */
export interface Patience {
  /** Milliseconds between two questions. */
  readonly intervalMs: number;
  /** As `performance.now()` counts. */
  readonly until: number;
  readonly signal: AbortSignal;
}

/**
 * Asks again and again until there is an answer.
 *
 * @param ask answers undefined to be asked again
 * @param late makes the error at the deadline
 */
export async function waitFor<Answer>(
  { intervalMs, until, signal }: Patience,
  ask: () => Promise<Answer | undefined>,
  late: () => RefusedError,
): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= until) throw late();
    await pause(Math.min(intervalMs, Math.max(1, until - performance.now())), signal);
  }
}

function listOf(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

function refusal(action: string, error: unknown): RefusedError {
  const name = nameOf(error);
  const isDenied = name === "AccessDenied" || name === "CredentialsProviderError";
  return new RefusedError(
    [
      `rds:${action} failed.`,
      `found:    ${name}: ${messageOf(error)}`,
      isDenied
        ? `to do:    give the credentials of this run the right rds:${action}`
        : "to do:    put right what RDS says, then run pulumi up again: it goes on from here",
    ].join("\n"),
    { cause: error },
  );
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "error";
}
