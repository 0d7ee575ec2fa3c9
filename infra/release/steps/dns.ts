import { DnsRecords } from "../../dns/dns-records.ts";
import { KeptRecords } from "../../dns/kept-records.ts";
import { knownZone } from "../../dns/zones.ts";
import { dwellSeconds, unproxiedNames } from "../../dns/ttl.ts";
import { addressOf, type Plan } from "../plan.ts";
import { TtlShown } from "../resources.ts";
import type { Declare } from "../run.ts";

const targets = ["legacy", "blue", "green"] as const;

/** Points the names that move at who serves, and leaves all others as they are. */
export const switchDns: Declare = (run, step) => {
  const { config, plan } = run;
  const { dns } = config;
  const kept = dns.kept.length === 0 ? [] : [new KeptRecords("dns-kept", { dns }, step)];
  if (Object.keys(dns.names).length === 0) return kept;
  const records = new DnsRecords(
    "dns",
    {
      dns,
      addressOf: (host) => addressOf(plan.serving, host, config) ?? "",
      // In the first run only who serves now can have it.
      knownAddresses: (host) =>
        targets
          .filter((target) => plan.before.phase !== null || target === plan.before.serving)
          .flatMap((target) => addressOf(target, host, config) ?? []),
      ttlSeconds: plan.ttlSeconds,
    },
    step,
  );
  return [...kept, records];
};

/** Waits until every resolver shows the lowered TTL: from then on the old one runs out. */
export const ttlShown: Declare = (run, step) => {
  const { config, plan } = run;
  const { dns, clockScale, deadlines } = config;
  const names = unproxiedNames(dns).map((host) => [host, knownZone(host, dns.zones).name] as const);
  if (names.length === 0) return [];
  const shown = new TtlShown(
    "ttl-shown",
    {
      stack: run.stack,
      names: Object.fromEntries(names),
      resolvers: dns.resolvers,
      authorities: dns.authorities,
      ttlSeconds: plan.ttlSeconds,
      previousSeconds: previousTtl(plan, dns.ttl.baseline),
      clockScale,
      probeSeconds: deadlines.probeSeconds,
    },
    step,
  );
  run.ttlShownAt = shown.shownAt;
  return [shown];
};

/** The longest that an answer from before can have been given. */
function previousTtl({ before: { ttl } }: Plan, baseline: number): number {
  return ttl === null ? baseline : Math.max(dwellSeconds(ttl.seconds), ttl.previousSeconds);
}
