import { phases } from "../../policies/contract/phase.ts";
import type { Config } from "../config.ts";
import { dotted, removeValue, setValue } from "../config-path.ts";
import { zoneOf } from "../dns/zones.ts";
import type { Problem } from "../errors.ts";
import { phasesOf } from "../release/phases.ts";
import { acmHosts } from "./acm-hosts.ts";
import type { IdentityConfig, OAuthClient } from "./config.ts";
import { identityEnvironment } from "./redirect-uris.ts";

/** The part of the stack config that identity goes together with. */
export type IdentityKeys = Pick<
  Config,
  "database" | "dns" | "services" | "legacy" | "jobs" | "buckets"
> & {
  readonly identity?: IdentityConfig | undefined;
};

/** What is wrong between the keys of `identity`, and between it and those that it goes together with. */
export function identityRelations(keys: IdentityKeys): Problem[] {
  const { identity } = keys;
  return [
    ...bucketsHaveOrigins(keys),
    ...(identity === undefined
      ? []
      : [
          ...Object.entries(identity.redirectUris).flatMap(([name, client]) =>
            clientRelations.flatMap((relation) => relation(name, client, keys)),
          ),
          ...certificatesHaveZones(identity, keys),
          ...amazonMayIssue(identity, keys),
          ...variablesAreToldOnce(identity, keys),
        ]),
  ];
}

type ClientRelation = (name: string, client: OAuthClient, keys: IdentityKeys) => Problem[];

const clientRelations: readonly ClientRelation[] = [
  redirectsStayInZones,
  legacyRedirectsDiffer,
  legacyEndsInPhase,
];

/** A login must end where the stack says who answers; a legacy address may be anybody's. */
function redirectsStayInZones(name: string, { uris }: OAuthClient, { dns }: IdentityKeys) {
  return uris
    .filter((uri) => zoneOf(new URL(uri).hostname, dns.zones) === undefined)
    .map((uri) => ({
      where: dotted(["identity", "redirectUris", name, "uris"]),
      found: `${uri}, whose host is in no zone`,
      required: zonesText(dns),
      todo: `correct it there, or add its zone to ${dotted(["dns", "zones"])}`,
    }));
}

function legacyRedirectsDiffer(name: string, { uris, legacyUris }: OAuthClient) {
  return legacyUris
    .filter((uri) => uris.includes(uri))
    .map((uri) => ({
      where: dotted(["identity", "redirectUris", name, "legacyUris"]),
      found: `${uri}, which is in uris as well`,
      required: "only what goes away: a legacy URI is no new one",
      todo: "remove it from one of uris and legacyUris",
    }));
}

function legacyEndsInPhase(name: string, client: OAuthClient, keys: IdentityKeys) {
  const { legacyUris, keepLegacyUntil } = client;
  const known = phasesOf(keys);
  if (legacyUris.length === 0 || known.includes(keepLegacyUntil)) return [];
  const path = ["identity", "redirectUris", name, "keepLegacyUntil"];
  return [
    {
      where: dotted(path),
      found: `${keepLegacyUntil}, a phase that this system does not have`,
      required: `one of ${known.join(", ")}`,
      todo: setValue(path, known.at(-1) ?? phases[0]),
    },
  ];
}

/** ACM asks for a record in the host's zone. One that others issue is theirs to prove, but a wrong name helps nobody. */
function certificatesHaveZones({ certificates }: IdentityConfig, { dns }: IdentityKeys) {
  return Object.keys(certificates)
    .filter((host) => zoneOf(host, dns.zones) === undefined)
    .map((host) => ({
      where: dotted(["identity", "certificates", host]),
      found: "a certificate for a host in no zone",
      required: zonesText(dns),
      todo: removeValue(["identity", "certificates", host]),
    }));
}

/**
 * What a CAA record must name so that ACM may issue; one of them is enough.
 * https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html
 */
const amazonAuthorities = ["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];

/** ACM gives up where a zone lets only others issue. The nearest name with CAA records counts (RFC 8659, 3). */
function amazonMayIssue({ certificates }: IdentityConfig, { dns }: IdentityKeys) {
  return acmHosts(certificates).flatMap((host) => {
    const issuers = nearestIssuers(host, dns.kept);
    if (issuers.length === 0 || issuers.some((one) => amazonAuthorities.includes(one))) return [];
    return [
      {
        where: dotted(["identity", "certificates", host, "kind"]),
        found: `acm, but the CAA records of cutover:dns.kept let only ${issuers.join(", ")} issue`,
        required: `a CAA record for ${amazonAuthorities[0]}, or a certificate that others issue`,
        todo: setValue(["identity", "certificates", host, "kind"], "external"),
      },
    ];
  });
}

/** Who may issue for a host, as the nearest kept CAA records say; nobody said is everybody. */
function nearestIssuers(host: string, kept: Config["dns"]["kept"]): string[] {
  const labels = host.split(".");
  const names = labels.map((_, index) => labels.slice(index).join("."));
  const nearest = names.find((one) =>
    kept.some(({ name, caa }) => name === one && caa !== undefined),
  );
  return kept.flatMap(({ name, caa }) =>
    name === nearest && caa?.tag === "issue" ? [caa.value.split(";")[0]?.trim() ?? ""] : [],
  );
}

/** A variable that a service of the release or a job sets by itself would hide what identity tells it. */
function variablesAreToldOnce(identity: IdentityConfig, { services, jobs }: IdentityKeys) {
  const told = Object.keys(identityEnvironment(identity, phases[0]));
  const groups = [
    ...Object.entries(services)
      .filter(([, { image }]) => image === undefined)
      .flatMap(([name, { env, secrets }]) => [
        { path: ["services", name, "env"], names: Object.keys(env) },
        { path: ["services", name, "secrets"], names: Object.keys(secrets) },
      ]),
    ...Object.entries(jobs).map(([name, { env }]) => ({
      path: ["jobs", name, "env"],
      names: Object.keys(env),
    })),
  ];
  return groups.flatMap(({ path, names }) =>
    names
      .filter((variable) => told.includes(variable))
      .map((variable) => ({
        where: dotted([...path, variable]),
        found: "a value, but cutover:identity says it as well",
        required: "one place that says it",
        todo: removeValue([...path, variable]),
      })),
  );
}

function bucketsHaveOrigins({ identity, buckets }: IdentityKeys) {
  if ((identity?.corsOrigins ?? []).length > 0) return [];
  return Object.entries(buckets)
    .filter(([, { cors }]) => cors)
    .map(([row]) => ({
      where: dotted(["identity", "corsOrigins"]),
      found: `no origin, but the bucket ${row} has cors`,
      required: "the origins whose pages may use the bucket",
      todo: `pulumi config set --path '${dotted(["identity", "corsOrigins"])}[0]' 'https://app.example.com'`,
    }));
}

function zonesText({ zones }: IdentityKeys["dns"]): string {
  return `a host in one of ${Object.keys(zones).join(", ") || "the zones of cutover:dns.zones"}`;
}
