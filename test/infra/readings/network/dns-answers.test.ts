import { createServer, type AddressInfo } from "node:net";
import { fc } from "@fast-check/vitest";
import dns, { type DecodedPacket } from "dns-packet";
import { describe, expect, onTestFinished, test } from "vitest";
import { exchange, exchangeOverTcp } from "../../../../infra/provider/dns-exchange.ts";
import { dnsAnswers } from "../../../../infra/readings/network/dns-answers.ts";
import { ReadingError, type ReadingContext } from "../../../../infra/readings/reading.ts";
import {
  startAuthoritative,
  startCaching,
  type NameServer,
  type ZoneRecord,
} from "../../../../rehearsal/stand-ins/dns.ts";
import { readFacts } from "../context.ts";
import { a, cname, encode, refusals, startDns, type Saying } from "./dns-server.ts";

const context = {
  signal: new AbortController().signal,
  now: new Date(),
  release: { version: "v2.0.0", digest: "a".repeat(64), commit: "b".repeat(40), images: {} },
  database: undefined,
};

const inCharge = dns.AUTHORITATIVE_ANSWER;

function read(
  target: Record<string, unknown>,
  more: Partial<ReadingContext> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const wanted = dnsAnswers.target.parse({ names: ["app.example.com"], ...target });
  return readFacts(dnsAnswers, wanted, { ...context, ...more });
}

/** Reads with one resolver that says this, and an authority that says 192.0.2.1. */
async function readFrom(
  say: (query: DecodedPacket, before: number, over: "udp" | "tcp") => Saying,
  target: Record<string, unknown> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const authority = await startDns(() => ({ flags: inCharge, answers: [a("192.0.2.1")] }));
  return read({ resolvers: [await startDns(say)], authorities: [authority], ...target });
}

async function keep(starting: Promise<NameServer>): Promise<string> {
  const started = await starting;
  onTestFinished(() => started.close());
  return started.server;
}

function zone(...records: Partial<ZoneRecord>[]): ZoneRecord[] {
  return records.map((record) => ({
    name: "app.example.com",
    type: "A",
    content: "192.0.2.1",
    ttl: 60,
    proxied: false,
    ...record,
  }));
}

async function realServers(
  records: () => ZoneRecord[],
): Promise<{ authorities: string[]; resolvers: string[] }> {
  const authority = await keep(startAuthoritative("127.0.0.1", records));
  const resolvers = await Promise.all(
    [1, 1].map((scale) => keep(startCaching("127.0.0.1", authority, scale))),
  );
  return { authorities: [authority], resolvers };
}

