import { describe, expect, onTestFinished, test } from "vitest";
import type { Answer, DecodedPacket } from "dns-packet";
import { ttlShown } from "../../../infra/provider/ttl-shown.ts";
import {
  startAuthoritative,
  startCaching,
  type NameServer,
  type ZoneRecord,
} from "../../../rehearsal/stand-ins/dns.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, serveTypes, unknownText, type Wire } from "../../support/engine.ts";
import { a, cname, refusals, startDns, type Saying } from "../readings/network/dns-server.ts";

const type = "cutover:index:TtlShown";
const target = { type, name: "ttl-shown" };
const authoritative = 1024;

function serve(): ReturnType<typeof serveTypes> {
  return serveTypes({ [type]: ttlShown });
}

/** A server that answers with this TTL, as the one in charge or as a resolver. */
function answering(ttl: () => number, flags = authoritative): Promise<string> {
  return startDns((query) => ({ flags, answers: [a("192.0.2.1", ttl(), nameOf(query))] }));
}

function nameOf(query: DecodedPacket): string {
  return query.questions?.[0]?.name ?? "";
}

function inputsOf(authority: string, resolver: string, more: Wire = {}): Wire {
  return {
    stack: "flagship/production",
    names: { "app.example.com": "example.com" },
    ttlSeconds: 60,
    previousSeconds: 1,
    authorities: [authority],
    resolvers: [resolver],
    clockScale: 1000,
    probeSeconds: 0.2,
    intervalMs: 10,
    ...more,
  };
}

const patient = { probeSeconds: 30 };

/** The message of a wait that failed, without what differs between runs. */
async function failedText(inputs: Wire): Promise<string> {
  const { message } = await failureOf((await serve()).create(target, inputs));
  return message
    .replaceAll(/127\.0\.0\.1:\d{4,5}/g, "SERVER")
    .replaceAll(/\d+ rounds? of questions in \d+\.\d s/g, "N rounds in T s");
}

