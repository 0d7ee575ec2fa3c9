import type { ServiceConfig } from "./config.ts";

/**
 * The environment variable that tells a service where another one is: `API_URL` for one that speaks HTTP, and
 * `REDIS_ADDRESS`, as host:port, for one that does not, which is one whose health a command tells.
 *
 * @param place host:port
 */
export function neighbourVariable(
  name: string,
  settings: Pick<ServiceConfig, "healthCommand"> | undefined,
  place: string,
): readonly [name: string, value: string] {
  const prefix = variable(name);
  return settings?.healthCommand === undefined
    ? [`${prefix}_URL`, `http://${place}`]
    : [`${prefix}_ADDRESS`, place];
}

/** A name as environment variables have it. */
export function variable(name: string): string {
  return name.replaceAll("-", "_").toUpperCase();
}