describe("servers that agree", () => {
  test("give their records, sorted, and how long these may be kept", async () => {
    const { authorities, resolvers } = await realServers(() =>
      zone({ content: "192.0.2.2" }, { content: "192.0.2.1" }),
    );
    const said = {
      code: "NOERROR",
      records: ["192.0.2.1", "192.0.2.2"],
      ttl: 60,
      problem: null,
    };
    expect(await read({ authorities, resolvers })).toEqual({
      type: "A",
      agree: true,
      answers: ["192.0.2.1", "192.0.2.2"],
      answersBefore: ["192.0.2.1", "192.0.2.2"],
      highestTtl: 60,
      authoritativeTtl: 60,
      unanswered: [],
      names: {
        "app.example.com": {
          problem: null,
          resolvers: resolvers.map((server) => ({ server, ...said })),
          authorities: authorities.map((server) => ({ server, ...said })),
        },
      },
    });
  });

  test("are asked in their own way: resolvers to find out, authorities what they know", async () => {
    const asked: Record<string, boolean[]> = { resolver: [], authority: [] };
    const start = (who: string): Promise<string> =>
      startDns(({ flag_rd }) => {
        asked[who]?.push(flag_rd);
        return { flags: inCharge, answers: [a("192.0.2.1")] };
      });
    await read({ resolvers: [await start("resolver")], authorities: [await start("authority")] });
    expect(asked).toEqual({ resolver: [true], authority: [false] });
  });

  test("may give another time that is left", async () => {
    const result = await readFrom(() => ({ answers: [a("192.0.2.1", 7)] }));
    expect(result).toMatchObject({ agree: true, highestTtl: 60, authoritativeTtl: 60 });
    const longer = await readFrom(() => ({ answers: [a("192.0.2.1", 3600)] }));
    expect(longer).toMatchObject({ agree: true, highestTtl: 3600, authoritativeTtl: 60 });
  });

  test("agree in whatever order and case, and with a record twice", async () => {
    const result = await readFrom(() => ({
      answers: [a("192.0.2.1", 60, "APP.example.COM"), a("192.0.2.1")],
    }));
    expect(result).toMatchObject({ agree: true, answers: ["192.0.2.1"] });
  });

  test("agree on several names that have the same records", async () => {
    const names = ["app.example.com", "www.example.com"];
    const servers = await realServers(() => zone({}, { name: "www.example.com", ttl: 300 }));
    expect(await read({ names, ...servers })).toMatchObject({
      agree: true,
      answers: ["192.0.2.1"],
      highestTtl: 300,
      authoritativeTtl: 300,
    });
  });

  test("agree on several names that have different records, and there is no common one", async () => {
    const names = ["app.example.com", "www.example.com"];
    const servers = await realServers(() =>
      zone({}, { name: "www.example.com", content: "192.0.2.9" }),
    );
    const { agree, answers, names: said } = await read({ names, ...servers });
    expect({ agree, answers }).toEqual({ agree: true, answers: null });
    expect(said).toMatchObject({
      "www.example.com": { resolvers: [{ records: ["192.0.2.9"] }, {}] },
    });
  });

  test.each([
    ["AAAA", "2001:db8::1"],
    ["CNAME", "origin.example.net"],
  ])("agree on records of type %s", async (type, content) => {
    const servers = await realServers(() => zone({ type, content }));
    expect(await read({ type, ...servers })).toMatchObject({ agree: true, answers: [content] });
  });
});

describe("aliases", () => {
  test("are followed, and may be kept for as long as any of them", async () => {
    const servers = await realServers(() =>
      zone(
        { type: "CNAME", content: "Web.example.com", ttl: 600 },
        { name: "web.example.com", ttl: 30 },
      ),
    );
    expect(await read(servers)).toMatchObject({
      agree: true,
      answers: ["192.0.2.1"],
      highestTtl: 600,
    });
  });

  test("that lead out of the authority's zone must be looked up as such", async () => {
    const alias = cname("app.example.com", "lb.example.net");
    const authority = await startDns(() => ({ flags: inCharge, answers: [alias] }));
    const resolver = await startDns(() => ({
      answers: [alias, a("192.0.2.1", 60, "lb.example.net")],
    }));
    const servers = { resolvers: [resolver], authorities: [authority] };
    expect(await read(servers)).toMatchObject({
      agree: false,
      answers: null,
      unanswered: [`app.example.com at ${authority}: it only knows an alias; look up type CNAME`],
    });
    expect(await read({ ...servers, type: "CNAME" })).toMatchObject({
      agree: true,
      answers: ["lb.example.net"],
    });
  });

  test("in a circle have no records", async () => {
    const result = await readFrom(() => ({
      answers: [
        cname("app.example.com", "b.example.com"),
        cname("b.example.com", "app.example.com"),
      ],
    }));
    expect(result).toMatchObject({ agree: false, answers: null, highestTtl: null });
  });

  test("that nobody asked for do not count, nor do others' addresses", async () => {
    const result = await readFrom(() => ({
      answers: [a("192.0.2.66", 9, "bad.example.com"), a("192.0.2.1"), cname("x.example.com", "y")],
    }));
    expect(result).toMatchObject({ agree: true, answers: ["192.0.2.1"] });
  });
});

