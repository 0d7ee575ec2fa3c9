import type { DnsConfig } from "./config.ts";

/** A zone of the stack config. */
export interface Zone {
  /** As in `example.com`. */
  readonly name: string;
  /** By which Cloudflare knows it. */
  readonly id: string;
}

/** The zone that a name is in, the nearest where zones lie in each other; undefined when it is in none. */
export function zoneOf(name: string, zones: DnsConfig["zones"]): Zone | undefined {
  return Object.entries(zones)
    .filter(([zone]) => name === zone || name.endsWith(`.${zone}`))
    .map(([zone, id]) => ({ name: zone, id }))
    .toSorted((a, b) => b.name.length - a.name.length)
    .at(0);
}

/**
 * The zone of a name of the stack config, in which `relations` found it to be.
 *
 * @throws Error when it is in none
 */
export function knownZone(name: string, zones: DnsConfig["zones"]): Zone {
  const zone = zoneOf(name, zones);
  if (zone === undefined) throw new Error(`no zone of cutover:dns.zones holds ${name}`);
  return zone;
}
