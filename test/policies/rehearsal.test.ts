import { expect, test } from "vitest";
import { isRehearsal } from "../../policies/rehearsal.ts";

const attached = (list: string | undefined) => isRehearsal({ PULUMI_DEBUG_PROVIDERS: list });

test.each([
  "aws:4001,cloudflare:4002,docker:4003",
  "docker:1,aws:65535,cutover:4000,cloudflare:4002",
])("a rehearsal: %s", (list) => {
  expect(attached(list)).toBe(true);
});

test.each([
  undefined,
  "",
  "aws:4001,cloudflare:4002",
  "aws:4001,cloudflare:4002,docker",
  "aws:4001,cloudflare:4002,docker:",
  "aws:4001,cloudflare:4002,docker:0",
  "aws:4001,cloudflare:4002,docker:65536",
  "aws:4001,cloudflare:4002,docker:-1",
  "aws:4001,cloudflare:4002,docker:40x",
  "aws:4001, cloudflare:4002,docker:4003",
  "aws-native:4001,cloudflare:4002,docker:4003",
  // The engine goes by the first entry of a name, and an empty port means the real provider.
  "aws:,aws:4001,cloudflare:4002,docker:4003",
])("not a rehearsal: %s", (list) => {
  expect(attached(list)).toBe(false);
});