describe("servers that do not agree", () => {
  test("are seen when one has another record", async () => {
    const result = await readFrom(() => ({ answers: [a("192.0.2.9", 120)] }));
    expect(result).toMatchObject({
      agree: false,
      answers: null,
      highestTtl: 120,
      authoritativeTtl: 60,
      unanswered: [],
    });
  });

  test("are seen when one has one more record", async () => {
    const result = await readFrom(() => ({ answers: [a("192.0.2.1"), a("192.0.2.2")] }));
    expect(result).toMatchObject({ agree: false, answers: null });
  });

  test("are seen among resolvers too", async () => {
    const authority = await startDns(() => ({ flags: inCharge, answers: [a("192.0.2.1")] }));
    const good = await startDns(() => ({ answers: [a("192.0.2.1")] }));
    const stale = await startDns(() => ({ answers: [a("192.0.2.8")] }));
    for (const resolvers of [
      [good, stale],
      [stale, good],
    ]) {
      expect(await read({ resolvers, authorities: [authority] })).toMatchObject({ agree: false });
    }
  });

  test("are seen when one says that there is no such name", async () => {
    const result = await readFrom(() => ({ flags: refusals.NXDOMAIN }));
    expect(result).toMatchObject({ agree: false, answers: null, highestTtl: null, unanswered: [] });
    expect(result["names"]).toMatchObject({
      "app.example.com": { resolvers: [{ code: "NXDOMAIN", records: [], ttl: null }] },
    });
  });

  test("that there is nothing is nothing to agree on", async () => {
    const servers = await realServers(() => []);
    expect(await read(servers)).toMatchObject({
      agree: false,
      answers: null,
      highestTtl: null,
      authoritativeTtl: null,
      unanswered: [],
    });
  });
});

describe("a server without a usable answer", () => {
  test.each(["SERVFAIL", "REFUSED"] as const)("is named when it says %s", async (code) => {
    const resolver = await startDns(() => ({ flags: refusals[code] }));
    const authority = await startDns(() => ({ flags: inCharge, answers: [a("192.0.2.1")] }));
    expect(await read({ resolvers: [resolver], authorities: [authority] })).toMatchObject({
      agree: false,
      answers: null,
      highestTtl: null,
      authoritativeTtl: 60,
      unanswered: [`app.example.com at ${resolver}: ${code}`],
    });
  });

  test("is an authority that is not in charge", async () => {
    const lame = await startDns(() => ({ answers: [a("192.0.2.1")] }));
    const good = await startDns(() => ({ flags: inCharge, answers: [a("192.0.2.1")] }));
    expect(await read({ resolvers: [good], authorities: [good, lame] })).toMatchObject({
      agree: false,
      authoritativeTtl: null,
      unanswered: [`app.example.com at ${lame}: it is not in charge of the zone (no AA flag)`],
    });
  });

  test("is one that is silent, and the others are still told", async () => {
    const silent = await startDns(() => undefined);
    const good = await startDns(() => ({ flags: inCharge, answers: [a("192.0.2.1")] }));
    const result = await read({ resolvers: [good, silent], authorities: [good] });
    expect(result).toMatchObject({
      agree: false,
      answers: null,
      unanswered: [`app.example.com at ${silent}: no reply within 2000 ms`],
      names: { "app.example.com": { resolvers: [{ records: ["192.0.2.1"] }, { records: null }] } },
    });
  });

  test("is one that is not there", async () => {
    const { unanswered } = await readFrom(() => ({ answers: [a("192.0.2.1")] }), {
      resolvers: ["127.0.0.1:1"],
    });
    expect(unanswered).toEqual([expect.stringContaining("ECONNREFUSED")]);
  });

  test("may lose one packet", async () => {
    const result = await readFrom((_query, before) =>
      before === 0 ? undefined : { answers: [a("192.0.2.1")] },
    );
    expect(result).toMatchObject({ agree: true, unanswered: [] });
  });

  test("none of them at all is an error, which may pass", async () => {
    const failing = await startDns(() => ({ flags: refusals.SERVFAIL }));
    const error: unknown = await read({ resolvers: [failing], authorities: [failing] }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ReadingError);
    expect(error).toMatchObject({
      again: true,
      message: `no name server answered: app.example.com at ${failing}: SERVFAIL; app.example.com at ${failing}: SERVFAIL`,
    });
  });
});

