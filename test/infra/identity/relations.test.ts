import { expect, test } from "vitest";
import type { dnsConfig } from "../../../infra/dns/config.ts";
import { identityRelations } from "../../../infra/identity/relations.ts";
import type { z } from "zod";
import { r2, s3 } from "../buckets/samples.ts";
import { sampleDns } from "../dns/sample.ts";
import { legacyUri, sampleKeys, uri } from "./samples.ts";

type Kept = NonNullable<z.input<typeof dnsConfig>["kept"]>;

function client(change: object): object {
  return { redirectUris: { google: { uris: [uri], legacyUris: [legacyUri], ...change } } };
}

function foundIn(identity: object, change: object = {}): string[] {
  return identityRelations(sampleKeys(identity, change)).map(
    ({ where, found }) => `${where}: ${found}`,
  );
}

test("what fits together has no problem, and nor has a system without the group", () => {
  expect(foundIn({})).toEqual([]);
  expect(identityRelations({ ...sampleKeys(), identity: undefined })).toEqual([]);
});

test("a redirect URI ends in a zone of the stack", () => {
  const outside = "https://example.net/auth";
  expect(identityRelations(sampleKeys(client({ uris: [uri, outside] })))).toEqual([
    {
      where: "cutover:identity.redirectUris.google.uris",
      found: `${outside}, whose host is in no zone`,
      required: "a host in one of example.com, example.org",
      todo: "correct it there, or add its zone to cutover:dns.zones",
    },
  ]);
  // A name that only ends with the same letters is another's.
  expect(foundIn(client({ uris: ["https://notexample.com/auth"] }))).toHaveLength(1);
  expect(foundIn(client({ uris: ["https://example.com/auth"] }))).toEqual([]);
});

test("a legacy URI is no new one", () => {
  expect(foundIn(client({ legacyUris: [legacyUri, uri] }))).toEqual([
    `cutover:identity.redirectUris.google.legacyUris: ${uri}, which is in uris as well`,
  ]);
});

test("legacy URIs go in a phase that the system has", () => {
  const change = { legacy: undefined };
  expect(identityRelations(sampleKeys(client({}), change))).toEqual([
    {
      where: "cutover:identity.redirectUris.google.keepLegacyUntil",
      found: "decommission, a phase that this system does not have",
      required: "one of prepare, lower-ttl, cutover, observe, finalize",
      todo: "pulumi config set --path 'cutover:identity.redirectUris.google.keepLegacyUntil' 'finalize'",
    },
  ]);
  expect(foundIn(client({ keepLegacyUntil: "finalize" }), change)).toEqual([]);
  expect(foundIn(client({ legacyUris: [] }), change)).toEqual([]);
});

test.each(["acm", "external"])("a certificate of kind %s is for a host in a zone", (kind) => {
  expect(foundIn({ certificates: { "app.example.net": { kind } } })).toEqual([
    'cutover:identity.certificates["app.example.net"]: a certificate for a host in no zone',
  ]);
});

test.each<[string, Kept, boolean]>([
  ["nobody said who may issue", [], true],
  ["the zone lets Amazon issue", [caa("example.com", "amazon.com")], true],
  ["the zone lets only others issue", [caa("example.com", "letsencrypt.org")], false],
  [
    "the zone lets both issue",
    [caa("example.com", "letsencrypt.org"), caa("example.com", "awstrust.com")],
    true,
  ],
  ["the zone lets nobody issue", [caa("example.com", ";")], false],
  ["another zone lets only others issue", [caa("example.org", "letsencrypt.org")], true],
  ["only wildcards are spoken of", [caa("example.com", "letsencrypt.org", "issuewild")], true],
  [
    "the host itself says otherwise",
    [caa("example.com", "letsencrypt.org"), caa("app.example.com", "amazonaws.com")],
    true,
  ],
])("ACM and CAA: %s", (_, kept, isFine) => {
  const found = foundIn({}, { dns: sampleDns({ kept }) });
  expect(found).toHaveLength(isFine ? 0 : 1);
  expect(found.every((text) => text.includes("CAA records of cutover:dns.kept"))).toBe(true);
});

test("CAA records do not matter to certificates that others issue", () => {
  const dns = sampleDns({ kept: [caa("example.com", "letsencrypt.org")] });
  expect(foundIn({ certificates: { "app.example.com": { kind: "external" } } }, { dns })).toEqual(
    [],
  );
});

test.each(["CORS_ORIGINS", "OAUTH_REDIRECT_URIS_GOOGLE_WEB"])(
  "%s is said in one place",
  (variable) => {
    const { services } = sampleKeys();
    const { api } = services as Required<typeof services>;
    const own = { ...services, api: { ...api, env: { [variable]: "https://app.example.com" } } };
    expect(foundIn({}, { services: own })).toEqual([
      `cutover:services.api.env.${variable}: a value, but cutover:identity says it as well`,
    ]);
    const image = `registry.example.com/proxy@sha256:${"0".repeat(64)}`;
    const platform = { ...services, api: { ...own.api, image } };
    expect(foundIn({}, { services: platform })).toEqual([]);
  },
);

test("a variable that identity does not say is the service's own", () => {
  const { services } = sampleKeys();
  const { api } = services as Required<typeof services>;
  const own = { ...services, api: { ...api, env: { CORS_ORIGINS: "https://app.example.com" } } };
  expect(foundIn({ corsOrigins: [] }, { services: own })).toEqual([]);
});

test.each([
  ["S3", s3({ cors: true })],
  ["R2", r2({ cors: true })],
])("a bucket in %s that pages use needs origins", (_, documents) => {
  expect(foundIn({}, { buckets: { documents } })).toEqual([]);
  const problems = [
    identityRelations(sampleKeys({ corsOrigins: [] }, { buckets: { documents } })),
    identityRelations({ ...sampleKeys({}, { buckets: { documents } }), identity: undefined }),
  ];
  for (const found of problems) {
    expect(found).toEqual([
      {
        where: "cutover:identity.corsOrigins",
        found: "no origin, but the bucket documents has cors",
        required: "the origins whose pages may use the bucket",
        todo: "pulumi config set --path 'cutover:identity.corsOrigins[0]' 'https://app.example.com'",
      },
    ]);
  }
});

function caa(name: string, value: string, tag: "issue" | "issuewild" = "issue"): Kept[number] {
  return { name, type: "CAA", caa: { flags: 0, tag, value }, ttl: 3600 };
}
