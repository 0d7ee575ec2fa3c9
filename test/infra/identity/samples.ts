import { identityConfig, type IdentityConfig } from "../../../infra/identity/config.ts";
import type { IdentityKeys } from "../../../infra/identity/relations.ts";
import { sampleConfig } from "../../support/config.ts";
import { sampleDns } from "../dns/sample.ts";

/** A redirect URI of the new system and one of the old. */
export const uri = "https://api.example.org/auth/callback";
export const legacyUri = "https://old.example.net/auth/callback";

/** A group `identity` that is fine, with some other keys. */
export function sampleIdentity(change: object = {}): IdentityConfig {
  return identityConfig.parse({
    redirectUris: { "google-web": { uris: [uri], legacyUris: [legacyUri] } },
    corsOrigins: ["https://app.example.com", "https://admin.example.com:8443"],
    certificates: { "app.example.com": { kind: "acm" }, "api.example.org": { kind: "external" } },
    adminRoles: ["admin", "Platform Owner"],
    ...change,
  });
}

/** A stack config whose identity is fine, with another `identity` or other keys. */
export function sampleKeys(
  identity: object = {},
  change: Partial<IdentityKeys> = {},
): IdentityKeys {
  return { ...sampleConfig({ dns: sampleDns() }), identity: sampleIdentity(identity), ...change };
}
