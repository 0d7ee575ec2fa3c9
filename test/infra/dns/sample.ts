import type { z } from "zod";
import { dnsConfig, type DnsConfig } from "../../../infra/dns/config.ts";

/** Ids of the sample zones. */
export const zoneIds = { com: "c".repeat(32), org: "d".repeat(32), inner: "e".repeat(32) } as const;

/** A group `dns` that is fine, with some other keys. */
export function sampleDns(change: Partial<z.input<typeof dnsConfig>> = {}): DnsConfig {
  return dnsConfig.parse({
    zones: { "example.com": zoneIds.com, "example.org": zoneIds.org },
    names: { "app.example.com": {}, "api.example.org": { service: "api" } },
    ttl: { baseline: 3600, lowered: 60 },
    resolvers: ["192.0.2.53:53"],
    ...change,
  });
}