describe("replies that are not what was asked for", () => {
  const good = (query: DecodedPacket): Buffer => encode(query, { answers: [a("192.0.2.1")] });
  const bad = { answers: [a("192.0.2.66")] };

  /** A name that points at itself: RFC 1035, 4.1.4 allows pointers to what came before only. */
  const loop = (query: DecodedPacket): Buffer => {
    const reply = good(query);
    const answerAt = dns.encode({ type: "query", questions: query.questions ?? [] }).length;
    return Buffer.concat([
      reply.subarray(0, answerAt),
      Buffer.from([0xc0, answerAt]),
      reply.subarray(answerAt + 17),
    ]);
  };

  const wrong: Readonly<Record<string, (query: DecodedPacket) => Saying>> = {
    "no DNS at all": () => Buffer.from("no DNS at all"),
    nothing: () => Buffer.alloc(0),
    "a header alone": (query) => good(query).subarray(0, 12),
    "an answer that ends within an address": (query) => good(query).subarray(0, -3),
    "an answer that ends within a record": (query) => good(query).subarray(0, -8),
    "a name that points at itself": loop,
    "the question itself": (query) => encode(query, { type: "query" }),
    "another id": (query) => encode({ ...query, id: ((query.id ?? 0) + 1) % 0x1_00_00 }, bad),
    "another name": (query) =>
      encode({ ...query, questions: [{ type: "A", name: "app.example.net" }] }, bad),
    "another type": (query) =>
      encode({ ...query, questions: [{ type: "AAAA", name: "app.example.com" }] }, bad),
  };

  test("are passed over", async () => {
    await Promise.all(
      Object.entries(wrong).map(async ([what, say]) => {
        const { agree, answers, unanswered } = await readFrom(say);
        expect({ agree, answers, unanswered }, what).toEqual({
          agree: false,
          answers: null,
          unanswered: [expect.stringMatching(/: no reply within 2000 ms$/)],
        });
      }),
    );
  });

  test("do no harm whatever they are", async () => {
    const cut = fc.nat({ max: 60 }).map((length) => (query: DecodedPacket) => {
      return good(query).subarray(0, length);
    });
    const changed = fc
      .array(fc.tuple(fc.integer({ min: 2, max: 60 }), fc.nat({ max: 255 })), { minLength: 1 })
      .map((changes) => (query: DecodedPacket) => {
        const reply = good(query);
        for (const [at, byte] of changes) reply[at % reply.length] = byte;
        return reply;
      });
    const seed = Date.now();
    const says = fc.sample(fc.oneof(cut, changed), { numRuns: 60, seed });
    const results = await Promise.all(
      says.map(async (say) => {
        const { unanswered, agree, answers } = await readFrom(say);
        return { unanswered: Array.isArray(unanswered), agree, answers };
      }),
    );
    for (const { unanswered, agree, answers } of results) {
      expect(unanswered).toBe(true);
      expect(answers, `seed ${seed}`).toEqual(agree === true ? ["192.0.2.1"] : null);
    }
  });
});

