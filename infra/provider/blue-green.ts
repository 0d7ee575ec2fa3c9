import type { DBInstance } from "@aws-sdk/client-rds";
import {
  blueGreenInputs as inputs,
  deploymentName,
  isVersion,
  late,
  refused,
  tagNames,
  type BlueGreenInputs,
  type Upgrade,
} from "./blue-green-run.ts";
import { switchOver } from "./blue-green-switch.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { withSession } from "./postgres-session.ts";
import { sameProperty } from "./properties.ts";
import { openRds, valueOf, waitFor } from "./rds-client.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

/** What a blue/green upgrade leaves behind. */
export interface BlueGreenOutputs {
  /** Identifier of the old instance: RDS renames it. */
  readonly blue: string;
  /** RDS's own id of the old instance, which no renaming changes. */
  readonly blueResourceId: string;
  /** Identifier of the last snapshot of the old instance. */
  readonly finalSnapshot: string;
  /** RDS's own id of the new instance. */
  readonly resourceId: string;
  /** When the new instance was seen to serve, ISO 8601. */
  readonly switchedAt: string;
  /** The version of PostgreSQL that serves. */
  readonly version: string;
}

/** What makes another upgrade of it. */
const identifying = ["stack", "identifier", "targetVersion"] as const;

/**
 * Brings an RDS instance to another version of PostgreSQL by a blue/green deployment, and keeps the old instance, blue,
 * beside it: protected from deletion, with a last snapshot. It never goes back by itself and deletes no instance.
 *
 * It belongs into a write freeze: the new instance is made from the frozen one, so that it is frozen as well. It is done
 * once for a stack, instance and version; RDS, not the engine's state, says how far it got, so that a run that was killed
 * is gone on with.
 */
export const blueGreen: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const diffs = identifying.filter((name) => !sameProperty(olds.inputs[name], news[name]));
    return { changes: diffs.length > 0, diffs };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: deploymentName(parsed), outputs: { ...(await upgrade(parsed, call)) } };
  },

  async update(_id, olds, news, call) {
    if (identifying.every((name) => sameProperty(olds.inputs[name], news[name]))) {
      return { outputs: olds.outputs };
    }
    if (call.preview) return { outputs: {} };
    return { outputs: { ...(await upgrade(parseInputs(inputs, news), call)) } };
  },
};

async function upgrade(parsed: BlueGreenInputs, call: Call): Promise<BlueGreenOutputs> {
  const { region, deadlineSeconds, intervalMs = 15_000 } = parsed;
  const { signal } = call;
  const rds = await openRds(region, signal);
  const until = performance.now() + deadlineSeconds * 1000;
  const run: Upgrade = { parsed, rds, call, patience: { intervalMs, until, signal } };
  try {
    const blue = (await findBlue(run)) ?? (await switchOver(run));
    const finalSnapshot = await keep(run, blue);
    const serving = await waitUntilServing(run);
    await forgetDeployment(run);
    const switchedAt = valueOf(blue.TagList ?? [], tagNames.switchedAt) ?? serving.at;
    return {
      blue: blue.DBInstanceIdentifier ?? "",
      blueResourceId: blue.DbiResourceId ?? "",
      finalSnapshot,
      resourceId: serving.resourceId,
      switchedAt,
      version: serving.version,
    };
  } finally {
    rds.close();
  }
}

/** The old instance, when an earlier run got so far. */
async function findBlue({ parsed, rds }: Upgrade): Promise<DBInstance | undefined> {
  const blues = await rds.instancesTagged({ [tagNames.blueOf]: parsed.identifier });
  const name = deploymentName(parsed);
  const other = blues.find((each) => valueOf(each.TagList ?? [], tagNames.deployment) !== name);
  if (other !== undefined) {
    throw refused(parsed, {
      found: `${other.DBInstanceIdentifier ?? "an instance"}, which another upgrade left behind`,
      required: "one old instance at a time",
      todo: "pulumi config set phase decommission for that release, which removes it",
    });
  }
  return blues[0];
}

