import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { loadDocuments } from "../../../infra/evidence/load-documents.ts";
import { startMoto, type Moto } from "../../support/moto.ts";

let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
  for (const [name, value] of Object.entries(moto.environment)) vi.stubEnv(name, value);
  const client = new S3Client({});
  const Bucket = "evidence";
  await client.send(
    new CreateBucketCommand({
      Bucket,
      CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
    }),
  );
  const objects = {
    "flagship/v1.0.0/b.sigstore.json": "{}",
    "flagship/v1.0.0/a.intoto.jsonl": '{"a":1}\n{"a":2}\n',
    "flagship/v1.0.0/report.xml": "<testsuites/>",
    "flagship/v1.0.0/nested/c.intoto.jsonl": "{}",
    "flagship/v1.0.0/empty.intoto.jsonl": "",
    "flagship/v1.0.0/huge.intoto.jsonl": "x".repeat(8 * 1024 * 1024 + 1),
    "flagship/v2.0.0/other.intoto.jsonl": "{}",
  };
  for (const [Key, Body] of Object.entries(objects)) {
    await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  }
  client.destroy();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await moto.close();
});

const load = (location: string): ReturnType<typeof loadDocuments> =>
  loadDocuments(location, "v1.0.0", "/nowhere");

test("a bucket gives the release's documents and no others", async () => {
  expect(await load("s3://evidence/flagship/")).toEqual([
    { name: "a.intoto.jsonl, line 1", text: '{"a":1}' },
    { name: "a.intoto.jsonl, line 2", text: '{"a":2}' },
    { name: "b.sigstore.json", text: "{}" },
    { name: "empty.intoto.jsonl", problem: "it is empty" },
    { name: "huge.intoto.jsonl", problem: "it is larger than 8 MiB" },
  ]);
});

test("a prefix without the release gives nothing", async () => {
  expect(await load("s3://evidence")).toEqual([]);
});

test("no such bucket is a problem", async () => {
  expect(await load("s3://no-such-bucket/flagship")).toEqual([
    { name: "s3://no-such-bucket/flagship", problem: "there is no such bucket" },
  ]);
});
