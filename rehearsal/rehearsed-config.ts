import { isMap, type Document } from "yaml";
import type { Cloud } from "./cloud.ts";
import type { Network } from "./stand-ins/network.ts";

/** What a stack config is rehearsed with. */
export interface RehearsedOptions {
  readonly cloud: Cloud;
  readonly clockScale: number;
  /** Values by their path below `config`, which only this rehearsal knows. */
  readonly values?: readonly (readonly [path: readonly (string | number)[], value: unknown])[];
}

type Path = readonly (string | number)[];

/**
 * A stack's own config, with what only the stand-ins can give: addresses, ports, resolvers, container hosts, the clock and
 * the CA of the databases. Whatever else it says is rehearsed as it is.
 */
export function rehearsedConfig(config: Document, options: RehearsedOptions): Document {
  const document = config.clone();
  const { cloud, clockScale, values = [] } = options;
  const { network } = cloud;
  const set = (path: Path, value: unknown): void => {
    document.setIn(["config", ...path], document.createNode(value));
  };
  set(["cutover:clockScale"], clockScale);
  set(["cutover:dns", "resolvers"], [cloud.resolver]);
  set(["cutover:dns", "authorities"], [cloud.nameServer]);
  if (has(document, ["cutover:slots"])) {
    set(["cutover:slots"], { blue: network.blue, green: network.green });
  }
  if (has(document, ["cutover:legacy"])) {
    set(["cutover:legacy", "address"], network.legacy);
    // Clients ask both systems at the same port.
    set(["cutover:legacy", "port"], network.port);
  }
  const units = unitAddresses(document);
  const places = placesOf(document, units, network);
  servicesOf(document).forEach((name, index) => {
    // What the stack stands on listens where its image does, and its health command asks there.
    if (!has(document, ["cutover:services", name, "image"])) {
      set(["cutover:services", name, "port"], network.port + index);
    }
    const address = document.getIn(["config", "cutover:services", name, "address"]);
    const place = typeof address === "string" ? places.get(address) : undefined;
    if (place !== undefined) set(["cutover:services", name, "address"], place);
  });
  const database = document.getIn(["config", "cutover:database", "address"]);
  if (typeof database === "string") {
    set(["cutover:database", "address"], places.get(database));
    set(["cutover:database", "port"], network.databasePort);
  } else {
    set(["cutover:database", "caFile"], "rds-ca.pem");
  }
  const hosts = namesOf(document, "cutover:hosts");
  if (hosts.length > 0) {
    const kept = hosts.map((address) => [
      places.get(address) ?? address,
      units.includes(address) ? cloud.unitHost?.url : cloud.containerHost,
    ]);
    set(["cutover:hosts"], Object.fromEntries(kept));
  }
  for (const name of namesOf(document, "cutover:readings")) {
    if (document.getIn(["config", "cutover:readings", name, "kind"]) !== "dns-answers") continue;
    set(["cutover:readings", name, "resolvers"], [cloud.resolver]);
    set(["cutover:readings", name, "authorities"], [cloud.nameServer]);
  }
  for (const [path, value] of values) set(path, value);
  return document;
}

/** The addresses of services that systemd runs: the rehearsal has one host for all of them. */
function unitAddresses(document: Document): string[] {
  return namesOf(document, "cutover:services").flatMap((name) => {
    if (!has(document, ["cutover:services", name, "systemd"])) return [];
    const address = document.getIn(["config", "cutover:services", name, "address"]);
    return typeof address === "string" ? [address] : [];
  });
}

/** The addresses of a config where something keeps its place, each with a rehearsed one; equal ones stay equal. */
function placesOf(
  document: Document,
  units: readonly string[],
  { places, unitHost }: Network,
): Map<string, string> {
  const addresses = [
    ...namesOf(document, "cutover:services").map((name) => ["cutover:services", name, "address"]),
    ["cutover:database", "address"],
  ].flatMap((path) => {
    const address: unknown = document.getIn(["config", ...path]);
    return typeof address === "string" ? [address] : [];
  });
  const known = [...new Set(addresses)].filter((address) => !units.includes(address));
  return new Map([
    ...known.map((address, index) => [address, places[index] ?? ""] as const),
    ...units.map((address) => [address, unitHost] as const),
  ]);
}

/** The services, the one that clients ask first: it has the port that clients use. */
function servicesOf(document: Document): string[] {
  const [host = ""] = Object.keys(
    (document.toJS() as { config: Record<string, { names?: object }> }).config["cutover:dns"]
      ?.names ?? {},
  );
  const asked = document.getIn(["config", "cutover:dns", "names", host, "service"]) ?? "web";
  const names = namesOf(document, "cutover:services");
  return [...names.filter((name) => name === asked), ...names.filter((name) => name !== asked)];
}

function has(document: Document, path: Path): boolean {
  return document.hasIn(["config", ...path]);
}

function namesOf(document: Document, group: string): string[] {
  const node: unknown = document.getIn(["config", group]);
  return isMap(node) ? node.items.map(({ key }) => String(key)) : [];
}
