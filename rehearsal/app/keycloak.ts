import { image } from "./environment.ts";
import type { Reply, Role } from "./roles.ts";

/** An identity provider, as far as others see that it is there: the discovery document of each realm, and health. */
export function keycloakRole(): Role {
  return {
    problem: () => Promise.resolve(undefined),
    figures: () => Promise.resolve({}),
    page(path, host) {
      if (path === "/health/ready") return ready();
      const [, realm] = /^\/realms\/([\w-]+)\/\.well-known\/openid-configuration$/.exec(path) ?? [];
      return realm === undefined ? undefined : discovery(realm, host);
    },
    drain: () => Promise.resolve(),
  };
}

function ready(): Reply {
  return image.faults.unhealthy === true
    ? { status: 503, body: { status: "DOWN", checks: [] } }
    : { status: 200, body: { status: "UP", checks: [] } };
}

function discovery(realm: string, host: string): Reply {
  if (!image.realms.includes(realm)) {
    return { status: 404, body: { error: "Realm does not exist" } };
  }
  const issuer = `${process.env["KC_HOSTNAME"] ?? `http://${host}`}/realms/${realm}`;
  const protocol = `${issuer}/protocol/openid-connect`;
  return {
    status: 200,
    body: {
      issuer,
      authorization_endpoint: `${protocol}/auth`,
      token_endpoint: `${protocol}/token`,
      userinfo_endpoint: `${protocol}/userinfo`,
      end_session_endpoint: `${protocol}/logout`,
      jwks_uri: `${protocol}/certs`,
      grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
      response_types_supported: ["code"],
      subject_types_supported: ["public", "pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
      code_challenge_methods_supported: ["S256"],
    },
  };
}
