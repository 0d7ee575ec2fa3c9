import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { announcementType, writeFreezeType } from "../../infra/provider/type-tokens.ts";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

/** Stands where a secret does: in a webhook's path, and in what it answers. */
const canary = "canary-c41d7e";

const announcements = {
  team: "lower-ttl",
  maintenance: "freeze",
  completion: "live",
  incident: "rollback",
} as const;

let stack: TestStack;
let server: Server;
/** What the webhooks took, oldest first, with how things stood then. */
let taken: string[] = [];
/** Names of the webhooks that answer 500. */
const dead = new Set<string>();
const outputs: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const [, , name = ""] = (request.url ?? "").split("/");
    request.resume();
    request.on("end", () => {
      void answer(name).then((status) => response.writeHead(status).end(canary));
    });
  }).listen(0, "127.0.0.1");
  stack = await startStack();
  const { port } = server.address() as AddressInfo;
  for (const [name, on] of Object.entries(announcements)) {
    await stack.set({
      [`announcements.${name}.on`]: on,
      [`announcements.${name}.text`]: `This is about ${name}.`,
    });
    const url = `http://127.0.0.1:${String(port)}/${canary}/${name}`;
    const set = ["config", "set", "--secret", "--path", `cutover:webhooks.${name}`, url];
    expect((await stack.run(...set)).exitCode).toBe(0);
  }
  await stack.through("v1.0.0", "prepare", "lower-ttl");
  await stack.set({ phase: "cutover" });
});
afterAll(async () => {
  server.close();
  await stack.close();
});

test("a dead webhook stops a cutover before it freezes", async () => {
  expect(taken).toEqual(["team legacy off"]);
  dead.add("maintenance");
  const stopped = await up();
  expect(stopped.exitCode, told(stopped)).not.toBe(0);
  expect(stopped.errors.join("\n")).toContain("announcement maintenance was not taken");
  expect(stopped.errors.join("\n")).toContain("Writes are not frozen");
  expect(stopped.changes.map(({ type }) => type)).not.toContain(writeFreezeType);
  expect(await stack.writesFrozen()).toBe("off");
  expect(await stack.dnsAnswer()).toBe(stack.cloud.network.legacy);
  expect(taken).toEqual(["team legacy off"]);
});

test("a cutover announces before it freezes and once it is live, and each only once", async () => {
  dead.clear();
  taken = [];
  const moved = await up();
  expect(moved.exitCode, told(moved)).toBe(0);
  expect(taken).toEqual(["maintenance legacy off", "completion blue off"]);
  const state = (await stack.state()).filter(({ type }) => type === announcementType);
  expect(state.map(({ inputs }) => inputs)).toEqual([
    expect.objectContaining({ name: "completion", on: "live", release: "v1.0.0" }),
    expect.objectContaining({ name: "maintenance", on: "freeze", release: "v1.0.0" }),
  ]);

  const again = await up("--expect-no-changes");
  expect(again.exitCode, told(again)).toBe(0);
  await stack.through("v1.0.0", "observe");
  expect(taken).toHaveLength(2);
});

describe("after a second release", () => {
  beforeAll(() => stack.through("v1.1.0", "prepare", "lower-ttl", "cutover"));

  test("a dead webhook does not keep a rollback from moving traffic back", async () => {
    const { blue, green } = stack.cloud.network;
    expect(await stack.dnsAnswer()).toBe(green);
    taken = [];
    dead.add("incident");
    await stack.set({ release: "v1.0.0" });
    const stopped = await up();
    expect(stopped.exitCode, told(stopped)).not.toBe(0);
    expect(stopped.errors.join("\n")).toContain("The rollback is done and serves.");
    expect(await stack.dnsAnswer()).toBe(blue);
    expect(await stack.writesFrozen()).toBe("off");
    expect((await stack.ledger())?.now.release).toBe("v1.1.0");

    dead.clear();
    const mended = await up();
    expect(mended.exitCode, told(mended)).toBe(0);
    expect(taken).toEqual(["incident blue off"]);
    expect((await stack.ledger())?.now).toMatchObject({ release: "v1.0.0", serving: "blue" });
    await expectNoCanary();
  });
});

async function up(...args: string[]): ReturnType<TestStack["up"]> {
  const result = await stack.up(...withPack, ...args);
  outputs.push(told(result));
  return result;
}

async function answer(name: string): Promise<number> {
  if (dead.has(name)) return 500;
  const { network } = stack.cloud;
  const address = await stack.dnsAnswer();
  const [target] = Object.entries(network).find(([, value]) => value === address) ?? [];
  taken.push(`${name} ${String(target)} ${String(await stack.writesFrozen())}`);
  return 200;
}

/** Neither the state nor anything that was said holds a webhook's URL or what it answered. */
async function expectNoCanary(): Promise<void> {
  outputs.push((await stack.run("preview", "--json", ...withPack)).output);
  outputs.push((await stack.run("stack", "export")).output);
  const { folder } = stack.workspace;
  outputs.push(await readFile(join(folder, "Pulumi.production.yaml"), "utf8"));
  for (const entry of await readdir(join(folder, "state"), {
    recursive: true,
    withFileTypes: true,
  })) {
    if (entry.isFile()) outputs.push(await readFile(join(entry.parentPath, entry.name), "utf8"));
  }
  expect(outputs.some((text) => text.includes("This is about incident."))).toBe(true);
  expect(outputs.filter((text) => text.includes(canary)).length).toBe(0);
}
