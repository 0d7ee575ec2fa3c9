import { join } from "node:path";
import { engineValues } from "../../cli/project.ts";
import { parseConfig, type Config } from "../../infra/config.ts";

const project = join(import.meta.dirname, "..", "..");

/** The config of a committed stack as the engine hands it over, with a password. */
export function engineConfig(stack = "production"): Record<string, string> {
  const [values] = engineValues(project, { stack });
  return { ...values, "cutover:databasePassword": "correct-horse-battery" };
}

/** A parsed config: the production stack's, with changes on its first level. */
export function sampleConfig(changes: Partial<Config> = {}): Config {
  return { ...parseConfig(engineConfig(), ["cutover:databasePassword"]), ...changes };
}
