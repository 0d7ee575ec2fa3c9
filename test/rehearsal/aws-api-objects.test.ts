import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect, onTestFinished, test, vi } from "vitest";
import { openObjectStore } from "../../infra/provider/object-store.ts";
import { loadDocuments } from "../../infra/evidence/load-documents.ts";
import { startAwsApi } from "../../rehearsal/stand-ins/aws-api/aws-api.ts";
import { openStore, type Store } from "../../rehearsal/stand-ins/store.ts";

/** An account with these buckets. The rehearsal's clock runs a thousand times faster. */
async function open(
  buckets: Readonly<Record<string, object>>,
  collection = "aws-s3-buckets",
): Promise<{ store: Store; client: S3Client }> {
  const folder = await mkdtemp(join(tmpdir(), "aws-api-test-"));
  const store = openStore(folder);
  for (const [name, record] of Object.entries(buckets)) {
    mkdirSync(join(folder, collection === "aws-s3-buckets" ? "s3" : "r2", name), {
      recursive: true,
    });
    store.collection<object>(collection).set(name, { settings: {}, ...record });
  }
  const api = await startAwsApi({
    account: { store, network: undefined as never, clockScale: 1000, region: "eu-central-1" },
    aws: { types: {}, publish: () => Promise.resolve() },
    address: "127.0.0.1",
    region: "eu-central-1",
  });
  for (const [name, value] of Object.entries(api.env)) vi.stubEnv(name, value);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await api.close();
    await rm(folder, { recursive: true });
  });
  const endpoint = collection === "aws-s3-buckets" ? {} : { region: "auto" };
  return { store, client: new S3Client({ maxAttempts: 1, ...endpoint }) };
}

async function bodyOf(client: S3Client, Bucket: string, Key: string, VersionId?: string) {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return Body?.transformToString();
}

const Bucket = "dumps";
const Key = "production/2026 11/ä&<b>'.dump";

test("an object comes back as it was put, and lies in the bucket's folder", async () => {
  const { store, client } = await open({ dumps: {} });
  const Body = Buffer.from("a dump\n");
  const ChecksumSHA256 = createHash("sha256").update(Body).digest("base64");
  await client.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body,
      ChecksumSHA256,
      ContentType: "application/x-dump",
      Metadata: { release: "v1.0.0" },
    }),
  );
  const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  expect(head).toMatchObject({
    ContentLength: 7,
    ContentType: "application/x-dump",
    ChecksumSHA256,
    Metadata: { release: "v1.0.0" },
  });
  expect(await bodyOf(client, Bucket, Key)).toBe("a dump\n");
  const listed = await client.send(new ListObjectsV2Command({ Bucket, Prefix: "production/" }));
  expect(listed.Contents?.map((each) => [each.Key, each.Size])).toEqual([[Key, 7]]);
  expect(readdirSync(join(store.folder, "s3", "dumps"))).toHaveLength(1);

  await client.send(new DeleteObjectCommand({ Bucket, Key }));
  expect(readdirSync(join(store.folder, "s3", "dumps"))).toEqual([]);
  await expect(bodyOf(client, Bucket, Key)).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("a stream is put whole, and a wrong checksum is refused", async () => {
  const { client } = await open({ dumps: {} });
  const long = "x".repeat(200_000);
  await client.send(
    new PutObjectCommand({ Bucket, Key, Body: Readable.from([long]), ContentLength: long.length }),
  );
  expect(await bodyOf(client, Bucket, Key)).toBe(long);

  const ChecksumSHA256 = createHash("sha256").update("other").digest("base64");
  await expect(
    client.send(new PutObjectCommand({ Bucket, Key: "wrong", Body: "this", ChecksumSHA256 })),
  ).rejects.toMatchObject({ name: "BadDigest" });
  await expect(bodyOf(client, Bucket, "wrong")).rejects.toMatchObject({ name: "NoSuchKey" });
});

