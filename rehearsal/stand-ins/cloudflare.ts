import type { ProviderDefinition } from "../../infra/provider/serve.ts";
import { d1DatabaseType } from "./cloudflare/d1.ts";
import { dnsRecords, dnsRecordType } from "./cloudflare/dns-record.ts";
import { r2Types } from "./cloudflare/r2.ts";
import { notImitated } from "./refusal.ts";
import type { Store } from "./store.ts";

export { dnsRecords };

/** The provider `cloudflare` on local means: DNS records that a real name server serves, R2 and D1. */
export function openCloudflare(store: Store): ProviderDefinition {
  return {
    name: "cloudflare",
    version: "6.22.1",
    types: {
      "cloudflare:index/dnsRecord:DnsRecord": dnsRecordType(dnsRecords(store)),
      "cloudflare:index/d1Database:D1Database": d1DatabaseType(store),
      ...r2Types(store),
    },
    unsupported: notImitated,
  };
}
