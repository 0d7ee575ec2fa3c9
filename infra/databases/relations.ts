import { dotted, removeValue, setValue } from "../config-path.ts";
import type { Problem } from "../errors.ts";
import type { DatabaseConfig, RdsConfig } from "./config.ts";

/** What single keys of the group `database` cannot say. */
export function databaseRelations({ database }: { readonly database: DatabaseConfig }): Problem[] {
  if (database.kind !== "rds") return [];
  return [...adoptionKeepsPassword(database), ...upgradeGoesUp(database)];
}

/** A password that is made here is set nowhere but in a new instance. */
function adoptionKeepsPassword({ adopt, password }: RdsConfig): Problem[] {
  if (!adopt || password !== "generated") return [];
  return [
    {
      where: dotted(["database", "password"]),
      found: "generated, but the instance exists already and has a password",
      required: "config or secrets-manager for an instance that is adopted",
      todo: setValue(["database", "password"], "config"),
    },
  ];
}

function upgradeGoesUp({ engineVersion, upgradeTo, password }: RdsConfig): Problem[] {
  if (upgradeTo === undefined) return [];
  const where = dotted(["database", "upgradeTo"]);
  const problems: Problem[] = [];
  if (!isLater(upgradeTo, engineVersion)) {
    problems.push({
      where,
      found: `${upgradeTo}, and database.engineVersion is ${engineVersion}`,
      required: "a later version",
      todo: removeValue(["database", "upgradeTo"]),
    });
  }
  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/blue-green-deployments-considerations.html
  if (password === "secrets-manager") {
    problems.push({
      where,
      found: `${upgradeTo}, and database.password is secrets-manager`,
      required: "another source of the password: blue/green deployments do not take such instances",
      todo: removeValue(["database", "upgradeTo"]),
    });
  }
  return problems;
}

function isLater(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [thanMajor = 0, thanMinor = 0] = than.split(".").map(Number);
  return major > thanMajor || (major === thanMajor && minor > thanMinor);
}