describe("an answer that is too long for UDP", () => {
  const many = Array.from({ length: 60 }, (_, index) => a(`192.0.2.${index}`));
  const all = many.map((record) => String((record as { data: unknown }).data)).sort();

  async function readMany(
    say: (query: DecodedPacket, over: "udp" | "tcp") => Saying,
  ): Promise<Readonly<Record<string, unknown>>> {
    const server = await startDns((query, _before, over) => say(query, over));
    const authority = await startDns((_query, _before, over) =>
      over === "udp"
        ? { flags: inCharge | dns.TRUNCATED_RESPONSE }
        : { flags: inCharge, answers: many },
    );
    return read({ resolvers: [server], authorities: [authority] });
  }

  test.each<[string, (query: DecodedPacket) => Saying]>([
    ["without any record", () => ({ flags: dns.TRUNCATED_RESPONSE })],
    ["with the first ones", () => ({ flags: dns.TRUNCATED_RESPONSE, answers: many.slice(0, 3) })],
    [
      "and ends within a record",
      (query) => encode(query, { flags: dns.TRUNCATED_RESPONSE, answers: many }).subarray(0, 500),
    ],
  ])("comes over TCP: cut %s", async (_, overUdp) => {
    const result = await readMany((query, over) =>
      over === "udp" ? overUdp(query) : { answers: many },
    );
    expect(result).toMatchObject({ agree: true, answers: all, unanswered: [] });
  });

  test.each<[string, (query: DecodedPacket) => Saying, string]>([
    [
      "to another question",
      (query) => encode({ ...query, questions: [{ type: "A", name: "x.example.com" }] }, {}),
      "a reply over TCP to another question",
    ],
    ["that is no DNS", () => Buffer.from("no DNS at all"), "a reply over TCP to another question"],
    ["that never comes", () => undefined, "no reply within 2000 ms"],
  ])("is no answer when TCP gives one %s", async (_, overTcp, problem) => {
    const { agree, unanswered } = await readMany((query, over) =>
      over === "udp" ? { flags: dns.TRUNCATED_RESPONSE } : overTcp(query),
    );
    expect({ agree, unanswered }).toEqual({
      agree: false,
      unanswered: [expect.stringMatching(new RegExp(`: ${problem}$`))],
    });
  });

  test("is no answer when the TCP connection ends before it", async () => {
    const server = createServer((socket) => socket.end(Buffer.from([0, 100, 1, 2, 3])));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    await expect(exchangeOverTcp(Buffer.alloc(12), `127.0.0.1:${port}`, 5000)).rejects.toThrow(
      "the TCP connection ended without a whole reply",
    );
  });

  test.each([exchange, exchangeOverTcp])("is not waited for after the end: %o", async (send) => {
    const silent = await startDns(() => undefined);
    await expect(
      send(Buffer.alloc(12), silent, 60_000, { signal: AbortSignal.abort() }),
    ).rejects.toThrow("stopped");
  });
});

describe("without authorities in the target", () => {
  /** A resolver that knows the zone example.com, whose name servers cannot be asked in a test: they are at port 53. */
  function resolverOf(
    servers: Record<string, { type: "A" | "AAAA"; data: string }>,
  ): Promise<string> {
    return startDns(({ questions: [question] = [] }) => {
      const { name = "", type = "A" } = question ?? {};
      if (type === "NS") {
        if (name !== "example.com") return { flags: refusals.NXDOMAIN };
        return {
          answers: Object.keys(servers).map((data) => ({ type: "NS", name, ttl: 3600, data })),
        };
      }
      const server = servers[name];
      if (name === "app.example.com" && type === "A") return { answers: [a("192.0.2.1")] };
      return server?.type === type ? { answers: [{ ...server, name, ttl: 60 }] } : {};
    });
  }

  const unasked = "127.9.9.9";

  test("they are found at the next name above that has name servers", async () => {
    const resolver = await resolverOf({
      "ns1.example.com": { type: "A", data: unasked },
      "ns2.example.com": { type: "AAAA", data: "::1" },
    });
    const { agree, answers, names } = await read({ resolvers: [resolver] });
    expect({ agree, answers }).toEqual({ agree: false, answers: null });
    expect(names).toMatchObject({
      "app.example.com": {
        resolvers: [{ records: ["192.0.2.1"] }],
        authorities: [{ server: "127.9.9.9:53" }, { server: "[::1]:53" }],
      },
    });
  });

  test("the zone may be named, and then only it is asked about", async () => {
    const resolver = await resolverOf({ "ns1.example.com": { type: "A", data: unasked } });
    const named = await read({ resolvers: [resolver], zone: "example.com" });
    expect(named["names"]).toMatchObject({
      "app.example.com": { authorities: [{ server: "127.9.9.9:53" }] },
    });
    const other = await read({ resolvers: [resolver], zone: "app.example.com" });
    expect(other["unanswered"]).toEqual([
      `app.example.com at its authorities: ${resolver} knows no name servers of app.example.com; say them in authorities`,
    ]);
  });

  test.each<[string, Saying, string]>([
    ["are none", {}, "knows no name servers of app.example.com; say them in authorities"],
    [
      "cannot be told",
      { flags: refusals.SERVFAIL },
      "does not tell the name servers of app.example.com (SERVFAIL)",
    ],
    [
      "are too many",
      {
        answers: Array.from({ length: 17 }, (_, index) => ({
          type: "NS",
          name: "app.example.com",
          ttl: 60,
          data: `ns${index}.example.com`,
        })),
      },
      "app.example.com has 17 name servers; say in authorities which to ask",
    ],
    [
      "have no address",
      { answers: [{ type: "NS", name: "app.example.com", ttl: 60, data: "ns.example.com" }] },
      "knows no address of the name server ns.example.com",
    ],
  ])("it is no agreement when they %s", async (_, saying, problem) => {
    const resolver = await startDns(({ questions: [question] = [] }) => {
      if (question?.type === "NS") return saying;
      return question?.name === "app.example.com" ? { answers: [a("192.0.2.1")] } : {};
    });
    const { agree, answers, authoritativeTtl, highestTtl, unanswered } = await read({
      resolvers: [resolver],
    });
    expect({ agree, answers, authoritativeTtl, highestTtl }).toEqual({
      agree: false,
      answers: null,
      authoritativeTtl: null,
      highestTtl: null,
    });
    expect(unanswered).toEqual([expect.stringContaining(problem)]);
  });
});

