import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseConfig, type Config } from "../../infra/config.ts";

const project = join(import.meta.dirname, "..", "..");

/** The config of a committed stack as the engine hands it over, with a password. */
export function engineConfig(stack = "production"): Record<string, string> {
  const file = parse(readFileSync(join(project, `Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, unknown>;
  };
  const values = Object.entries(file.config).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return {
    ...Object.fromEntries(values),
    "cutover:databasePassword": "correct-horse-battery",
  } as Record<string, string>;
}

/** A parsed config: the production stack's, with changes on its first level. */
export function sampleConfig(changes: Partial<Config> = {}): Config {
  return { ...parseConfig(engineConfig(), ["cutover:databasePassword"]), ...changes };
}
