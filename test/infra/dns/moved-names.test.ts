import { expect, test } from "vitest";
import { movedNames } from "../../../infra/dns/moved-names.ts";
import type { StateResource } from "../../../infra/release/replaced.ts";
import { sampleConfig } from "../../support/config.ts";
import { stackWith } from "../release/samples.ts";

const name = "app.example.com";
const { plan, run } = stackWith();
const config = sampleConfig();
const from = config.legacy?.address ?? "";
const to = config.slots?.blue ?? "";
const ready = run(["prepare", "lower-ttl"], "v1.0.0");

function record(content: unknown, more: object = {}): StateResource {
  const outputs = { name, type: "A", content, ...more };
  return { type: "cloudflare:index/dnsRecord:DnsRecord", name: `dns-${name}`, outputs };
}

test("a cutover that comes again knows the names that it has moved", () => {
  const first = plan("cutover", "v1.0.0", ready);
  expect(movedNames(first, config, [record(to)])).toEqual({ [name]: { from, to } });
  const again = plan("cutover", "v1.0.0", run(["cutover"], "v1.0.0", ready));
  expect(movedNames(again, config, [record(to)])).toEqual({ [name]: { from, to } });
});

test.each<readonly [string, readonly StateResource[]]>([
  ["the record still leads to where it led", [record(from)]],
  ["the record leads elsewhere", [record("203.0.113.99")]],
  ["there is no record", []],
  ["the record is another name's", [record(to, { name: "other.example.com" })]],
  ["the record is of another type", [record(to, { type: "TXT" })]],
  ["the record says nothing", [record(undefined)]],
])("none when %s", (_, resources) => {
  expect(movedNames(plan("cutover", "v1.0.0", ready), config, resources)).toEqual({});
});

test("none in a phase that moves nothing", () => {
  const live = run(["cutover"], "v1.0.0", ready);
  expect(movedNames(plan("observe", "v1.0.0", live), config, [record(to)])).toEqual({});
});