/** Protects the old instance and takes its last snapshot, whose identifier is returned. */
async function keep(run: Upgrade, blue: DBInstance): Promise<string> {
  const { parsed, rds, patience } = run;
  const name = blue.DBInstanceIdentifier ?? "";
  const { identifier, stack, release } = parsed;
  if (blue.DeletionProtection !== true) await rds.protect(name, true);
  let state = "";
  await waitFor(
    patience,
    async () => {
      const found = await rds.findInstance(name);
      state = `${found?.DBInstanceStatus ?? "absent"}, deletion protection ${found?.DeletionProtection === true ? "on" : "off"}`;
      return state === "available, deletion protection on" ? found : undefined;
    },
    () => late(parsed, `the old instance ${name} is ${state}`),
  );
  const snapshot = `${identifier}-blue-${(blue.EngineVersion ?? "").replaceAll(".", "-")}`;
  const tags = { "cutover:stack": stack, "cutover:release": release };
  if ((await rds.findSnapshot(snapshot)) === undefined) {
    await rds.takeSnapshot(name, snapshot, tags);
  }
  await waitFor(
    patience,
    async () => {
      const found = await rds.findSnapshot(snapshot);
      state = found?.Status ?? "absent";
      if (state === "failed" || (found !== undefined && isOfAnother(found.DbiResourceId, blue))) {
        throw refused(parsed, {
          found: `snapshot ${snapshot}, ${state === "failed" ? "which failed" : "which is of another instance"}`,
          required: `a snapshot of ${name} by that name`,
          todo: `aws rds delete-db-snapshot --db-snapshot-identifier ${snapshot}, or give it another name, then run pulumi up again`,
        });
      }
      return state === "available" ? found : undefined;
    },
    () => late(parsed, `the snapshot ${snapshot} is ${state}`),
  );
  return snapshot;
}

function isOfAnother(resourceId: string | undefined, { DbiResourceId }: DBInstance): boolean {
  return resourceId !== DbiResourceId;
}

interface Serving {
  readonly resourceId: string;
  readonly version: string;
  readonly at: string;
}

/** Waits until the instance, and whoever answers under its name, has the new version. */
async function waitUntilServing({ parsed, rds, call, patience }: Upgrade): Promise<Serving> {
  const { identifier, targetVersion, connection } = parsed;
  let state = "";
  return waitFor(
    patience,
    async () => {
      const instance = await rds.findInstance(identifier);
      const { EngineVersion: version = "", DbiResourceId: resourceId = "" } = instance ?? {};
      state = `${instance?.DBInstanceStatus ?? "absent"} with version ${version}`;
      if (instance?.DBInstanceStatus !== "available" || !isVersion(version, targetVersion)) {
        return undefined;
      }
      // For a moment the name still leads to the old instance, or to none.
      const options = { purpose: "upgrade", signal: call.signal };
      try {
        const answered = await withSession(connection, options, serverVersion);
        state = `an answer from version ${answered}`;
        if (!isVersion(answered, targetVersion)) return undefined;
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        call.signal.throwIfAborted();
        state = error.message;
        return undefined;
      }
      return { version, resourceId, at: new Date().toISOString() };
    },
    () => late(parsed, state),
  );
}

async function serverVersion(session: Parameters<Parameters<typeof withSession>[2]>[0]) {
  const [row] = await session.rows<{ version: string }>(
    "SELECT current_setting('server_version') AS version",
  );
  // A distribution's own words may follow.
  return row?.version.split(" ")[0] ?? "";
}

/** RDS deletes no instance with a deployment that was switched over. */
async function forgetDeployment({ parsed, rds, patience }: Upgrade): Promise<void> {
  const name = deploymentName(parsed);
  const deployment = await rds.findDeployment(name);
  if (deployment === undefined) return;
  await rds.deleteDeployment(deployment.BlueGreenDeploymentIdentifier ?? "");
  await waitFor(
    patience,
    async () => ((await rds.findDeployment(name)) === undefined ? true : undefined),
    () => late(parsed, `the deployment ${name} is still there`),
  );
}
