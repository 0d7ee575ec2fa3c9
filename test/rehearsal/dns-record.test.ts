import { rm } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { ReadResponse } from "@pulumi/pulumi/proto/provider_pb.js";
import { askServer, type DnsQuestion } from "../../infra/provider/dns-lookup.ts";
import { dnsRecords, dnsRecordType } from "../../rehearsal/stand-ins/cloudflare/dns-record.ts";
import { startAuthoritative } from "../../rehearsal/stand-ins/dns.ts";
import { openStore } from "../../rehearsal/stand-ins/store.ts";
import { failureOf, serveTypes, urnOf, type EngineClient, type Wire } from "../support/engine.ts";
import { temporaryFolder } from "./support.ts";

const type = "cloudflare:index/dnsRecord:DnsRecord";
const target = { type, name: "it" };
const zoneId = "c".repeat(32);
const otherZoneId = "d".repeat(32);

interface Place {
  readonly engine: EngineClient;
  readonly create: (inputs: Wire) => Promise<{ id: string; inputs: Wire; outputs: Wire }>;
  readonly refusal: (inputs: Wire) => Promise<string>;
  /** What an import by this id finds. */
  readonly read: (id: string) => Promise<{ id: string; inputs: Wire; outputs: Wire }>;
  /** What the name server answers: type, TTL and data. */
  readonly answers: (
    name: string,
    type?: DnsQuestion["type"],
  ) => Promise<[string, number, string][]>;
}

/** Zones of one test, with the name server that serves them. */
async function open(): Promise<Place> {
  const folder = await temporaryFolder();
  const records = dnsRecords(openStore(folder));
  const nameServer = await startAuthoritative("127.0.0.1", () => records.items());
  onTestFinished(async () => {
    await nameServer.close();
    await rm(folder, { recursive: true });
  });
  const engine = await serveTypes({ [type]: dnsRecordType(records) });
  return {
    engine,
    create: async (inputs) => ({ ...(await engine.create(target, inputs)), inputs }),
    refusal: async (inputs) => (await failureOf(engine.create(target, inputs))).message,
    async read(id) {
      const request = new messages.ReadRequest().setId(id).setUrn(urnOf(target)).setType(type);
      const response = await new Promise<ReadResponse>((resolve, reject) => {
        engine.raw.read(request, (error, found) => {
          if (error === null) resolve(found);
          else reject(error);
        });
      });
      return {
        id: response.getId(),
        inputs: response.getInputs()?.toJavaScript() ?? {},
        outputs: response.getProperties()?.toJavaScript() ?? {},
      };
    },
    async answers(name, of = "A") {
      const { records: found } = await askServer(nameServer.server, { name, type: of }, 1000);
      return found.map((record) => [record.type, record.ttl, record.data]);
    },
  };
}

function inputsOf(name: string, more: Wire = {}): Wire {
  return { zoneId, name, type: "A", content: "192.0.2.1", ttl: 60, proxied: false, ...more };
}

/** Inputs of a record that is a CAA's: it has parts in place of a content. */
function caaOf(name: string, data: Wire): Wire {
  return { zoneId, name, type: "CAA", data, ttl: 60, proxied: false };
}

test("a record is served as soon as it is made, changed and deleted", async () => {
  const { engine, create, answers } = await open();
  const made = await create(inputsOf("app.example.com"));
  expect(await answers("app.example.com")).toEqual([["A", 60, "192.0.2.1"]]);

  const news = inputsOf("app.example.com", { content: "192.0.2.2", ttl: 3600 });
  expect(await engine.diff(target, made, news)).toEqual({
    changes: true,
    replaces: [],
    diffs: ["content", "ttl"],
  });
  await engine.update(target, made, news);
  expect(await answers("app.example.com")).toEqual([["A", 3600, "192.0.2.2"]]);

  const request = new messages.DeleteRequest().setId(made.id).setUrn(urnOf(target)).setType(type);
  await new Promise((resolve) => engine.raw.delete(request, resolve));
  expect(await answers("app.example.com")).toEqual([]);
  await expect(engine.update(target, made, news)).rejects.toThrow(/81044.*does not exist/);
});