describe("a TTL is shown", () => {
  test.each([
    ["the new TTL", 60, 60],
    ["less of it left", 60, 1],
    ["nothing of it left", 60, 0],
    ["a TTL below the new one", 30, 30],
  ])("when all show %s", async (_, inCharge, resolved) => {
    const before = Date.now();
    const authority = await answering(() => inCharge);
    const resolver = await answering(() => resolved, 0);
    const { id, outputs } = await (await serve()).create(target, inputsOf(authority, resolver));

    expect(id).toBe("flagship/production:ttl-shown");
    expect(Object.keys(outputs)).toEqual(["shownAt"]);
    expect(outputs["shownAt"]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(Date.parse(String(outputs["shownAt"]))).toBeGreaterThanOrEqual(before);
    expect(Date.parse(String(outputs["shownAt"]))).toBeLessThanOrEqual(Date.now());
  });

  test("only when the last of several names and resolvers shows it", async () => {
    const asked: string[] = [];
    let slow = 3;
    const authority = await answering(() => 60);
    const quick = await answering(() => 10, 0);
    const late = await startDns((query) => {
      asked.push(nameOf(query));
      if (nameOf(query) === "api.example.com") slow -= 1;
      const ttl = nameOf(query) === "api.example.com" && slow > 0 ? 61 : 60;
      return { flags: 0, answers: [a("192.0.2.1", ttl, nameOf(query))] };
    });
    const names = { "app.example.com": "example.com", "api.example.com": "example.com" };
    const inputs = inputsOf(authority, quick, { names, resolvers: [quick, late], ...patient });
    await (await serve()).create(target, inputs);

    expect(asked.filter((name) => name === "api.example.com")).toHaveLength(3);
  });

  test("when what an alias leads to shows it too", async () => {
    let ttl = 3600;
    const authority = await answering(() => 60);
    const resolver = await startDns(() => {
      const answers: Answer[] = [
        cname("app.example.com", "other.example.com", 60),
        a("192.0.2.1", ttl, "other.example.com"),
        a("192.0.2.9", 86_400, "unasked.example.com"),
      ];
      ttl = 60;
      return { flags: 0, answers };
    });
    const { outputs } = await (
      await serve()
    ).create(target, inputsOf(authority, resolver, { ...patient, clockScale: 1_000_000 }));

    expect(outputs["shownAt"]).toEqual(expect.any(String));
  });
});

describe("resolvers", () => {
  test("are not asked before every name server in charge shows it", async () => {
    let asked = 0;
    let askedSlow = 0;
    let ttl = 3600;
    const quick = await answering(() => 60);
    const slow = await answering(() => {
      askedSlow += 1;
      return ttl;
    });
    const resolver = await startDns((query) => {
      asked += 1;
      return { flags: 0, answers: [a("192.0.2.1", 60, nameOf(query))] };
    });
    const inputs = inputsOf(slow, resolver, { authorities: [quick, slow], ...patient });
    const waiting = (await serve()).create(target, { ...inputs, clockScale: 1_000_000 });
    await eventually(() => {
      expect(askedSlow).toBeGreaterThan(2);
    });

    expect(asked).toBe(0);
    ttl = 60;
    await waiting;
    expect(asked).toBe(1);
  });

  test("that cached the old answer are waited for, in the clock's time", async () => {
    let ttl = 600;
    const records = (): ZoneRecord[] => [
      { name: "app.example.com", type: "A", content: "192.0.2.1", ttl, proxied: false },
    ];
    const keep = async (starting: Promise<NameServer>): Promise<string> => {
      const started = await starting;
      onTestFinished(() => started.close());
      return started.server;
    };
    const authority = await keep(startAuthoritative("127.0.0.1", records));
    // 600 seconds pass in 600 ms, and 540 of them before 60 are left.
    const resolver = await keep(startCaching("127.0.0.1", authority, 1000));
    const engine = await serve();
    const inputs = inputsOf(authority, resolver, { previousSeconds: 600, ...patient });
    await engine.create(target, { ...inputs, ttlSeconds: 600 });
    ttl = 60;
    const began = performance.now();
    await engine.create(target, inputs);

    expect(performance.now() - began).toBeGreaterThan(400);
    expect(engine.heard.map(({ text }) => text).join("\n")).toMatch(
      /waits for: \d+ s from 127\.0\.0\.1:\d+ for app\.example\.com/,
    );
  });
});

describe("a TTL that is not shown", () => {
  test.each<[string, (query: DecodedPacket) => Saying, string]>([
    [
      "a resolver with one second too much",
      (query) => ({ flags: 0, answers: [a("192.0.2.1", 61, nameOf(query))] }),
      "61 s from SERVER for app.example.com",
    ],
    [
      "a resolver that refuses",
      () => ({ flags: refusals.REFUSED }),
      "REFUSED from SERVER for app.example.com",
    ],
    [
      "a name that does not exist",
      () => ({ flags: refusals.NXDOMAIN }),
      "NXDOMAIN from SERVER for app.example.com",
    ],
    ["no address", () => ({ flags: 0 }), "no address from SERVER for app.example.com"],
    [
      "an address of another name",
      () => ({ flags: 0, answers: [a("192.0.2.1", 60, "other.example.com")] }),
      "no address from SERVER for app.example.com",
    ],
  ])("%s stops the run", async (_, say, found) => {
    const authority = await answering(() => 60);
    const text = await failedText(inputsOf(authority, await startDns(say)));

    expect(text).toBe(
      [
        "the new TTL does not show everywhere. No target was changed.",
        `found:    ${found}`,
        "required: at most 60 s for every name, from every name server in charge and every resolver",
        "after:    N rounds in T s",
        "to do:    run pulumi up again; a server that cannot be asked is set in",
        "          cutover:dns.resolvers or cutover:dns.authorities",
      ].join("\n"),
    );
  });

  test.each<[string, (query: DecodedPacket) => Saying, string]>([
    [
      "with the TTL before",
      (query) => ({ flags: authoritative, answers: [a("192.0.2.1", 3600, nameOf(query))] }),
      "3600 s from SERVER for app.example.com",
    ],
    [
      "that only passes on what others say",
      (query) => ({ flags: 0, answers: [a("192.0.2.1", 60, nameOf(query))] }),
      "an answer that is not its own (no AA flag) from SERVER for app.example.com",
    ],
  ])("a name server in charge %s stops the run", async (_, say, found) => {
    const resolver = await answering(() => 60, 0);

    expect(await failedText(inputsOf(await startDns(say), resolver))).toContain(
      `found:    ${found}\n`,
    );
  });

  test("a resolver that is not there stops the run", async () => {
    const authority = await answering(() => 60);

    expect(await failedText(inputsOf(authority, "127.0.0.1:1"))).toContain(
      "found:    no answer from 127.0.0.1:1 for app.example.com (",
    );
  });

  test("nobody known to be in charge stops the run", async () => {
    const resolver = await startDns(() => ({ flags: refusals.SERVFAIL }));
    const text = await failedText(inputsOf("", resolver, { authorities: null }));

    expect(text).toContain(
      "found:    nobody is known to be in charge of app.example.com " +
        "(SERVER does not tell the name servers of example.com (SERVFAIL))\n",
    );
  });

  test("many that are late are not all told", async () => {
    const authority = await answering(() => 3600);
    const names = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`n${index}.example.com`, "example.com"]),
    );

    expect(await failedText(inputsOf(authority, authority, { names }))).toMatch(
      /found: {4}(3600 s from SERVER for n\d\.example\.com, ){8}and 2 more\n/,
    );
  });

  test("is given up at the end of the TTL before and the patience, in scaled time", async () => {
    const authority = await answering(() => 3600);
    const resolver = await answering(() => 60, 0);
    const began = performance.now();
    // 3600 seconds pass in 300 ms.
    const inputs = { previousSeconds: 3600, clockScale: 12_000, probeSeconds: 0.1 };
    await failedText(inputsOf(authority, resolver, inputs));

    expect(performance.now() - began).toBeGreaterThanOrEqual(390);
  });
});

