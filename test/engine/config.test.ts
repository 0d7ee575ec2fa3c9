import { afterAll, beforeAll, expect, test } from "vitest";
import { startStack, withPack, type TestStack } from "../support/stack.ts";

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

test("every bad key is named in one message, without a stack trace, and nothing is created", async () => {
  await stack.set({
    phase: "go",
    bogus: "1",
    "database.backupRetentionDays": "seven",
    "dns.ttl.lowered": "5",
  });
  await stack.run("config", "set", "--plaintext", "databasePassword", "hunter2-in-plain-text");
  const result = await stack.up(...withPack);
  const text = result.errors.join("\n");
  expect(result.exitCode).not.toBe(0);
  for (const key of [
    "phase",
    "bogus",
    "database.backupRetentionDays",
    "dns.ttl.lowered",
    "databasePassword",
  ]) {
    expect(text).toContain(`cutover:${key}`);
  }
  expect(text).toContain("5 keys are wrong");
  expect(text).not.toContain("hunter2");
  expect(text).not.toMatch(/\bat .*:\d+:\d+/);
  expect(await stack.state()).toEqual([]);
});
