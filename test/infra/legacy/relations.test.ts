import { expect, test } from "vitest";
import { legacyConfig } from "../../../infra/legacy/config.ts";
import { legacyPortSaid, legacyRelations } from "../../../infra/legacy/relations.ts";
import { r2 } from "../buckets/samples.ts";

const d1 = { accountId: "0123456789abcdef0123456789abcdef", name: "old", exportTo: "exports" };
const legacy = legacyConfig.parse({
  address: "203.0.113.30",
  image: `registry.example.com/app@sha256:${"0".repeat(64)}`,
  d1,
});
const exports = r2({ name: "exports" });

test("an export needs a bucket to go to", () => {
  expect(legacyRelations({ legacy, buckets: { exports } })).toEqual([]);
  expect(legacyRelations({ legacy, buckets: { other: exports } })).toEqual([
    {
      where: "cutover:legacy.d1.exportTo",
      found: "exports, which is no bucket",
      required: "a name in cutover:buckets: other",
      todo: "add exports to cutover:buckets",
    },
  ]);
  expect(legacyRelations({ legacy, buckets: {} })[0]?.required).toMatch(/none yet$/);
});

test("a system without a D1 database exports nothing", () => {
  expect(legacyRelations({ legacy: undefined, buckets: {} })).toEqual([]);
  const { d1: _none, ...plain } = legacy;
  expect(legacyRelations({ legacy: plain, buckets: {} })).toEqual([]);
});

test("the legacy system says its port where names lead to several", () => {
  const names = { "a.example.com": { service: "api" }, "b.example.com": { service: "web" } };
  const services = { api: { port: 8080 }, web: { port: 8081 } };
  const said = { legacy: { ...legacy, port: 8080 }, dns: { names }, services };

  expect(legacyPortSaid({ legacy, dns: { names }, services })).toEqual([
    {
      where: "cutover:legacy.port",
      found: "nothing, and names lead to the ports 8080, 8081",
      required: "the TCP port of the legacy system",
      todo: expect.stringContaining("legacy.port") as unknown,
    },
  ]);
  expect(legacyPortSaid(said)).toEqual([]);
  expect(legacyPortSaid({ ...said, legacy: undefined })).toEqual([]);
  expect(
    legacyPortSaid({ legacy, dns: { names }, services: { ...services, web: { port: 8080 } } }),
  ).toEqual([]);
});

test("a D1 database says where its last export goes", () => {
  const { exportTo: _none, ...without } = d1;
  expect(legacyConfig.safeParse({ ...legacy, d1: without }).success).toBe(false);
});
