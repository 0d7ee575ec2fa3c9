import { ParameterGroup } from "@pulumi/aws/rds/parameterGroup.js";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import type { RdsConfig } from "./config.ts";

/** The family of parameters of a PostgreSQL version, as RDS names it; from 10 on, the first number is the major one. */
export function familyOf(version: string): string {
  return `postgres${majorOf(version)}`;
}

/** Name of the parameter group of an instance at a version. */
export function groupName({ identifier }: Pick<RdsConfig, "identifier">, version: string): string {
  return `${identifier}-${familyOf(version)}`;
}

/**
 * Declares the parameter groups that an instance needs: that of its version and, while it is upgraded to another major
 * one, that of the new version too. Each family has a group of its own, because a group cannot change its family. One
 * that nothing declares any more stays in RDS: the old instance of an upgrade is still a member of it.
 */
export function parameterGroups(
  name: string,
  settings: RdsConfig,
  opts: CustomResourceOptions,
): ParameterGroup[] {
  const { engineVersion, upgradeTo, tlsForced } = settings;
  const versions = [engineVersion, ...(upgradeTo === undefined ? [] : [upgradeTo])];
  const byFamily = new Map(versions.map((version) => [familyOf(version), version]));
  const forceTls = {
    name: "rds.force_ssl",
    // Said either way: its default is 1 from PostgreSQL 15 on, and 0 before.
    value: tlsForced ? "1" : "0",
    applyMethod: "immediate",
  };
  // RDS makes a green instance of another major version by logical replication, which takes a restart to switch on.
  const replicate = { name: "rds.logical_replication", value: "1", applyMethod: "pending-reboot" };
  return [...byFamily].map(
    ([family, version]) =>
      new ParameterGroup(
        `${name}-parameters-${family}`,
        {
          name: groupName(settings, version),
          family,
          description: `Parameters of ${settings.identifier}`,
          parameters: byFamily.size > 1 ? [forceTls, replicate] : [forceTls],
        },
        { ...opts, retainOnDelete: true },
      ),
  );
}

function majorOf(version: string): string {
  return version.split(".")[0] ?? "";
}
