import { createSocket } from "node:dgram";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import dns, { type Answer, type DecodedPacket } from "dns-packet";
import { describe, expect, onTestFinished, test } from "vitest";
import { probe } from "../../../infra/provider/probe.ts";
import { probeType } from "../../../infra/provider/type-tokens.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, serveTypes, unknownText, type Wire } from "../../support/engine.ts";

const target = { type: probeType, name: "probe-web" };

function serve(): ReturnType<typeof serveTypes> {
  return serveTypes({ [probeType]: probe });
}

async function startHttp(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Starts a resolver. `reply` gets the question and gives the addresses, an error code, or nothing at all. */
async function startResolver(
  reply: (name: string, asked: number) => string[] | "NXDOMAIN" | undefined,
): Promise<string> {
  const socket = createSocket("udp4");
  let asked = 0;
  socket.on("message", (bytes, client) => {
    const query: DecodedPacket = dns.decode(bytes);
    const [question] = query.questions ?? [];
    asked += 1;
    const found = reply(question?.name ?? "", asked);
    if (found === undefined) return;
    const answers = Array.isArray(found)
      ? found.map((data): Answer => ({ type: "A", name: question?.name ?? "", ttl: 1, data }))
      : [];
    const packet = { type: "response", id: query.id, questions: query.questions, answers } as const;
    socket.send(dns.encode({ ...packet, flags: found === "NXDOMAIN" ? 3 : 0 }), client.port);
  });
  await new Promise<void>((resolve) => {
    socket.bind(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    socket.close();
  });
  return `127.0.0.1:${String(socket.address().port)}`;
}

function json(body: unknown, status = 200): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", "x-slot": "green" });
    response.end(JSON.stringify(body));
  };
}

function inputsOf(port: number, more: Wire = {}): Wire {
  return {
    stack: "production",
    release: "v2.0.0",
    url: `http://web.example.test:${String(port)}/healthz?token=private`,
    address: "127.0.0.1",
    expect: {},
    deadlineSeconds: 0.3,
    intervalMs: 20,
    ...more,
  };
}

/** The message of a failed probe, without what differs between runs. */
async function failedText(inputs: Wire): Promise<string> {
  const { message } = await failureOf((await serve()).create(target, inputs));
  return message
    .replaceAll(/:\d{4,5}/g, ":PORT")
    .replaceAll(/\d+ attempts? in \d+\.\d s/g, "N attempts in T s");
}

describe("a probe that succeeds", () => {
  test("says when, after how many attempts and where", async () => {
    const port = await startHttp(json({ version: "2.0.0", slot: "green", checks: [{ ok: true }] }));
    const { id, outputs } = await (
      await serve()
    ).create(
      target,
      inputsOf(port, {
        expect: {
          status: 200,
          version: "2.0.0",
          header: { "X-Slot": "green" },
          json: { slot: "green", "checks.0.ok": true, checks: [{ ok: true }] },
        },
      }),
    );
    expect(id).toBe("production:probe-web");
    expect(outputs).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      attempts: 1,
      release: "v2.0.0",
      address: "127.0.0.1",
    });
  });

  test("keeps the Host of the URL when it connects elsewhere", async () => {
    const hosts: (string | undefined)[] = [];
    const port = await startHttp((request, response) => {
      hosts.push(request.headers.host);
      response.end();
    });
    await (await serve()).create(target, inputsOf(port));
    expect(hosts).toEqual([`web.example.test:${String(port)}`]);
  });

  test("waits for a service that is not ready", async () => {
    let asked = 0;
    const port = await startHttp((request, response) => {
      asked += 1;
      if (asked === 1) request.socket.destroy();
      else json({}, asked === 2 ? 503 : 200)(request, response);
    });
    const { outputs } = await (
      await serve()
    ).create(target, inputsOf(port, { deadlineSeconds: 30 }));
    expect(outputs).toMatchObject({ attempts: 3 });
  });

  test("wants so many good answers in a row", async () => {
    const statuses = [200, 200, 503, 200, 200, 200];
    const port = await startHttp((request, response) => {
      json({}, statuses.shift())(request, response);
    });
    const inputs = inputsOf(port, { deadlineSeconds: 30, successes: 3 });
    const { outputs } = await (await serve()).create(target, inputs);
    expect(outputs).toMatchObject({ attempts: 6 });
  });

  test("asks again on an update, and nothing in a preview", async () => {
    let asked = 0;
    const port = await startHttp((_request, response) => {
      asked += 1;
      response.end();
    });
    const engine = await serve();
    const olds = { inputs: inputsOf(port, { release: "v1.0.0" }), outputs: {} };
    expect(await engine.create(target, inputsOf(port), { preview: true })).toEqual({
      id: "",
      outputs: {},
    });
    await engine.update(target, olds, inputsOf(port), { preview: true });
    expect(asked).toBe(0);
    await engine.update(target, olds, inputsOf(port));
    expect(asked).toBe(1);
    expect(await engine.diff(target, olds, inputsOf(port))).toEqual({
      changes: true,
      replaces: [],
      diffs: ["release"],
    });
    expect(await engine.diff(target, olds, olds.inputs)).toMatchObject({ changes: false });
  });
});

