import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWriter } from "../../rehearsal/writer.ts";
import { host, startStack, told, withPack, type TestStack } from "../support/stack.ts";

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
  await stack.through("v1.0.0", "prepare", "lower-ttl");
});
afterAll(() => stack.close());

describe("a release", () => {
  test("is cut over: DNS moved, record written, freeze lifted, every acknowledged write there", async () => {
    const { resolver, network } = stack.cloud;
    const writer = await startWriter({ resolver, host, port: network.port });
    try {
      await stack.through("v1.0.0", "cutover");
    } finally {
      await writer.stop();
    }
    expect(await stack.dnsAnswer()).toBe(network.blue);
    expect(await stack.health("blue")).toMatchObject({ version: "1.0.0", slot: "blue" });
    expect(await stack.health("legacy")).toMatchObject({ version: "legacy" });
    expect(await stack.writesFrozen()).toBe("off");
    expect(await stack.ledger()).toMatchObject({
      now: { phase: "cutover", release: "v1.0.0", serving: "blue" },
      records: [
        {
          release: { version: "v1.0.0" },
          dnsBefore: [{ name: host, content: network.legacy, ttlSeconds: 60 }],
          snapshot: expect.stringMatching(/^flagship-production-v1-0-0-/) as string,
        },
      ],
    });
    const { acknowledged, lost, takenBy } = await writer.verify(await stack.connection());
    expect(acknowledged).toBeGreaterThan(0);
    expect(lost).toBe(0);
    expect(Object.keys(takenBy)).toContain(network.legacy);
  });

  test("run again changes nothing", async () => {
    const result = await stack.up(...withPack);
    expect(result.exitCode, told(result)).toBe(0);
    expect(result.changes).toEqual([]);
  });

  test("is followed by the next one in the other slot", async () => {
    await stack.through("v1.0.0", "observe");
    await stack.through("v1.1.0", "prepare", "lower-ttl", "cutover");
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.green);
    expect(await stack.health("green")).toMatchObject({ version: "1.1.0", slot: "green" });
    expect(await stack.health("blue")).toMatchObject({ version: "1.0.0" });
  });

  test("cannot be gone back to past the probes, even with every guard aimed at", async () => {
    await stack.set({ release: "v1.0.0" });
    const aims = [
      ...["entry", "data", "switch"].map((name) => `cutover:index:Guard::${name}`),
      `cutover:dns:DnsRecords$cloudflare:index/dnsRecord:DnsRecord::dns-${host}`,
    ];
    const result = await stack.up(
      ...withPack,
      ...aims.flatMap((aim) => ["--target", `urn:pulumi:production::cutover::${aim}`]),
    );
    expect(result.exitCode).not.toBe(0);
    expect(told(result)).toMatch(/stands behind probe-api,\s+which was not passed in this run/);
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.green);
  });

  test("can be gone back to by its version alone", async () => {
    await stack.run("config", "set", "release", "v1.0.0");
    const result = await stack.up(...withPack);
    expect(result.exitCode, told(result)).toBe(0);
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.blue);
    expect(await stack.ledger()).toMatchObject({
      now: { release: "v1.0.0", serving: "blue" },
      records: [{ direction: "forward" }, { direction: "forward" }, { direction: "rollback" }],
    });
    expect(await stack.writesFrozen()).toBe("off");
  });

  test("that nobody recorded is refused with the list of recorded ones", async () => {
    const before = await stack.state();
    await stack.set({ release: "v9.9.9" });
    const result = await stack.up(...withPack);
    expect(result.exitCode).not.toBe(0);
    expect(result.errors.join("\n")).toContain("v9.9.9");
    expect(result.errors.join("\n")).toContain("a recorded release (v1.0.0, v1.1.0)");
    expect(result.errors.join("\n")).not.toMatch(/\bat .*:\d+:\d+/);
    expect(await stack.state()).toEqual(before);
    await stack.set({ release: "v1.0.0" });
  });

  test("empties the old slot in finalize, and removes the legacy system in decommission", async () => {
    await stack.through("v1.0.0", "observe", "finalize");
    expect(await stack.health("green")).toBeNull();
    expect(await stack.health("legacy")).toMatchObject({ version: "legacy" });
    await stack.through("v1.0.0", "decommission");
    expect(await stack.health("legacy")).toBeNull();
    expect(await stack.health("blue")).toMatchObject({ version: "1.0.0" });
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.blue);
    const types = (await stack.state()).map(({ type }) => type);
    expect(types).toContain("aws:rds/snapshot:Snapshot");
  });

  test("leaves no secret in state, events or messages", async () => {
    const password = (await stack.run("config", "get", "databasePassword")).output.trim();
    const { output } = await stack.run("stack", "export");
    const preview = await stack.preview(...withPack);
    expect(password.length).toBeGreaterThan(12);
    expect(output).not.toContain(password);
    expect(told(preview)).not.toContain(password);
  });
});
