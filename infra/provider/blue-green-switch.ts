import type { BlueGreenDeployment, DBInstance } from "@aws-sdk/client-rds";
import {
  deploymentName,
  isVersion,
  late,
  majorOf,
  refused,
  tagNames,
  type BlueGreenInputs,
  type Trouble,
  type Upgrade,
} from "./blue-green-run.ts";
import { valueOf, waitFor } from "./rds-client.ts";

/** Makes the new instance and puts it in the place of the old one, which is returned. */
export async function switchOver(run: Upgrade): Promise<DBInstance> {
  const { parsed, rds, call, patience } = run;
  const name = deploymentName(parsed);
  const existing = await rds.findDeployment(name);
  if (existing === undefined) await create(run, name);
  else await judgeExisting(run, existing);
  const seen: string[] = [];
  let asked = false;
  const switched = await waitFor(
    patience,
    async () => {
      const deployment = await rds.findDeployment(name);
      const status = deployment?.Status ?? "absent";
      if (status !== seen.at(-1)) call.log("info", `blue/green deployment ${name}: ${status}`);
      seen.push(status);
      // One that was just made may not be listed yet.
      if (deployment === undefined || passing.includes(status)) return undefined;
      if (status === "SWITCHOVER_COMPLETED") return deployment;
      if (!asked && ready.includes(status)) {
        const { BlueGreenDeploymentIdentifier: id = "" } = deployment;
        asked = await rds.switchOver(id, parsed.switchoverSeconds ?? 300);
        if (asked) seen.length = 0;
        return undefined;
      }
      // Right after it was asked to switch, RDS may still tell how things stood before.
      if (ready.includes(status) && !isTakenBack(seen)) return undefined;
      throw refused(parsed, {
        found: `${status}: ${deployment.StatusDetails ?? "RDS gives no reason"}`,
        required: "SWITCHOVER_COMPLETED",
        todo: ready.includes(status)
          ? "see the instance's events in RDS, then run pulumi up again: it switches again"
          : discardText(deployment),
      });
    },
    () => late(parsed, `the deployment ${name} is ${seen.at(-1) ?? "unknown"}`),
  );
  return markBlue(run, switched);
}

/** Statuses that end by themselves. */
const passing = ["PROVISIONING", "SWITCHOVER_IN_PROGRESS"];

/** Statuses from which RDS can be asked to switch over. */
const ready = ["AVAILABLE", "SWITCHOVER_FAILED"];

/** Whether RDS began to switch over and is back where it was, or says three times that it failed. */
function isTakenBack(seen: readonly string[]): boolean {
  const failures = seen.filter((status) => status === "SWITCHOVER_FAILED");
  return seen.includes("SWITCHOVER_IN_PROGRESS") || failures.length > 2;
}

async function create({ parsed, rds }: Upgrade, name: string): Promise<void> {
  const { identifier, targetVersion, parameterGroup, stack, release, token } = parsed;
  const instance = await rds.findInstance(identifier);
  const problem = unfit(instance, parsed);
  if (problem !== undefined) throw refused(parsed, problem);
  await rds.createDeployment({
    name,
    source: instance?.DBInstanceArn ?? "",
    version: targetVersion,
    parameterGroup,
    tags: { "cutover:stack": stack, "cutover:release": release, [tagNames.token]: token },
  });
}

/** What keeps an instance from being upgraded so; RDS would say most of it only after a while, with writes frozen. */
function unfit(instance: DBInstance | undefined, parsed: BlueGreenInputs): Trouble | undefined {
  const { identifier, targetVersion } = parsed;
  if (instance === undefined) {
    return {
      found: "no such instance",
      required: "an instance of this name",
      todo: "correct cutover:database.identifier",
    };
  }
  const { EngineVersion = "", DBInstanceStatus = "unknown", DBParameterGroups = [] } = instance;
  if (isVersion(EngineVersion, targetVersion)) {
    return {
      found: `version ${EngineVersion}, and no old instance beside it`,
      required: "an older version",
      todo: "pulumi config rm --path cutover:database.upgradeTo",
    };
  }
  if (DBInstanceStatus !== "available") {
    return {
      found: `status ${DBInstanceStatus}`,
      required: "status available",
      todo: "wait until RDS is done with it, then run pulumi up again",
    };
  }
  if (instance.MasterUserSecret?.SecretArn !== undefined) {
    return {
      found: "a password that RDS manages",
      required: "a password of another source: blue/green deployments do not take such instances",
      todo: "pulumi config set --path cutover:database.password generated, one release earlier",
    };
  }
  const pending = DBParameterGroups.find(
    ({ ParameterApplyStatus: status }) => status !== undefined && status !== "in-sync",
  );
  if (pending === undefined) return undefined;
  return {
    found: `parameter group ${pending.DBParameterGroupName ?? ""} is ${pending.ParameterApplyStatus ?? ""}`,
    required: "in-sync",
    todo: `aws rds reboot-db-instance --db-instance-identifier ${identifier}`,
  };
}

/**
 * A major upgrade copies rows, not settings of the database: a new instance from an earlier freeze would not be frozen,
 * and its lift would find no freeze. One that was switched to is beyond that.
 */
async function judgeExisting(
  { parsed, rds }: Upgrade,
  deployment: BlueGreenDeployment,
): Promise<void> {
  const { Status = "", TagList = [] } = deployment;
  if (["SWITCHOVER_IN_PROGRESS", "SWITCHOVER_COMPLETED"].includes(Status)) return;
  if (valueOf(TagList, tagNames.token) === parsed.token) return;
  const instance = await rds.findInstance(parsed.identifier);
  if (majorOf(instance?.EngineVersion ?? "") === majorOf(parsed.targetVersion)) return;
  throw refused(parsed, {
    found: `a deployment that was made in an earlier write freeze, ${Status}`,
    required: "one that is made from the database as it is frozen now",
    todo: discardText(deployment),
  });
}

/** How to discard a deployment that never served, with the instance that it made. */
function discardText({ BlueGreenDeploymentIdentifier: id = "" }: BlueGreenDeployment): string {
  return `aws rds delete-blue-green-deployment --blue-green-deployment-identifier ${id} --delete-target, then run pulumi up again`;
}

/** From here on a later run finds the old instance without the deployment. */
async function markBlue(
  { parsed, rds }: Upgrade,
  { Source: arn = "" }: BlueGreenDeployment,
): Promise<DBInstance> {
  const { identifier } = parsed;
  const blue = arn.split(":").at(-1) ?? "";
  // Everything that follows is about an instance that no longer serves.
  if (blue === "" || blue === identifier) {
    throw refused(parsed, {
      found: `the deployment calls ${arn || "nothing"} its old instance`,
      required: "an instance of another name",
      todo: "see the deployment in RDS",
    });
  }
  await rds.tag(arn, {
    [tagNames.blueOf]: identifier,
    [tagNames.deployment]: deploymentName(parsed),
    [tagNames.switchedAt]: new Date().toISOString(),
  });
  const instance = await rds.findInstance(blue);
  if (instance !== undefined) return instance;
  throw refused(parsed, {
    found: `no instance ${blue}`,
    required: "the old instance, which nothing was to delete",
    todo: "see its events in RDS",
  });
}