describe("a probe that fails", () => {
  test("says what was found, what is required, and for how long it asked", async () => {
    const port = await startHttp(json({}, 503));
    expect(await failedText(inputsOf(port))).toMatchInlineSnapshot(`
      "probe probe-web failed: http://web.example.test:PORT/healthz at 127.0.0.1 is not as required
      found:    status 503
      required: status 200
      after:    N attempts in T s"
    `);
  });

  test.for<{ what: string; expect: Wire; found: string }>([
    { what: "a header", expect: { header: { "X-Slot": "blue" } }, found: "header X-Slot: green" },
    { what: "an absent header", expect: { header: { "X-No": "1" } }, found: "no header X-No" },
    { what: "a value", expect: { json: { slot: "blue" } }, found: 'slot "green"' },
    { what: "an absent value", expect: { json: { "a.b": 1 } }, found: "a.b absent" },
    {
      what: "an inherited value",
      expect: { json: { constructor: 1 } },
      found: "constructor absent",
    },
    { what: "the version", expect: { version: "3.0.0" }, found: 'version "2.0.0"' },
  ])("says that of $what", async ({ expect: expected, found }) => {
    const port = await startHttp(json({ slot: "green", version: "2.0.0" }));
    expect(await failedText(inputsOf(port, { expect: expected }))).toContain(
      `found:    ${found}\n`,
    );
  });

  test("says that there is no JSON, or too much of it", async () => {
    const plain = await startHttp((_request, response) => response.end(`<html>${"x".repeat(999)}`));
    const text = await failedText(inputsOf(plain, { expect: { version: "2.0.0" } }));
    expect(text).toContain("found:    no JSON: <html>xxx");
    expect(text.length).toBeLessThan(600);
    const long = await startHttp(json({ version: "2.0.0", pad: "x".repeat(70_000) }));
    expect(await failedText(inputsOf(long, { expect: { version: "2.0.0" } }))).toContain(
      "an answer of more than 65536 bytes",
    );
  });

  test("says why there is no answer", async () => {
    const text = await failedText(inputsOf(1));
    expect(text).toMatch(/found: {4}no answer from 127\.0\.0\.1: .*ECONNREFUSED/);
    expect(text).not.toContain("private");
  });

  test("does not wait longer for a hanging service than it has time", async () => {
    const port = await startHttp(() => undefined);
    const began = performance.now();
    expect(await failedText(inputsOf(port, { deadlineSeconds: 0.2 }))).toMatch(
      /no complete answer within \d+ ms/,
    );
    expect(performance.now() - began).toBeLessThan(3000);
  });

  test("says when good answers were too few", async () => {
    const port = await startHttp(json({}));
    const inputs = inputsOf(port, { successes: 1000, deadlineSeconds: 0.1 });
    expect(await failedText(inputs)).toMatch(
      /found: {4}\d+ good answers in a row\nrequired: 1000 in a row/,
    );
  });

  test("stops when the run is cancelled", async () => {
    let asked = 0;
    const port = await startHttp((request, response) => {
      asked += 1;
      json({}, 503)(request, response);
    });
    const engine = await serve();
    const failure = failureOf(engine.create(target, inputsOf(port, { deadlineSeconds: 600 })));
    await eventually(() => {
      expect(asked).toBeGreaterThan(1);
    });
    await engine.cancel();
    expect((await failure).message).toBe("the run was cancelled");
  });

  test("stops at the resource's own timeout", async () => {
    const port = await startHttp(() => undefined);
    const engine = await serve();
    const { message } = await failureOf(
      engine.create(target, inputsOf(port, { deadlineSeconds: 600 }), { timeout: 0.1 }),
    );
    expect(message).toBe("probe-web did not end within its timeout of 0.1 s");
  });
});

