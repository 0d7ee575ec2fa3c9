import { expect, test } from "vitest";
import { identityEnvironment, redirectUrisOf } from "../../../infra/identity/redirect-uris.ts";
import { identityFacts } from "../../../infra/identity/facts.ts";
import { phases, type Phase } from "../../../policies/contract/phase.ts";
import { sampleDns } from "../dns/sample.ts";
import { legacyUri, sampleIdentity, uri } from "./samples.ts";

const client = { uris: [uri], legacyUris: [legacyUri] };

test.each<[Phase, number]>([
  ["decommission", 5],
  ["finalize", 4],
  ["cutover", 2],
  ["prepare", 0],
])("legacy URIs that are kept until %s are told in the %i phases before it", (until, count) => {
  const told = phases.filter((phase) =>
    redirectUrisOf({ ...client, keepLegacyUntil: until }, phase).includes(legacyUri),
  );
  expect(told).toEqual(phases.slice(0, count));
});

test("the new URIs are told in every phase, before the legacy ones", () => {
  const told = phases.map((phase) =>
    redirectUrisOf({ ...client, keepLegacyUntil: "cutover" }, phase),
  );
  expect(told).toEqual([[uri, legacyUri], [uri, legacyUri], [uri], [uri], [uri], [uri]]);
});

test("services are told origins and redirect URIs as lists", () => {
  expect(identityEnvironment(sampleIdentity(), "cutover")).toEqual({
    CORS_ORIGINS: "https://app.example.com,https://admin.example.com:8443",
    OAUTH_REDIRECT_URIS_GOOGLE_WEB: `${uri},${legacyUri}`,
  });
  expect(identityEnvironment(sampleIdentity(), "decommission")).toMatchObject({
    OAUTH_REDIRECT_URIS_GOOGLE_WEB: uri,
  });
});

test("services are told nothing where the stack config says nothing", () => {
  expect(identityEnvironment(undefined, "cutover")).toEqual({});
  const none = sampleIdentity({ corsOrigins: [], redirectUris: {} });
  expect(identityEnvironment(none, "cutover")).toEqual({});
});

test("guards are told who issues the certificate of every name that moves, and what is told of logins", () => {
  const identity = sampleIdentity({
    certificates: { "app.example.com": { kind: "acm" }, "other.example.com": { kind: "acm" } },
  });
  expect(identityFacts({ identity, dns: sampleDns() }, "decommission")).toEqual({
    certificates: { "app.example.com": "acm", "api.example.org": "none" },
    redirects: { "google-web": { legacy: [legacyUri], told: [uri] } },
  });
});

test("without the group no name has a certificate", () => {
  expect(identityFacts({ dns: sampleDns() }, "cutover")).toEqual({
    certificates: { "app.example.com": "none", "api.example.org": "none" },
    redirects: {},
  });
});
