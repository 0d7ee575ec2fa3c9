import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  afterAll,
  afterEach,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { d1Export, exportKey } from "../../../infra/provider/d1-export.ts";
import { d1ExportType } from "../../../infra/provider/type-tokens.ts";
import { failureOf, serveTypes, unknownText, type Wire } from "../../support/engine.ts";
import { startMoto } from "../../support/moto.ts";
import { useAws } from "../readings/aws/aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());
const token = "hunter2-canary-token";
const signature = "canary-signature";
const accountId = "0123456789abcdef0123456789abcdef";
const databaseId = "01234567-89ab-4cde-8f01-23456789abcd";
const sql = "PRAGMA defer_foreign_keys=TRUE;\nCREATE TABLE notes (id INTEGER);\n".repeat(500);
const target = { type: d1ExportType, name: "legacy-d1-export" };
let buckets = 0;
let bucket = "";

beforeEach(async () => {
  useAws(moto.environment);
  vi.stubEnv("CLOUDFLARE_API_TOKEN", token);
  buckets += 1;
  bucket = `exports-${String(buckets)}`;
  await s3().send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
    }),
  );
});

afterEach(() => vi.unstubAllEnvs());

function s3(): S3Client {
  const client = new S3Client({ forcePathStyle: true });
  onTestFinished(() => client.destroy());
  return client;
}

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

interface Cloudflare {
  readonly asked: readonly Asked[];
  /** What the export API answers, one after another; the last one stays. */
  readonly answers: unknown[];
  /** What the download answers. */
  download: (response: ServerResponse) => void;
}

const running = { status: null, at_bookmark: "b-1", success: true, type: "export" };
const complete = (url: string) => ({
  ...running,
  status: "complete",
  result: { filename: "x.sql", signed_url: url },
});