test("no key leads out of the bucket's folder, and keys may begin with another", async () => {
  const { store, client } = await open({ dumps: {} });
  const keys = ["../../escaped", "a", "a/b", "..", "."];
  for (const each of keys)
    await client.send(new PutObjectCommand({ Bucket, Key: `k/${each}`, Body: each }));
  for (const each of keys) expect(await bodyOf(client, Bucket, `k/${each}`)).toBe(each);
  expect(readdirSync(store.folder)).not.toContain("escaped");
  expect(readdirSync(join(store.folder, "s3", "dumps"))).toHaveLength(keys.length);
  await expect(
    client.send(new PutObjectCommand({ Bucket, Key: "k".repeat(300), Body: "" })),
  ).rejects.toMatchObject({ name: "KeyTooLongError" });
});

test("a list comes in the order of its keys, in pages, and by folders", async () => {
  const { client } = await open({ dumps: {}, "dumps-2": {} });
  for (const key of ["b/2", "a", "b/1", "c"]) {
    await client.send(new PutObjectCommand({ Bucket, Key: key, Body: key }));
  }
  await client.send(new PutObjectCommand({ Bucket: "dumps-2", Key: "other", Body: "" }));
  const first = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 3 }));
  expect(first.Contents?.map((each) => each.Key)).toEqual(["a", "b/1", "b/2"]);
  const rest = await client.send(
    new ListObjectsV2Command({ Bucket, ContinuationToken: first.NextContinuationToken }),
  );
  expect([first.IsTruncated, rest.IsTruncated]).toEqual([true, false]);
  expect(rest.Contents?.map((each) => each.Key)).toEqual(["c"]);
  const folders = await client.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
  expect(folders.CommonPrefixes).toEqual([{ Prefix: "b/" }]);
  expect(folders.Contents?.map((each) => each.Key)).toEqual(["a", "c"]);
});

test("what must not exist yet is not written over", async () => {
  const { client } = await open({ dumps: {} });
  const put = (Body: string) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: "*" }));
  await put("first");
  await expect(put("second")).rejects.toMatchObject({ name: "PreconditionFailed" });
  expect(await bodyOf(client, Bucket, Key)).toBe("first");
});

const versioning = { versioning: { versioningConfiguration: { status: "Enabled" } } };

test("a versioned bucket keeps what was written over and what was deleted", async () => {
  const { client } = await open({ dumps: { settings: versioning } });
  const first = await client.send(new PutObjectCommand({ Bucket, Key, Body: "1" }));
  await client.send(new PutObjectCommand({ Bucket, Key, Body: "2" }));
  const deleted = await client.send(new DeleteObjectCommand({ Bucket, Key }));
  expect(deleted.DeleteMarker).toBe(true);
  await expect(bodyOf(client, Bucket, Key)).rejects.toMatchObject({ name: "NoSuchKey" });
  expect(await bodyOf(client, Bucket, Key, first.VersionId)).toBe("1");
  await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId: deleted.VersionId }));
  expect(await bodyOf(client, Bucket, Key)).toBe("2");
});

const lock = (days: number) => ({
  objectLockEnabled: true,
  settings: {
    ...versioning,
    "object-lock": { rule: { defaultRetention: { mode: "COMPLIANCE", days } } },
  },
});

test("nobody deletes a locked version before its days are over by the rehearsal's clock", async () => {
  const { client, store } = await open({ dumps: lock(30) });
  const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key, Body: "kept" }));
  const remove = () => client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  await expect(remove()).rejects.toMatchObject({ name: "AccessDenied" });
  expect(await bodyOf(client, Bucket, Key, VersionId)).toBe("kept");

  const objects = store.collection<{ at: string }[]>("aws-s3-objects");
  const [[record, versions] = ["", []]] = objects.entries();
  const old = new Date(Date.now() - (31 * 86_400_000) / 1000).toISOString();
  objects.set(
    record,
    versions.map((version) => ({ ...version, at: old })),
  );
  await remove();
  await expect(bodyOf(client, Bucket, Key, VersionId)).rejects.toMatchObject({
    name: "NoSuchVersion",
  });
});

