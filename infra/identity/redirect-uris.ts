import { phases, type Phase } from "../../policies/contract/phase.ts";
import { variable } from "../services/neighbour.ts";
import type { IdentityConfig, OAuthClient } from "./config.ts";

/** The redirect URIs that services accept of a client in a phase: the legacy ones until the phase that takes them away. */
export function redirectUrisOf(
  { uris, legacyUris, keepLegacyUntil }: OAuthClient,
  phase: Phase,
): string[] {
  const isKept = phases.indexOf(phase) < phases.indexOf(keepLegacyUntil);
  return isKept ? [...uris, ...legacyUris] : [...uris];
}

/** The environment variable that tells a service the redirect URIs of a client. */
function redirectVariable(client: string): string {
  return `OAUTH_REDIRECT_URIS_${variable(client)}`;
}

/**
 * What a service that is started in a phase is told: lists joined with a comma, as `CORS_ORIGINS` and `OAUTH_REDIRECT_URIS_<CLIENT>`.
 *
 * @returns nothing of what the stack config does not say
 */
export function identityEnvironment(
  identity: IdentityConfig | undefined,
  phase: Phase,
): Record<string, string> {
  const { corsOrigins = [], redirectUris = {} } = identity ?? {};
  return {
    ...(corsOrigins.length === 0 ? {} : { CORS_ORIGINS: corsOrigins.join(",") }),
    ...Object.fromEntries(
      Object.entries(redirectUris).map(([name, client]) => [
        redirectVariable(name),
        redirectUrisOf(client, phase).join(","),
      ]),
    ),
  };
}