test.each<[string, Wire, [string, number, string][]]>([
  [
    "an IPv6 address",
    inputsOf("it.example.com", { type: "AAAA", content: "2001:db8::1" }),
    [["AAAA", 60, "2001:db8::1"]],
  ],
  [
    "an alias",
    inputsOf("it.example.com", { type: "CNAME", content: "app.example.net" }),
    [["CNAME", 60, "app.example.net"]],
  ],
  [
    "a text in quotation marks",
    inputsOf("it.example.com", { type: "TXT", content: '"v=spf1 -all" "\\"a\\" \\\\ \\010"' }),
    [["TXT", 60, '"v=spf1 -all" "\\"a\\" \\\\ \\010"']],
  ],
  [
    "a text as it is, in pieces of 255 bytes",
    inputsOf("it.example.com", { type: "TXT", content: "a".repeat(300) }),
    [["TXT", 60, `"${"a".repeat(255)}" "${"a".repeat(45)}"`]],
  ],
  [
    "a mail server",
    inputsOf("it.example.com", { type: "MX", content: "mail.example.com", priority: 10 }),
    [["MX", 60, "10 mail.example.com"]],
  ],
  [
    "a certificate authority",
    caaOf("it.example.com", { flags: 128, tag: "issue", value: "ca.example.net" }),
    [["CAA", 60, '128 issue "ca.example.net"']],
  ],
  [
    "the apex's name servers",
    inputsOf("example.com", { type: "NS", content: "ns1.example.net" }),
    [["NS", 60, "ns1.example.net"]],
  ],
])("%s is served", async (_, inputs, served) => {
  const { create, answers } = await open();
  await create(inputs);

  expect(await answers(String(inputs["name"]), inputs["type"] as DnsQuestion["type"])).toEqual(
    served,
  );
});

test("the content of a CAA record is made from its parts", async () => {
  const { create } = await open();
  const { outputs } = await create(
    caaOf("example.com", { flags: 0, tag: "issue", value: "ca.example.net" }),
  );

  expect(outputs).toMatchObject({ content: '0 issue "ca.example.net"', proxiable: false });
});

test.each<[string, Wire, RegExp]>([
  ["too short a TTL", { ttl: 59 }, /9021.*Must be between 60 and 86400 seconds, or 1/],
  ["too long a TTL", { ttl: 86_401 }, /9021/],
  [
    "a proxied record with a TTL of its own",
    { proxied: true },
    /ttl must be set to 1 when proxied/,
  ],
  [
    "a proxied text",
    { type: "TXT", content: "x", proxied: true, ttl: 1 },
    /9004.*This record type cannot be proxied/,
  ],
  ["a name as an IPv4 address", { content: "app.example.com" }, /9005.*valid IPv4/],
  ["an IPv4 address as an IPv6 one", { type: "AAAA" }, /valid IPv6/],
  ["an address as a mail server", { type: "MX", priority: 1 }, /9005.*hostname/],
  [
    "a mail server without priority",
    { type: "MX", content: "a.example.com" },
    /9101.*priority is a/,
  ],
  ["no content", { content: undefined }, /9101.*content is a required data field/],
  ["a CAA record without its parts", { type: "CAA" }, /9101.*data is a required data field/],
])("%s is refused when the record is made", async (_, change, message) => {
  const { engine, refusal } = await open();
  const inputs = Object.fromEntries(
    Object.entries({ ...inputsOf("refused.example.com"), ...change }).filter(
      ([, value]) => value !== undefined,
    ),
  );

  expect(await engine.check(target, inputs)).toEqual([]);
  expect(await refusal(inputs)).toMatch(message);
});

test.each<[string, Wire, string, RegExp]>([
  ["a short name", { name: "app" }, "name", /must be the full name/],
  ["a zone that is no id", { zoneId: "example.com" }, "zoneId", /32 hexadecimal digits/],
  [
    "a type that is not served",
    { type: "SRV" },
    "type",
    /only has records of types A, AAAA, CNAME/,
  ],
  ["settings", { settings: { flattenCname: true } }, "settings", /does not imitate this property/],
  [
    "a part too many",
    { data: { flags: 0, tag: "issue", value: "x", port: 1 } },
    "data.port",
    /imitate/,
  ],
])("%s is refused before anything is made", async (_, change, property, reason) => {
  const { engine } = await open();
  const failures = await engine.check(target, { ...inputsOf("x.example.com"), ...change });

  expect(failures).toEqual([{ property, reason: expect.stringMatching(reason) as string }]);
});

