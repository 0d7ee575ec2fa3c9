import type { Config } from "../infra/config.ts";
import { serviceUnit } from "../infra/services/render/systemd-files.ts";
import { availableVersions, readRelease } from "../infra/release/release.ts";
import type { Cloud } from "./cloud.ts";
import { must } from "./stack.ts";
import type { Workspace } from "./workspace.ts";

/** A rehearsed system, as its folder and its stack config have it. */
interface System {
  readonly folder: string;
  readonly config: Config;
}

/** Tells whether systemd runs services of a system. */
export function hasUnits({ services }: Pick<Config, "services">): boolean {
  return Object.values(services).some(({ systemd }) => systemd !== undefined);
}

/** Makes what a system's stack finds when it runs for the first time: the database that it adopts, and releases on hosts. */
export async function makeWhatStands(
  cloud: Cloud,
  workspace: Workspace,
  system: System,
): Promise<void> {
  await makeAdopted(cloud, workspace, system.config);
  cloud.unitHost?.provide(installed(system));
}

/**
 * An instance that somebody made by hand: it has none of the stack's keys and parameter groups yet. Its master password is
 * the stack's own, because nobody can be told it again.
 */
async function makeAdopted(
  cloud: Cloud,
  workspace: Workspace,
  { database }: Config,
): Promise<void> {
  if (database.kind !== "rds" || !database.adopt) return;
  const password =
    database.password === "secrets-manager"
      ? { manageMasterUserPassword: true }
      : { password: (await must(workspace, ["config", "get", "databasePassword"])).trim() };
  await cloud.makeInstance({
    identifier: database.identifier,
    engine: "postgres",
    engineVersion: database.engineVersion,
    instanceClass: database.instanceClass,
    allocatedStorage: database.storageGib,
    dbName: database.name,
    username: database.username,
    ...password,
    storageEncrypted: database.storageEncrypted,
    backupRetentionPeriod: database.backupRetentionDays,
    deletionProtection: database.deletionProtection,
  });
}

/** What must be on a host before a unit can start: each release in a folder of its own, and the program that runs it. */
function installed({ folder, config }: System): string[] {
  const releases = availableVersions(folder).flatMap(
    (version) => readRelease(folder, version) ?? [],
  );
  const names = Object.keys(config.services);
  return releases.flatMap((release) =>
    names.flatMap((name) => serviceUnit(name, "blue", { config, release })?.required ?? []),
  );
}
