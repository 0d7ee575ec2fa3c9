import type { IdentityFacts } from "../../policies/contract/facts.ts";
import type { Phase } from "../../policies/contract/phase.ts";
import type { DnsConfig } from "../dns/config.ts";
import type { IdentityConfig } from "./config.ts";
import { redirectUrisOf } from "./redirect-uris.ts";

/** What the guards are told of certificates and redirect URIs, of a system without the group `identity` too. */
export function identityFacts(
  { identity, dns }: { readonly identity?: IdentityConfig | undefined; readonly dns: DnsConfig },
  phase: Phase,
): IdentityFacts {
  const { certificates = {}, redirectUris = {} } = identity ?? {};
  return {
    certificates: Object.fromEntries(
      Object.keys(dns.names).map((host) => [host, certificates[host]?.kind ?? "none"]),
    ),
    redirects: Object.fromEntries(
      Object.entries(redirectUris).map(([name, client]) => [
        name,
        { legacy: client.legacyUris, told: redirectUrisOf(client, phase) },
      ]),
    ),
  };
}
