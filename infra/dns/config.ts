import { z } from "zod";
import { cloudflareId, key, tableName } from "../config-key.ts";

const seconds = z.number().int().min(60).max(86_400);

// Cloudflare gives names back in small letters and without the last dot: another form would differ for ever.
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/** The full name of a host. */
const host = z
  .string()
  .max(253)
  .regex(new RegExp(`^(?:${label}\\.)+${label}$`))
  .meta({ description: "a full host name in small letters, such as app.example.com" });

/** The full name of a record, which may be no host: `_dmarc.example.com`, `*.example.com`. */
const recordName = z
  .string()
  .max(253)
  .regex(
    /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/,
  );

const server = z.string().regex(/^[\d.]+:\d+$/);

const adopted = key(
  cloudflareId.optional(),
  "the id of the record that exists already; without it the stack makes one",
  "0123…cdef",
);

/** A host name that moves with the release. */
const movedName = z.strictObject({
  service: key(tableName.default("web"), "the service that answers there", "web"),
  // It becomes the record's comment, of which Cloudflare keeps 100 characters on every plan.
  proxied: key(
    z.string().min(1).max(100).optional(),
    "why the name is proxied, at most 100 characters: then its TTL cannot be set, and its TTL phases are skipped",
    "the proxy hides the origin; its edge follows a change at once",
  ),
  adopt: adopted,
});

/** A record that stays as it is. */
const keptRecord = z.strictObject({
  name: key(recordName, "a full name in small letters", "example.com"),
  type: key(
    z.enum(["A", "AAAA", "CNAME", "TXT", "CAA", "MX", "NS"]),
    "one of A, AAAA, CNAME, TXT, CAA, MX, NS",
    "TXT",
  ),
  content: key(
    z.string().min(1).optional(),
    "what it answers, as the zone shows it",
    "v=spf1 -all",
  ),
  caa: z
    .strictObject({
      flags: key(z.number().int().min(0).max(255), "0 to 255", "0"),
      tag: key(z.enum(["issue", "issuewild", "iodef"]), "issue, issuewild or iodef", "issue"),
      value: key(z.string().min(1), "the value of a CAA record", "letsencrypt.org"),
    })
    .optional(),
  priority: key(z.number().int().min(0).max(65_535).optional(), "of an MX record", "10"),
  ttl: key(seconds.or(z.literal(1)), "seconds, 60 to 86400, or 1 for automatic", "3600"),
  proxied: key(z.boolean().default(false), "true or false: whether the proxy answers", "false"),
  adopt: adopted,
});

/** The group `dns`. */
export const dnsConfig = z.strictObject({
  zones: key(
    z.record(host, key(cloudflareId, "a Cloudflare zone id", "0123…cdef")),
    "zone ids by the zone's name",
    "",
  ),
  names: key(z.record(host, movedName), "host names that move together, each with its service", ""),
  kept: z.array(keptRecord).default([]),
  ttl: z.strictObject({
    baseline: key(seconds, "seconds, 60 to 86400", "3600"),
    lowered: key(seconds, "seconds, 60 to 86400", "60"),
  }),
  resolvers: key(z.array(server).min(1), "a list of resolvers as address:port", "1.1.1.1:53"),
  authorities: key(
    z.array(server).min(1).optional(),
    "the name servers in charge as address:port; without it they are found in DNS",
    "192.0.2.53:53",
  ),
});

/** The DNS of the stack config. */
export type DnsConfig = z.infer<typeof dnsConfig>;

/** A record of the stack config that stays as it is. */
export type KeptRecord = z.infer<typeof keptRecord>;