test("who writes may lock a version for longer than the bucket does, where it can lock at all", async () => {
  const { client } = await open({ dumps: lock(1), plain: {} });
  const until = new Date(Date.now() + 35 * 86_400_000);
  const put = (to: string, ObjectLockRetainUntilDate: Date) =>
    client.send(
      new PutObjectCommand({
        Bucket: to,
        Key,
        Body: "x",
        ChecksumAlgorithm: "SHA256",
        ObjectLockMode: "COMPLIANCE",
        ObjectLockRetainUntilDate,
      }),
    );
  const { VersionId } = await put(Bucket, until);
  await expect(
    client.send(new DeleteObjectCommand({ Bucket, Key, VersionId })),
  ).rejects.toMatchObject({ name: "AccessDenied" });
  await expect(put(Bucket, new Date(0))).rejects.toMatchObject({ name: "InvalidArgument" });
  await expect(put("plain", until)).rejects.toMatchObject({ name: "InvalidRequest" });
});

test("a bucket of R2 refuses to delete and to write over what its rules lock", async () => {
  const rule = { id: "dumps", enabled: true, prefix: "production/" };
  const lockRules = [{ ...rule, condition: { type: "Age", maxAgeSeconds: 86_400 * 30 } }];
  const { client } = await open({ dumps: { lockRules } }, "cloudflare-r2-buckets");
  const put = (key: string) => client.send(new PutObjectCommand({ Bucket, Key: key, Body: key }));
  await put(Key);
  await put("other/x");
  await put("other/x");
  await client.send(new DeleteObjectCommand({ Bucket, Key: "other/x" }));
  const locked = { name: "ObjectLockedByBucketPolicy", $metadata: { httpStatusCode: 409 } };
  await expect(put(Key)).rejects.toMatchObject(locked);
  await expect(client.send(new DeleteObjectCommand({ Bucket, Key }))).rejects.toMatchObject(locked);
  expect(await bodyOf(client, Bucket, Key)).toBe(Key);
  await expect(
    new S3Client({ maxAttempts: 1 }).send(new GetObjectCommand({ Bucket, Key })),
  ).rejects.toMatchObject({ name: "NoSuchBucket" });
});

test.each([
  ["aws-s3-buckets", { store: "s3", bucket: Bucket, lockDays: 35 }, lock(1)],
  ["cloudflare-r2-buckets", { store: "r2", bucket: Bucket, accountId: "a".repeat(32) }, {}],
] as const)("the program's own store of objects works on %s", async (collection, place, bucket) => {
  const { store } = await open({ dumps: bucket }, collection);
  const file = join(store.folder, "a.dump");
  writeFileSync(file, "a dump\n");
  const sha256 = createHash("sha256").update("a dump\n").digest("hex");
  const objects = await openObjectStore(place, new AbortController().signal);
  onTestFinished(() => {
    objects.close();
  });
  const object = { key: "s/v1.0.0/a.dump", file, bytes: 7, sha256, notes: { release: "v1.0.0" } };
  await objects.put(object);
  const kept = { key: object.key, bytes: 7, notes: { release: "v1.0.0" } };
  expect(await objects.find(object.key)).toMatchObject(kept);
  expect(await objects.find("s/none")).toBeUndefined();
  expect(JSON.stringify(await objects.newest("s/"))).toContain(object.key);
  expect(await text(await objects.read(object.key))).toBe("a dump\n");
  await expect(objects.put(object)).rejects.toThrow("another object lies there already");
});

test("signed documents are loaded from a bucket", async () => {
  const { client } = await open({ evidence: {} });
  for (const name of ["v1.0.0/a.intoto.jsonl", "v1.1.0/b.intoto.jsonl"]) {
    await client.send(
      new PutObjectCommand({ Bucket: "evidence", Key: `stageos/${name}`, Body: '{"a":1}\n' }),
    );
  }
  expect(await loadDocuments("s3://evidence/stageos", "v1.0.0", "/nowhere")).toEqual([
    { name: "a.intoto.jsonl", text: '{"a":1}' },
  ]);
});
