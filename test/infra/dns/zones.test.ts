import { expect, test } from "vitest";
import { knownZone, zoneOf } from "../../../infra/dns/zones.ts";
import { zoneIds } from "./sample.ts";

const zones = { "example.com": zoneIds.com, "inner.example.com": zoneIds.inner };

test.each([
  ["a name", "app.example.com", "example.com"],
  ["a name far below", "a.b.c.example.com", "example.com"],
  ["the apex", "example.com", "example.com"],
  ["a name in a zone within a zone", "app.inner.example.com", "inner.example.com"],
  ["the apex of a zone within a zone", "inner.example.com", "inner.example.com"],
  ["a service's name", "_dmarc.example.com", "example.com"],
])("%s is in the nearest zone: %s in %s", (_, name, zone) => {
  expect(zoneOf(name, zones)?.name).toBe(zone);
  expect(zoneOf(name, Object.fromEntries(Object.entries(zones).toReversed()))?.name).toBe(zone);
});

test("a zone comes with its id", () => {
  expect(knownZone("app.inner.example.com", zones)).toEqual({
    name: "inner.example.com",
    id: zoneIds.inner,
  });
});

test.each([
  ["another domain", "example.org"],
  ["a name that only ends alike", "notexample.com"],
  ["the level above", "com"],
])("%s is in no zone", (_, name) => {
  expect(zoneOf(name, zones)).toBeUndefined();
  expect(() => knownZone(name, zones)).toThrow(name);
});

test("where there are no zones, no name is in one", () => {
  expect(zoneOf("app.example.com", {})).toBeUndefined();
});
