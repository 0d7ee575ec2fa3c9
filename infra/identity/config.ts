import { z } from "zod";
import { phases } from "../../policies/contract/phase.ts";
import { hostName, key, tableName } from "../config-key.ts";

/** A comma parts them in a list, and an asterisk would let a login end at an address that nobody has looked at. */
const redirectUri = z.string().refine((text) => isHttps(text) && !/[\s,*#]/.test(text));

const redirectUris = z.array(redirectUri);

const httpsForm = "https:// URLs without *, # and comma";

const client = z.strictObject({
  uris: key(
    redirectUris.min(1),
    `where a login may end, ${httpsForm}`,
    "https://api.example.com/auth/callback",
  ),
  legacyUris: key(
    redirectUris.default([]),
    `where a login of the old system ends, ${httpsForm}`,
    "https://old.example.com/auth/callback",
  ),
  keepLegacyUntil: key(
    z.enum(phases).default("decommission"),
    `the phase that takes them away, one of ${phases.join(", ")}`,
    "decommission",
  ),
});

const certificate = z.strictObject({
  kind: key(
    z.enum(["acm", "external"]),
    "acm for one that the stack asks AWS for, external for one that others issue",
    "external",
  ),
});

/** The group `identity`: where a login may end, whose pages may read answers, who issues certificates, who may do what. */
export const identityConfig = z.strictObject({
  redirectUris: key(
    z.record(tableName, client).default({}),
    "OAuth clients by name, each with its redirect URIs",
    "",
  ),
  corsOrigins: key(
    z.array(z.string().refine(isOrigin)).default([]),
    "https:// origins without a path, in small letters and without *",
    "https://app.example.com",
  ),
  certificates: key(
    z.record(hostName, certificate).default({}),
    "host names, each with who issues its certificate",
    "",
  ),
  adminRoles: key(
    z.array(z.string().regex(/^[A-Za-z][\w -]{0,62}$/)).default([]),
    "names of the roles that may administer, of letters, digits, spaces, hyphens and underscores",
    "admin",
  ),
});

/** The identity edges of the stack config. */
export type IdentityConfig = z.infer<typeof identityConfig>;

/** An OAuth client of the stack config. */
export type OAuthClient = IdentityConfig["redirectUris"][string];

function isHttps(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === "https:" && username === "" && password === "";
}

/** A browser sends an origin in this form only, so any other never matches. */
function isOrigin(text: string): boolean {
  return isHttps(text) && new URL(text).origin === text && !text.includes("*");
}