/** Starts a Cloudflare that exports in three answers. */
async function startCloudflare(): Promise<Cloudflare> {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    void text(request).then((body) => {
      const path = request.url ?? "";
      asked.push({ path, authorization: request.headers.authorization, body });
      if (path.startsWith("/signed")) {
        cloudflare.download(response);
        return;
      }
      const { answers } = cloudflare;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (typeof answer === "number") {
        const errors = [{ code: 10_000, message: `refused ${token}` }];
        response.writeHead(answer).end(JSON.stringify({ success: false, errors }));
      } else
        response.end(JSON.stringify({ success: true, errors: [], messages: [], result: answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  vi.stubEnv("CLOUDFLARE_BASE_URL", `${origin}/client/v4`);
  const cloudflare: Cloudflare = {
    asked,
    answers: [
      running,
      { ...running, at_bookmark: "b-2" },
      complete(`${origin}/signed?${signature}`),
    ],
    download: (response) => response.end(sql),
  };
  return cloudflare;
}

const serve = (): ReturnType<typeof serveTypes> => serveTypes({ [d1ExportType]: d1Export });

function inputsOf(more: Wire = {}): Wire {
  return {
    stack: "ignition/test",
    release: "v1.0.0",
    accountId,
    databaseId,
    name: "ignition-legacy",
    store: { store: "s3", bucket },
    deadlineSeconds: 20,
    intervalMs: 5,
    ...more,
  };
}

async function keys(): Promise<(string | undefined)[]> {
  const { Contents = [] } = await s3().send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key }) => Key);
}

describe("an export of a D1 database", () => {
  test("is the whole of it in its bucket, under a name with its time", async () => {
    const { asked } = await startCloudflare();
    const { outputs } = await (await serve()).create(target, inputsOf());
    const { key, takenAt } = outputs as { key: string; takenAt: string };
    expect(outputs).toEqual({
      key: exportKey(takenAt),
      bytes: sql.length,
      sha256: createHash("sha256").update(sql).digest("hex"),
      takenAt,
    });
    expect(key).toMatch(/^legacy_d1_final_\d{8}_\d{6}\.sql$/);
    const object = await s3().send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    expect(await object.Body?.transformToString()).toBe(sql);
    expect(object.Metadata).toMatchObject({ stack: "ignition/test", "d1-database": databaseId });
    expect(asked.map(({ path }) => path.split("?")[0])).toEqual([
      ...Array.from(
        { length: 3 },
        () => `/client/v4/accounts/${accountId}/d1/database/${databaseId}/export`,
      ),
      "/signed",
    ]);
  });

  test("is asked for with the bookmark, and with the token nowhere but at the API", async () => {
    const { asked } = await startCloudflare();
    await (await serve()).create(target, inputsOf());
    expect(asked.slice(0, 3).map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { output_format: "polling" },
      { output_format: "polling", current_bookmark: "b-1" },
      { output_format: "polling", current_bookmark: "b-2" },
    ]);
    expect(asked.map(({ authorization }) => authorization)).toEqual([
      ...Array.from({ length: 3 }, () => `Bearer ${token}`),
      undefined,
    ]);
  });

  test("leaves no file behind, also when it fails", async () => {
    const folder = mkdtempSync(join(tmpdir(), "d1-export-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    vi.stubEnv("TMPDIR", folder);
    const cloudflare = await startCloudflare();
    const engine = await serve();
    await engine.create(target, inputsOf());
    cloudflare.download = (response) => response.end();
    await failureOf(engine.create(target, inputsOf()));
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["2026-11-21T22:05:09.123Z", "legacy_d1_final_20261121_220509.sql"],
    ["2026-01-01T00:00:00.000Z", "legacy_d1_final_20260101_000000.sql"],
  ])("of %s is %s", (takenAt, key) => {
    expect(exportKey(takenAt)).toBe(key);
  });
});

describe("is refused, and nothing is put into the bucket", () => {
  const cases: Readonly<Record<string, readonly [(cloudflare: Cloudflare) => unknown, RegExp]>> = {
    "an empty export": [
      (each) => (each.download = (response) => response.end()),
      /an export of 0 bytes/,
    ],
    "a download that breaks off": [
      (each) =>
        (each.download = (response) => {
          response.writeHead(200, { "content-length": String(sql.length) });
          response.write(sql.slice(0, 100), () => response.destroy());
        }),
      /a download that broke off/,
    ],
    "a download that has expired": [
      (each) => (each.download = (response) => response.writeHead(403).end("expired")),
      /status 403 for the export/,
    ],
    "an export that Cloudflare could not make": [
      (each) => each.answers.splice(0, 9, { ...running, status: "error", error: "no" }),
      /could not make the export/,
    ],
    "a token that may not": [
      (each) => each.answers.splice(0, 9, 403),
      /status 403, code 10000[^]*D1:Edit/,
    ],
    "no such database": [
      (each) => each.answers.splice(0, 9, 404),
      /status 404[^]*cutover:legacy\.d1\.adopt/,
    ],
    "a failure of Cloudflare": [
      (each) => each.answers.splice(0, 9, 500),
      /status 500[^]*run pulumi up again/,
    ],
    "an answer of another form": [
      (each) => each.answers.splice(0, 9, { status: "complete" }),
      /found: {4}status 200/,
    ],
    "an address without TLS": [
      (each) => each.answers.splice(0, 9, complete(`http://example.com/${signature}`)),
      /without TLS/,
    ],
    "no token": [() => vi.stubEnv("CLOUDFLARE_API_TOKEN", ""), /no CLOUDFLARE_API_TOKEN/],
    "a token that is none": [
      () => vi.stubEnv("CLOUDFLARE_API_TOKEN", "two words"),
      /no token in CLOUDFLARE_API_TOKEN/,
    ],
    "an API elsewhere without TLS": [
      () => vi.stubEnv("CLOUDFLARE_BASE_URL", "http://example.com"),
      /CLOUDFLARE_BASE_URL is no https URL/,
    ],
    "an API that nobody reaches": [
      () => vi.stubEnv("CLOUDFLARE_BASE_URL", "http://127.0.0.1:9"),
      /no connection \(/,
    ],
  };
  test.each(Object.entries(cases))("%s", async (_, [change, message]) => {
    change(await startCloudflare());
    const failed = await failureOf((await serve()).create(target, inputsOf()));
    expect(failed.message).toMatch(message);
    expect(failed.message).not.toMatch(/canary/);
    expect(await keys()).toEqual([]);
  });

  test("at its deadline", async () => {
    const cloudflare = await startCloudflare();
    cloudflare.answers.splice(0, 9, running);
    const inputs = inputsOf({ deadlineSeconds: 0.2 });
    const { message } = await failureOf((await serve()).create(target, inputs));
    expect(message).toMatch(/no whole export within 0\.2 s/);
  });

  test("without a bucket the database is not asked: it would answer nobody meanwhile", async () => {
    const { asked } = await startCloudflare();
    const store = { store: "r2", bucket: "exports", accountId };
    vi.stubEnv("R2_ACCESS_KEY_ID", "");
    const { message } = await failureOf((await serve()).create(target, inputsOf({ store })));
    expect(message).toContain("R2_ACCESS_KEY_ID");
    expect(asked).toEqual([]);
  });
});

describe("is made once", () => {
  const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();
  const olds = (takenAt: unknown): { inputs: Wire; outputs: Wire } => ({
    inputs: inputsOf(),
    outputs: { key: "x", takenAt },
  });

  test.each([
    ["another release", ago(1e6), { release: "v1.1.0" }, false],
    ["another deadline", ago(1e6), { deadlineSeconds: 5 }, false],
    ["another database", ago(1), { databaseId: databaseId.replace("0", "1") }, true],
    ["another bucket", ago(1), { store: { store: "s3", bucket: "other" } }, true],
    ["an export that is young enough", ago(50), { renewAfterSeconds: 60 }, false],
    ["an export that is too old", ago(70), { renewAfterSeconds: 60 }, true],
    ["an export without a time", null, { renewAfterSeconds: 60 }, true],
  ])("%s", async (_, takenAt, change, changes) => {
    const found = await (await serve()).diff(target, olds(takenAt), inputsOf(change));
    expect(found.changes).toBe(changes);
  });

  test("a preview asks nobody", async () => {
    const { asked } = await startCloudflare();
    const engine = await serve();
    const inputs = inputsOf({ databaseId: unknownText });
    expect(await engine.check(target, inputs)).toEqual([]);
    expect(await engine.create(target, inputs, { preview: true })).toEqual({ id: "", outputs: {} });
    expect(asked).toEqual([]);
  });
});
