import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { host, startStack, told, withPack, type TestStack } from "../support/stack.ts";

const gate = "nothing-replaced";
const secondHost = "www.example.com";
/** What the edits change in the stack's file, as it was when the stack was prepared. */
const before = new Map<string, unknown>();

let stack: TestStack;

beforeAll(async () => {
  stack = await startStack();
  const names = { [host]: { service: "web" }, [secondHost]: { service: "web" } };
  const certificates = { [host]: { kind: "external" }, [secondHost]: { kind: "external" } };
  await stack.workspace.change("dns", { ...group("dns"), names });
  await stack.workspace.change("identity", { certificates });
  await stack.through("v1.0.0", "prepare");
  for (const name of ["database", "buckets", "dns"]) before.set(name, group(name));
});
afterAll(() => stack.close());

/** An edit of the stack config, and what the gate says of it. */
interface Edit {
  readonly what: string;
  readonly make: () => Record<string, unknown>;
  /** A part of each reason. */
  readonly said: readonly string[];
}

const replacing: readonly Edit[] = [
  {
    what: "the database's identifier and user",
    make: () => ({ database: { ...group("database"), identifier: "another", username: "other" } }),
    said: [
      "identifier of database another would replace it",
      "set cutover:database.identifier back to what it was",
      "username of database another would replace it",
      "set cutover:database.username back to what it was",
    ],
  },
  {
    what: "a bucket's name, and the zone of the records",
    make: () => ({
      buckets: {
        ...group("buckets"),
        documents: { ...part("buckets", "documents"), name: "another-bucket" },
      },
      dns: { ...group("dns"), zones: { "example.com": "f".repeat(32) } },
    }),
    said: [
      "bucket of bucket documents would replace it",
      "set cutover:buckets.documents.name back to what it was",
      `zoneId of record ${host} would replace it`,
      "zoneId of record CAA of example.com would replace it",
      "set cutover:dns.zones back to what it was",
    ],
  },
];

const dropping: readonly Edit[] = [
  {
    what: "a bucket, a host name and a kept record",
    make: () => {
      const { documents: _dropped, ...buckets } = group("buckets");
      const dns = { ...group("dns"), names: { [host]: { service: "web" } }, kept: [] };
      return { buckets, dns };
    },
    said: [
      "bucket documents-bucket is no longer declared",
      `record dns-${secondHost} is no longer declared`,
      "record dns-kept-example.com-caa-",
    ],
  },
];

describe.each([
  ["replaces", replacing],
  ["drops", dropping],
])("an edit that %s", (_, edits) => {
  afterEach(async () => {
    for (const [name, value] of before) await stack.workspace.change(name, value);
  });

  test.each(
    edits.flatMap((edit) => [
      { ...edit, command: "preview" },
      { ...edit, command: "up --skip-preview" },
    ]),
  )("$what is refused, $command, and nothing is changed", async ({ make, said, command }) => {
    const state = await stack.state();
    for (const [name, value] of Object.entries(make())) await stack.workspace.change(name, value);
    const result =
      command === "preview"
        ? await stack.preview(...withPack)
        : await stack.up(...withPack, "--skip-preview");
    expect(result.exitCode, told(result)).not.toBe(0);
    const reasons = result.violations.filter(
      (violation) => violation.gate === gate && violation.level === "mandatory",
    );
    const text = reasons.map(({ message }) => message.replaceAll(/\s+/g, " ")).join("\n");
    for (const part of said) expect(text).toContain(part);
    expect(await stack.state()).toEqual(state);
    expect(await stack.dnsAnswer()).toBe(stack.cloud.network.legacy);
  });
});

test("put back, the same config changes nothing", async () => {
  const result = await stack.up(...withPack, "--skip-preview", "--expect-no-changes");
  expect(result.exitCode, told(result)).toBe(0);
  expect(result.changes).toEqual([]);
});

/** A group of the stack config, as the stack's file has it now. */
function group(name: string): Record<string, unknown> {
  const value = stack.workspace.current(name);
  return (value as { toJSON(): Record<string, unknown> }).toJSON();
}

function part(name: string, row: string): object {
  return group(name)[row] as object;
}