describe("through resolvers", () => {
  const throughDns = (port: number, resolvers: string[], more: Wire = {}): Wire => {
    const { address: _address, ...inputs } = inputsOf(port);
    return { ...inputs, resolvers, expectAddress: "127.0.0.1", ...more };
  };

  test("connects where all of them say", async () => {
    const port = await startHttp(json({}));
    const names: string[] = [];
    const reply = (name: string): string[] => {
      names.push(name);
      return ["127.0.0.1"];
    };
    const resolvers = [await startResolver(reply), await startResolver(reply)];
    const { outputs } = await (await serve()).create(target, throughDns(port, resolvers));
    expect(outputs).toMatchObject({ attempts: 1, address: "127.0.0.1" });
    expect(names).toEqual(["web.example.test", "web.example.test"]);
  });

  test("waits until the last one has heard of the move", async () => {
    const port = await startHttp(json({}));
    const slow = (_name: string, asked: number): string[] =>
      asked < 3 ? ["127.0.0.9"] : ["127.0.0.1"];
    const resolvers = [await startResolver(() => ["127.0.0.1"]), await startResolver(slow)];
    const inputs = throughDns(port, resolvers, { deadlineSeconds: 30 });
    expect((await (await serve()).create(target, inputs)).outputs).toMatchObject({ attempts: 3 });
  });

  test.for([
    { what: "another address", reply: () => ["127.0.0.9"], found: "127.0.0.9" },
    {
      what: "the old address beside the new",
      reply: () => ["127.0.0.9", "127.0.0.1"],
      found: "127.0.0.1 and 127.0.0.9",
    },
    { what: "no address", reply: () => [], found: "no address" },
    { what: "no such name", reply: () => "NXDOMAIN" as const, found: "NXDOMAIN" },
  ])("fails on $what", async ({ reply, found }) => {
    const port = await startHttp(json({}));
    const resolvers = [await startResolver(() => ["127.0.0.1"]), await startResolver(reply)];
    const text = await failedText(throughDns(port, resolvers));
    expect(text).toContain(
      `found:    127.0.0.1 (127.0.0.1:PORT), ${found} (127.0.0.1:PORT)\n` +
        "required: every resolver answers 127.0.0.1 for web.example.test",
    );
  });

  test("fails on a resolver that does not reply, or is not there", async () => {
    const silent = await startResolver(() => undefined);
    expect(await failedText(throughDns(1, [silent]))).toContain("no reply within 2000 ms");
    expect(await failedText(throughDns(1, ["127.0.0.1:1"]))).toContain("ECONNREFUSED");
  });

  test("without an expected address, they must agree with each other", async () => {
    const port = await startHttp(json({}));
    const one = await startResolver(() => ["127.0.0.1"]);
    const other = await startResolver(() => ["127.0.0.2"]);
    const { expectAddress: _expected, ...inputs } = throughDns(port, [one, one]);
    expect((await (await serve()).create(target, inputs)).outputs).toMatchObject({
      address: "127.0.0.1",
    });
    expect(await failedText({ ...inputs, resolvers: [one, other] })).toContain(
      "every resolver answers the same address",
    );
  });

  test("takes no reply to another question", async () => {
    const socket = createSocket("udp4");
    socket.on("message", (bytes, client) => {
      const query = dns.decode(bytes);
      const answers: Answer[] = [
        { type: "A", name: "web.example.test", ttl: 1, data: "127.0.0.1" },
      ];
      const reply = { type: "response", questions: query.questions, answers } as const;
      socket.send("no DNS at all", client.port);
      socket.send(dns.encode({ ...reply, id: ((query.id ?? 0) + 1) % 0x1_00_00 }), client.port);
      const questions = [{ type: "A", name: "other.example.test" }] as const;
      socket.send(dns.encode({ ...reply, id: query.id, questions: [...questions] }), client.port);
    });
    await new Promise<void>((resolve) => {
      socket.bind(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => {
      socket.close();
    });
    const resolver = `127.0.0.1:${String(socket.address().port)}`;
    expect(await failedText(throughDns(1, [resolver]))).toContain("no reply within 2000 ms");
  });
});

test("an expected address holds for the system's resolver too", async () => {
  const port = await startHttp(json({}));
  const { address: _address, ...inputs } = inputsOf(port);
  const url = `http://127.0.0.1:${String(port)}/`;
  await (await serve()).create(target, { ...inputs, url, expectAddress: "127.0.0.1" });
  const text = await failedText({ ...inputs, url, expectAddress: "127.0.0.2" });
  expect(text).toContain("found:    an answer from 127.0.0.1\nrequired: one from 127.0.0.2");
});

test("check names every input that is wrong, and judges nothing unknown", async () => {
  const engine = await serve();
  const wrong = inputsOf(1, {
    url: "http://user:secret@web.example.test/",
    address: "web",
    resolvers: ["one.one.one.one:53"],
    expect: { status: "200" },
    deadlineSeconds: 0,
  });
  const failures = await engine.check(target, wrong);
  expect(failures.map((failure) => failure.property)).toEqual([
    "url",
    "address",
    "resolvers.0",
    "expect.status",
    "deadlineSeconds",
  ]);
  expect(failures[0]?.reason).toBe("required is an http or https URL without a user and password");
  expect(
    await engine.check(target, inputsOf(1, { url: unknownText, address: unknownText })),
  ).toEqual([]);
});