test("an identical record is refused, in any case of its name", async () => {
  const { create, refusal } = await open();
  await create(inputsOf("twice.example.com"));

  expect(await refusal(inputsOf("Twice.example.com"))).toMatch(/81058.*identical record/);
  await create(inputsOf("twice.example.com", { content: "192.0.2.9" }));
  await create(inputsOf("twice.example.com", { type: "TXT", content: "192.0.2.1" }));
});

const alias = { type: "CNAME", content: "app.example.net" };
const text = { type: "TXT", content: "x" };

test.each<[string, Wire, Wire, RegExp]>([
  ["an address beside an alias", alias, {}, /81054.*A CNAME record with that host/],
  ["an alias beside an address", {}, alias, /81053.*An A, AAAA, or CNAME record/],
  ["a second alias", alias, { ...alias, content: "b.example.net" }, /81053/],
  ["a text beside an alias", alias, text, /81054/],
  ["an alias beside a text", text, alias, /81053/],
  ["an address beside a proxied alias", { ...alias, proxied: true, ttl: 1 }, {}, /81054/],
])("refused: %s", async (_, first, second, message) => {
  const { create, refusal } = await open();
  await create(inputsOf("it.example.com", first));

  expect(await refusal(inputsOf("it.example.com", second))).toMatch(message);
});

test("a text goes together with a proxied alias", async () => {
  const { create, answers } = await open();
  await create(inputsOf("it.example.com", { ...alias, proxied: true, ttl: 1 }));
  await create(inputsOf("it.example.com", text));

  expect(await answers("it.example.com", "TXT")).toEqual([["TXT", 60, '"x"']]);
});

test("an alias at the apex is answered with the addresses behind it, and may have others beside it", async () => {
  const { create, answers } = await open();
  await create(inputsOf("app.example.net", { zoneId: otherZoneId, ttl: 120 }));
  await create(inputsOf("example.com", { ...alias, ttl: 3600 }));
  await create(inputsOf("example.com", text));

  expect(await answers("example.com")).toEqual([["A", 120, "192.0.2.1"]]);
  expect(await answers("example.com", "CNAME")).toEqual([]);
  expect(await answers("example.com", "TXT")).toEqual([["TXT", 60, '"x"']]);
  expect(await answers("example.com", "AAAA")).toEqual([]);
});

test("a proxied alias is answered with addresses for five minutes", async () => {
  const { create, answers } = await open();
  await create(inputsOf("app.example.net", { zoneId: otherZoneId, ttl: 60 }));
  await create(inputsOf("www.example.com", { ...alias, proxied: true, ttl: 1 }));

  expect(await answers("www.example.com")).toEqual([["A", 300, "192.0.2.1"]]);
});

test("an alias whose target nobody here knows is answered with nothing at the apex", async () => {
  const { create, answers } = await open();
  await create(inputsOf("example.com", alias));

  expect(await answers("example.com")).toEqual([]);
});

test("zones hold their own names only, and a record of another zone is another record", async () => {
  const { engine, create, refusal } = await open();
  const made = await create(inputsOf("app.example.com"));
  await create(inputsOf("app.example.org", { zoneId: otherZoneId }));

  expect(await refusal(inputsOf("api.example.org"))).toMatch(
    /zone c{32} holds names of example\.com, and api\.example\.org is none of them/,
  );
  const moved = inputsOf("app.example.com", { zoneId: otherZoneId });
  expect((await engine.diff(target, made, moved)).replaces).toEqual(["zoneId"]);
});

test("an import finds what the zone holds, and nothing of it differs", async () => {
  const { engine, create, read } = await open();
  const plain = inputsOf("app.example.com", { comment: "by hand" });
  const parts = caaOf("example.com", { flags: 0, tag: "issue", value: "ca.example.net" });

  for (const inputs of [plain, parts]) {
    const { id } = await create(inputs);
    const found = await read(`${zoneId}/${id}`);
    expect(found.id).toBe(id);
    expect(found.inputs).toEqual(inputs);
    expect((await engine.diff(target, found, inputs)).changes).toBe(false);
  }
});

test.each([
  ["another zone's", (id: string) => `${otherZoneId}/${id}`, /81044.*Record does not exist/],
  ["one that is nowhere", () => `${zoneId}/${"0".repeat(32)}`, /81044/],
  ["a record's id alone", (id: string) => id, /invalid ID .* "<zone_id>\/<dns_record_id>"/],
])("an import of %s is refused", async (_, path, message) => {
  const { create, read } = await open();
  const { id } = await create(inputsOf("app.example.com"));

  await expect(read(path(id))).rejects.toThrow(message);
});
