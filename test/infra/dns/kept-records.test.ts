import { expect, test } from "vitest";
import { KeptRecords } from "../../../infra/dns/kept-records.ts";
import { firstStep } from "../../support/declared.ts";
import { registeredRecords, type RegisteredRecord } from "./registered.ts";
import { sampleDns, zoneIds } from "./sample.ts";

type Kept = NonNullable<Parameters<typeof sampleDns>[0]>["kept"];

const spf = { name: "example.com", type: "TXT", content: '"v=spf1 -all"', ttl: 3600 } as const;
const other = { ...spf, content: '"another text"' } as const;

function declaredFrom(kept: Kept): Promise<RegisteredRecord[]> {
  const dns = sampleDns({ kept });
  return registeredRecords(() => new KeptRecords("dns-kept", { dns }, firstStep));
}

test.each([
  ["text", spf, { type: "TXT", content: '"v=spf1 -all"', ttl: 3600, proxied: false }],
  [
    "mail server",
    { name: "example.com", type: "MX", content: "mail.example.com", priority: 0, ttl: 1 } as const,
    { type: "MX", content: "mail.example.com", priority: 0, ttl: 1, proxied: false },
  ],
  [
    "certificate authority",
    {
      name: "example.com",
      type: "CAA",
      caa: { flags: 0, tag: "issue", value: "letsencrypt.org" },
      ttl: 3600,
    } as const,
    {
      type: "CAA",
      data: { flags: 0, tag: "issue", value: "letsencrypt.org" },
      ttl: 3600,
      proxied: false,
    },
  ],
  [
    "proxied alias",
    {
      name: "example.com",
      type: "CNAME",
      content: "pages.example.net",
      ttl: 1,
      proxied: true,
    } as const,
    { type: "CNAME", content: "pages.example.net", ttl: 1, proxied: true },
  ],
])("a %s is declared as it is, protected", async (_, kept, inputs) => {
  const [record] = await declaredFrom([kept]);

  expect(record).toMatchObject({ protect: true, import: "", ignoreChanges: [] });
  expect(record?.inputs).toEqual({ zoneId: zoneIds.com, name: "example.com", ...inputs });
});

test("names tell what a record says, so their order means nothing", async () => {
  const names = async (kept: Kept): Promise<string[]> =>
    (await declaredFrom(kept)).map(({ name }) => name).toSorted();
  const there = await names([spf, other]);

  expect(there).toEqual([
    expect.stringMatching(/^dns-kept-example\.com-txt-[0-9a-f]{8}$/),
    expect.stringMatching(/^dns-kept-example\.com-txt-[0-9a-f]{8}$/),
  ]);
  expect(new Set(there).size).toBe(2);
  expect(await names([other, spf])).toEqual(there);
  expect(there).toContain((await names([spf]))[0]);
});

test("a TTL is no part of the name, a content is", async () => {
  const [first] = await declaredFrom([spf]);
  const [slower] = await declaredFrom([{ ...spf, ttl: 60 }]);
  const [changed] = await declaredFrom([other]);

  expect(slower?.name).toBe(first?.name);
  expect(changed?.name).not.toBe(first?.name);
});

test("a record that exists already is taken over", async () => {
  const [record] = await declaredFrom([{ ...spf, adopt: "f".repeat(32) }]);

  expect(record?.import).toBe(`${zoneIds.com}/${"f".repeat(32)}`);
});

test("each is looked at before it is updated, adopted or not", async () => {
  const records = await declaredFrom([spf, { ...other, adopt: "f".repeat(32) }]);

  expect(records.map(({ beforeUpdate }) => beforeUpdate)).toEqual(
    records.map(({ name }) => [`changes only its TTL: ${name}`]),
  );
});
