import { describe, expect, test } from "vitest";
import { identityConfig } from "../../../infra/identity/config.ts";
import { sampleIdentity, uri } from "./samples.ts";

test("a group that says nothing is one that asks for nothing", () => {
  expect(identityConfig.parse({})).toEqual({
    redirectUris: {},
    corsOrigins: [],
    certificates: {},
    adminRoles: [],
  });
});

test("legacy URIs are kept until the legacy system goes, unless another phase is named", () => {
  const { redirectUris } = sampleIdentity({ redirectUris: { google: { uris: [uri] } } });
  expect(redirectUris["google"]).toEqual({
    uris: [uri],
    legacyUris: [],
    keepLegacyUntil: "decommission",
  });
});

describe.each(["uris", "legacyUris"])("%s", (key) => {
  test.each([
    ["plain HTTP", "http://api.example.org/auth/callback"],
    ["an asterisk in its path", "https://api.example.org/*"],
    ["an asterisk in its host", "https://*.example.org/auth"],
    ["a fragment", "https://api.example.org/auth#done"],
    ["a comma", "https://api.example.org/a,b"],
    ["a space", "https://api.example.org/a b"],
    ["a password", "https://user:word@api.example.org/auth"],
    ["no host", "https://"],
    ["nothing in it", ""],
    ["another scheme", "myapp://callback"],
  ])("one with %s is refused", (_, bad) => {
    const client = { uris: [uri], [key]: [bad] };
    expect(identityConfig.safeParse({ redirectUris: { google: client } }).success).toBe(false);
  });
});

test.each([
  ["a path", "https://app.example.com/"],
  ["any page", "*"],
  ["a wildcard", "https://*.example.com"],
  ["plain HTTP", "http://app.example.com"],
  ["a port that browsers leave out", "https://app.example.com:443"],
  ["capital letters", "https://App.example.com"],
  ["nothing in it", ""],
])("an origin with %s is refused", (_, origin) => {
  expect(identityConfig.safeParse({ corsOrigins: [origin] }).success).toBe(false);
});

test.each([
  ["a client without a URI", { redirectUris: { google: { uris: [] } } }],
  ["a client whose name is no variable's", { redirectUris: { Google: { uris: [uri] } } }],
  [
    "a phase that nobody has",
    { redirectUris: { google: { uris: [uri], keepLegacyUntil: "later" } } },
  ],
  ["a certificate of nobody", { certificates: { "app.example.com": {} } }],
  ["a certificate of somebody unknown", { certificates: { "app.example.com": { kind: "other" } } }],
  ["a certificate for no host", { certificates: { "app example": { kind: "acm" } } }],
  ["a role without a name", { adminRoles: [""] }],
  ["a role that would look like two", { adminRoles: ["admin, owner"] }],
  ["a key that nothing reads", { origins: [] }],
])("%s is refused", (_, bad) => {
  expect(identityConfig.safeParse(bad).success).toBe(false);
});
