import type { Config } from "../../config.ts";
import { setSecret } from "../../config-path.ts";
import { neighbourVariable } from "../neighbour.ts";

/** What a service is told by its environment. */
export interface Told {
  /** Values by the name of a variable. */
  readonly open: Readonly<Record<string, string>>;
  /** Of each variable whose value is nowhere in the stack config: where it comes from. */
  readonly secret: Readonly<Record<string, string>>;
}

/** The variable that tells a service its database. */
export const databaseVariable = "DATABASE_URL";

/**
 * What a service of a release, or of the platform, is told: the same names as the container of a slot gets.
 *
 * @param placeOf where it reaches a service that it depends on, as host:port
 */
export function toldTo(
  name: string,
  { services, database, flags, safeMode, secrets }: Config,
  placeOf: (other: string) => string,
): Told {
  const settings = services[name];
  const { dependsOn = [], env = {}, secrets: wanted = {} } = settings ?? {};
  const isReleased = settings?.image === undefined;
  const open = {
    ...(isReleased
      ? {
          SLOT: "in-place",
          ...Object.fromEntries(
            dependsOn.map((other) => neighbourVariable(other, services[other], placeOf(other))),
          ),
          ...(Object.keys(flags).length === 0 ? {} : { FLAGS: JSON.stringify(flags) }),
          ...(safeMode ? { SAFE_MODE: "1" } : {}),
        }
      : {}),
    ...env,
  };
  const secret = {
    ...(isReleased ? { [databaseVariable]: databaseSource(database) } : {}),
    ...Object.fromEntries(
      Object.entries(wanted).map(([key, secretName]) => {
        const kept = secrets[secretName];
        const place = kept === undefined ? "" : `: ${kept.store}, ${kept.name}`;
        return [key, `${secretName} of cutover:secrets${place}`];
      }),
    ),
  };
  return {
    // What the table sets by hand wins over what it is told by itself, and a secret wins over both.
    open: without(
      open,
      Object.keys(secret).filter((key) => key !== databaseVariable),
    ),
    secret: Object.hasOwn(env, databaseVariable) ? without(secret, [databaseVariable]) : secret,
  };
}

function databaseSource(database: Config["database"]): string {
  const place =
    database.kind === "container" ? `${database.address}:${database.port}` : "host:5432";
  const source =
    database.kind === "container" || database.password === "config"
      ? setSecret(["databasePassword"]).replace("set --secret", "get")
      : `the master password of ${database.identifier} (${database.password})`;
  return `postgres://${database.username}:password@${place}/${database.name}, the password from: ${source}`;
}

function without(
  values: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
}
