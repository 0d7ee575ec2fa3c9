import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { host, startStack, told, withPack, type TestStack } from "../support/stack.ts";

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
  await stack.through("v1.0.0", "prepare", "lower-ttl");
  // Something to change for every resource that a run may aim at: the phase moves DNS, the deadline changes a service.
  await stack.set({ phase: "cutover", "deadlines.healthSeconds": "61" });
});
afterAll(() => stack.close());

const record = `cutover:dns:DnsRecords$cloudflare:index/dnsRecord:DnsRecord::dns-${host}`;
const service = "cutover:services:Service$docker:index/container:Container::legacy-container";
const guard = "cutover:index:Guard::entry";
const aimedPast =
  /stands behind the \w+ guard,\s+which was not passed in this run|this run leaves it out/;
const noPack = /no policy pack judged this run/;

describe("a cutover that goes around the guard changes nothing", () => {
  test.each([
    ["without the pack", [], noPack],
    ["without the pack and without a preview", ["--skip-preview"], noPack],
    ["aimed at the DNS record", ["--target", urn(record)], aimedPast],
    ["aimed at the DNS record, with the pack", ["--target", urn(record), ...withPack], aimedPast],
    ["aimed at a service", ["--target", urn(service)], aimedPast],
    ["aimed at a service, with the pack", ["--target", urn(service), ...withPack], aimedPast],
    [
      "aimed at a service, without a preview",
      ["--target", urn(service), ...withPack, "--skip-preview"],
      aimedPast,
    ],
    [
      "leaving the guard out",
      ["--exclude", urn(guard)],
      /no policy pack judged|stands behind the entry guard/,
    ],
    ["leaving the guard out, with the pack", ["--exclude", urn(guard), ...withPack], aimedPast],
    [
      "leaving the guard out, without a preview",
      ["--exclude", urn(guard), "--skip-preview"],
      /no policy pack judged|stands behind the entry guard/,
    ],
  ])("%s", async (_, args, reason) => {
    const before = await everything();
    const result = await stack.up(...args);
    expect(result.exitCode, told(result)).not.toBe(0);
    expect(told(result)).toMatch(reason);
    expect(result.changes.filter(({ failed }) => !failed)).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  test("a preview without the pack says so too", async () => {
    const result = await stack.preview();
    expect(result.exitCode).not.toBe(0);
    expect(result.errors.join("\n")).toMatch(/--policy-pack policies/);
  });
});

/** All that a cutover could have changed. */
async function everything() {
  return {
    state: await stack.state(),
    dns: await stack.dnsAnswer(),
    blue: await stack.health("blue"),
    legacy: await stack.health("legacy"),
    writes: await stack.writesFrozen(),
  };
}

function urn(rest: string): string {
  return `urn:pulumi:production::cutover::${rest}`;
}
