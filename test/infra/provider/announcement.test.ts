import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { announcement, announcing } from "../../../infra/provider/announcement.ts";
import { announcementType } from "../../../infra/provider/type-tokens.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, secret, serveTypes, type Wire } from "../../support/engine.ts";

const target = { type: announcementType, name: "maintenance" };
const canary = "canary-5e0a91";

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Wire;
}

interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
}

/** Starts a webhook. `reply` is told how many requests came before. */
async function startReceiver(
  reply: (response: ServerResponse, before: number) => unknown = (response) => response.end("ok"),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, body: JSON.parse(text) as Wire });
      reply(response, received.length - 1);
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}/hooks/${canary}`, received };
}

const status =
  (...codes: number[]) =>
  (response: ServerResponse, before: number): void => {
    response.writeHead(codes[before] ?? (codes.at(-1) as number)).end(`body ${canary}`);
  };

function serve(deadline = 5000): ReturnType<typeof serveTypes> {
  return serveTypes({ [announcementType]: announcing({ deadline, firstPause: 5 }) });
}

function inputsOf(url: string, more: Wire = {}): Wire {
  return {
    stack: "flagship/production",
    release: "v1.1.0",
    name: "maintenance",
    on: "freeze",
    text: "Orders cannot be changed from 02:00 to 02:15 UTC.",
    url: secret(url),
    ...more,
  };
}

async function failedText(url: string, more?: Wire, deadline?: number): Promise<string> {
  const { message } = await failureOf((await serve(deadline)).create(target, inputsOf(url, more)));
  expect(message).not.toContain(canary);
  expect(message).not.toContain("127.0.0.1");
  return message;
}

describe("an announcement", () => {
  test("is posted as JSON that chat services can show, and says when it was answered", async () => {
    const { url, received } = await startReceiver(status(204));
    const { id, outputs } = await (
      await serve()
    ).create(target, inputsOf(url, { plannedCutover: "2026-12-01T02:00:00Z" }));
    expect(id).toBe("flagship/production:v1.1.0:maintenance");
    expect(outputs).toEqual({
      answeredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      status: 204,
    });
    expect(received).toHaveLength(1);
    const [{ method, headers, body } = {} as Received] = received;
    expect(method).toBe("POST");
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["idempotency-key"]).toMatch(/^[0-9a-f]{64}$/);
    expect(body).toEqual({
      text: "Orders cannot be changed from 02:00 to 02:15 UTC.",
      name: "maintenance",
      on: "freeze",
      stack: "flagship/production",
      release: "v1.1.0",
      plannedCutover: "2026-12-01T02:00:00Z",
      idempotencyKey: headers["idempotency-key"],
    });
  });

  test("says when what it asks for is due", async () => {
    const { url, received } = await startReceiver();
    const { outputs } = await (
      await serve()
    ).create(target, inputsOf(url, { dueWithinSeconds: 172_800 }));
    const [{ body } = {} as Received] = received;
    expect(body["dueAt"]).toBe(outputs["dueAt"]);
    const hours = (Date.parse(String(outputs["dueAt"])) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(47.9);
    expect(hours).toBeLessThanOrEqual(48);
  });

  test("has one key for all tries, and another for other words and for another move", async () => {
    const { url, received } = await startReceiver(status(503, 200));
    const engine = await serve();
    await engine.create(target, inputsOf(url));
    await engine.create(target, inputsOf(url));
    await engine.create(target, inputsOf(url, { text: "Later." }));
    await engine.create(target, inputsOf(url, { lastLiveAt: "2026-11-21T03:00:00.000Z" }));
    await engine.create(target, inputsOf(url, { release: "v1.2.0" }));
    const keys = received.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(6);
    expect(new Set(keys.slice(0, 3)).size).toBe(1);
    expect(new Set(keys.slice(2)).size).toBe(4);
  });

  test("that takes a correction back has a key of its own, so that no receiver drops it", async () => {
    const { url, received } = await startReceiver();
    const engine = await serve();
    const [first, second] = [inputsOf(url), inputsOf(url, { text: "Later." })];
    const made = await engine.create(target, first);
    const corrected = {
      inputs: second,
      outputs: (await engine.update(target, { inputs: first, outputs: made.outputs }, second))
        .outputs,
    };
    await engine.update(target, corrected, first);
    // A run that is killed before the state is written says it again.
    await engine.update(target, corrected, first);
    const keys = received.map(({ headers }) => headers["idempotency-key"]);
    expect(new Set(keys.slice(0, 3)).size).toBe(3);
    expect(keys[3]).toBe(keys[2]);
  });

  test("does not happen in a preview", async () => {
    const { url, received } = await startReceiver();
    const engine = await serve();
    expect(await engine.create(target, inputsOf(url), { preview: true })).toEqual({
      id: "",
      outputs: {},
    });
    const olds = { inputs: inputsOf(url), outputs: {} };
    await engine.update(target, olds, inputsOf(url, { text: "Later." }), { preview: true });
    expect(received).toEqual([]);
  });

  test("is made again when its words or its release change, and not for a new URL", async () => {
    const { url, received } = await startReceiver();
    const engine = await serve();
    const outputs = { answeredAt: "2026-11-21T03:00:00.000Z", status: 200 };
    const olds = { inputs: inputsOf(url), outputs };
    const moved = inputsOf(`${url}/moved`);
    expect(await engine.diff(target, olds, inputsOf(url))).toMatchObject({ changes: false });
    expect(await engine.diff(target, olds, moved)).toMatchObject({ changes: false });
    expect((await engine.update(target, olds, moved)).outputs).toEqual(outputs);
    expect(received).toEqual([]);
    for (const change of [{ text: "Later." }, { release: "v1.2.0" }]) {
      const news = inputsOf(url, change);
      expect(await engine.diff(target, olds, news)).toEqual({
        changes: true,
        replaces: [],
        diffs: Object.keys(change),
      });
      await engine.update(target, olds, news);
    }
    expect(received.map(({ body }) => body["text"])).toEqual(["Later.", olds.inputs["text"]]);
  });

  test("is not taken back", async () => {
    const { url, received } = await startReceiver();
    const engine = await serve();
    await engine.delete(target, { inputs: inputsOf(url), outputs: {} });
    expect(received).toEqual([]);
  });

  test.for([[[500, 503, 429, 200]], [[502, 201]]])("is tried again after %j", async ([codes]) => {
    const { url, received } = await startReceiver(status(...(codes ?? [])));
    const { outputs } = await (await serve()).create(target, inputsOf(url));
    expect(outputs["status"]).toBe(codes?.at(-1));
    expect(received).toHaveLength(codes?.length ?? 0);
  });

  test("is tried again after a broken connection", async () => {
    const { url, received } = await startReceiver((response, before) =>
      before === 0 ? response.socket?.destroy() : response.end(),
    );
    expect((await (await serve()).create(target, inputsOf(url))).outputs["status"]).toBe(200);
    expect(received).toHaveLength(2);
  });
});

describe("an announcement that is not taken", () => {
  test("says which one, what came back and what to do, but not where it went", async () => {
    const { url, received } = await startReceiver(status(500));
    expect(await failedText(url)).toMatchInlineSnapshot(`
      "announcement maintenance was not taken by its webhook.
      Writes are not frozen and traffic was not moved.
      found:    status 500, after 4 tries
      required: a status 2xx within 5 s
      to do:    mend the receiver, or set another address with
                pulumi config set --secret --path 'cutover:webhooks.maintenance'
                and run pulumi up again; what was announced is not announced twice"
    `);
    expect(received).toHaveLength(4);
  });

  test.for([
    [404, "status 404, after 1 try"],
    [401, "status 401, after 1 try"],
    [302, "status 302, a redirect, which is not followed, after 1 try"],
    [429, "status 429, after 4 tries"],
  ] as const)("says that of status %i", async ([code, found]) => {
    const { url } = await startReceiver(status(code));
    expect(await failedText(url)).toContain(`found:    ${found}\n`);
  });

  test("does not follow a redirect to where it would be taken", async () => {
    const other = await startReceiver();
    const { url } = await startReceiver((response) =>
      response.writeHead(307, { location: other.url }).end(),
    );
    expect(await failedText(url)).toContain("status 307");
    expect(other.received).toEqual([]);
  });

  test("says why there is no answer", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => free.once("listening", resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    expect(await failedText(`http://127.0.0.1:${String(port)}/`)).toContain(
      "found:    no connection (ECONNREFUSED), after 4 tries",
    );
    // Browsers are kept from this port, and so is fetch.
    expect(await failedText("http://127.0.0.1:6000/")).toContain("found:    no connection, after");
  });

  test("waits no longer than its deadline", async () => {
    const { url } = await startReceiver(() => undefined);
    const began = performance.now();
    expect(await failedText(url, {}, 200)).toMatch(
      /found: {4}no answer, after 1 try\nrequired: a status 2xx within 0\.2 s/,
    );
    expect(performance.now() - began).toBeLessThan(3000);
  });

  test.for([
    ["lower-ttl", "Nothing behind this step was changed."],
    ["freeze", "Writes are not frozen and traffic was not moved."],
    ["live", "The release serves and writes are open."],
    ["rollback", "The rollback is done and serves."],
  ] as const)("on %s says how things stand", async ([on, text]) => {
    const { url } = await startReceiver(status(410));
    expect(await failedText(url, { on })).toContain(text);
  });

  test("stops when the run is cancelled", async () => {
    const { url, received } = await startReceiver(() => undefined);
    const engine = await serve();
    const failure = failureOf(engine.create(target, inputsOf(url)));
    await eventually(() => {
      expect(received).toHaveLength(1);
    });
    await engine.cancel();
    expect((await failure).message).toBe("the run was cancelled");
  });
});

test.for([
  "http://hooks.example.com/a",
  "http://128.0.0.1/a",
  "http://localhost/a",
  "http://127.example.com/a",
  "https://user:canary@hooks.example.com/a",
  "ftp://127.0.0.1/a",
  "hooks.example.com/a",
])("%s is no webhook", async (url) => {
  const engine = await serveTypes({ [announcementType]: announcement });
  const failures = await engine.check(target, inputsOf(url));
  expect(failures).toEqual([
    { property: "url", reason: expect.stringContaining("an https URL") as string },
  ]);
  expect(JSON.stringify(failures)).not.toContain("canary");
});

test.for(["https://hooks.example.com/a?b=c", "http://127.0.0.1:8080/a", "http://127.9.8.7/"])(
  "%s is a webhook",
  async (url) => {
    const engine = await serveTypes({ [announcementType]: announcement });
    expect(await engine.check(target, inputsOf(url))).toEqual([]);
  },
);