describe("asked again", () => {
  const olds = { outputs: { shownAt: "2026-03-02T10:00:00.000Z" } };
  const nobody = "127.0.0.1:1";

  test.each<[string, Wire]>([
    ["other resolvers", { resolvers: ["192.0.2.1:53"] }],
    ["other name servers", { authorities: ["192.0.2.1:53"] }],
    ["more patience", { probeSeconds: 99 }],
    ["another TTL before", { previousSeconds: 99 }],
  ])("not for %s", async (_, change) => {
    const engine = await serve();
    const inputs = inputsOf(nobody, nobody);
    const news = { ...inputs, ...change };

    expect(await engine.diff(target, { inputs, ...olds }, news)).toEqual({
      changes: false,
      replaces: [],
      diffs: [],
    });
    expect((await engine.update(target, { inputs, ...olds }, news)).outputs).toEqual(olds.outputs);
  });

  test.each<[string, Wire, string]>([
    ["another TTL", { ttlSeconds: 30 }, "ttlSeconds"],
    ["another name", { names: { "api.example.com": "example.com" } }, "names"],
  ])("for %s", async (_, change, diff) => {
    const authority = await answering(() => 30);
    const resolver = await answering(() => 30, 0);
    const engine = await serve();
    const inputs = inputsOf(authority, resolver);
    const news = { ...inputs, ...change };

    expect((await engine.diff(target, { inputs, ...olds }, news)).diffs).toEqual([diff]);
    const { outputs } = await engine.update(target, { inputs, ...olds }, news);
    expect(outputs["shownAt"]).not.toBe(olds.outputs.shownAt);
    expect(outputs["shownAt"]).toEqual(expect.any(String));
  });

  test("never in a preview, where the moment is not known", async () => {
    const engine = await serve();
    const inputs = inputsOf(nobody, nobody);
    const preview = { preview: true };

    expect(await engine.create(target, inputs, preview)).toEqual({ id: "", outputs: {} });
    expect(
      (await engine.update(target, { inputs, ...olds }, { ...inputs, ttlSeconds: 30 }, preview))
        .outputs,
    ).toEqual({});
  });

  test("it stops at once when the run is stopped", async () => {
    let asked = 0;
    const authority = await answering(() => {
      asked += 1;
      return 3600;
    });
    const engine = await serve();
    const waiting = engine.create(target, inputsOf(authority, authority, { probeSeconds: 600 }));
    const failure = failureOf(waiting);
    await eventually(() => {
      expect(asked).toBeGreaterThan(0);
    });
    await engine.cancel();

    expect((await failure).message).not.toContain("does not show everywhere");
  });
});

describe("inputs", () => {
  const nobody = "127.0.0.1:1";

  test.each<[string, Wire, string]>([
    ["no name", { names: {} }, "names"],
    ["a TTL of nothing", { ttlSeconds: 0 }, "ttlSeconds"],
    ["a TTL before of nothing", { previousSeconds: 0 }, "previousSeconds"],
    ["no resolver", { resolvers: [] }, "resolvers"],
    ["a resolver without port", { resolvers: ["192.0.2.1"] }, "resolvers.0"],
    ["a clock that stands still", { clockScale: 0 }, "clockScale"],
    ["no patience", { probeSeconds: 0 }, "probeSeconds"],
  ])("%s is refused", async (_, change, property) => {
    const failures = await (
      await serve()
    ).check(target, { ...inputsOf(nobody, nobody), ...change });

    expect(failures.map((failure) => failure.property)).toEqual([property]);
  });

  test.each<[string, Wire]>([
    ["what is not known yet", { previousSeconds: unknownText }],
    ["name servers to be found", { authorities: null }],
    ["an IPv6 resolver", { resolvers: ["[2001:db8::53]:53"] }],
  ])("%s is fine", async (_, change) => {
    const inputs = { ...inputsOf(nobody, nobody), ...change };

    expect(await (await serve()).check(target, inputs)).toEqual([]);
  });
});