test("it is about its names", () => {
  const target = { names: ["app.example.com", "www.example.com"], resolvers: ["192.0.2.53:53"] };
  expect(dnsAnswers.subject(dnsAnswers.target.parse(target))).toBe(
    "app.example.com, www.example.com",
  );
});

test.each([
  ["no name", { names: [] }],
  ["too many names", { names: Array.from({ length: 17 }, () => "app.example.com") }],
  ["a name with a part of 64 characters", { names: [`${"a".repeat(64)}.example.com`] }],
  ["a name of more than 253 characters", { names: [`${"abcdefghi.".repeat(25)}com.`] }],
  ["an address for a name", { names: ["app example"] }],
  ["another type", { type: "TXT" }],
  ["a resolver by name", { resolvers: ["one.example.com:53"] }],
  ["a resolver without port", { resolvers: ["192.0.2.53"] }],
  ["no resolver", { resolvers: [] }],
  ["no authority", { authorities: [] }],
  ["an unknown key", { resolver: "192.0.2.53:53" }],
])("a target with %s is refused", (_, change) => {
  const target = { names: ["app.example.com"], resolvers: ["192.0.2.53:53"] };
  expect(dnsAnswers.target.safeParse(target).success).toBe(true);
  expect(dnsAnswers.target.safeParse({ ...target, ...change }).success).toBe(false);
});

describe("a name that this very cutover has moved", () => {
  const moved = (from: string, to: string) => ({ moved: { "app.example.com": { from, to } } });

  test("is told with what it led to before, too", async () => {
    const servers = await realServers(() => zone({}));
    expect(await read(servers)).toMatchObject({
      answers: ["192.0.2.1"],
      answersBefore: ["192.0.2.1"],
    });
    expect(await read(servers, moved("192.0.2.9", "192.0.2.1"))).toMatchObject({
      answers: ["192.0.2.1"],
      answersBefore: ["192.0.2.9"],
    });
  });

  test("is told as it is when somebody else moved it again", async () => {
    const servers = await realServers(() => zone({}));
    const found = await read(servers, moved("192.0.2.9", "192.0.2.2"));
    expect(found).toMatchObject({ answersBefore: ["192.0.2.1"] });
  });

  test("is told as nothing while servers do not agree", async () => {
    const found = await readFrom(() => ({ answers: [a("192.0.2.7")] }));
    expect(found).toMatchObject({ agree: false, answersBefore: null });
  });
});
