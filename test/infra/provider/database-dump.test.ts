import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { databaseDump, dumpKey } from "../../../infra/provider/database-dump.ts";
import { databaseDumpType } from "../../../infra/provider/type-tokens.ts";
import { failureOf, secret, serveTypes, unknownText, type Wire } from "../../support/engine.ts";
import { containerName, login, startPostgresHost, type PostgresHost } from "./postgres-host.ts";

const target = { type: databaseDumpType, name: "recovery-point" };
let host: PostgresHost;

beforeAll(async () => {
  host = await startPostgresHost();
  await host.query("CREATE TABLE orders (id bigint PRIMARY KEY, note text)");
  await host.query("INSERT INTO orders SELECT n, 'note ' || n FROM generate_series(1, 500) n");
}, 120_000);

afterAll(() => host.close());

beforeEach(() => {
  for (const [name, value] of Object.entries(host.environment)) vi.stubEnv(name, value);
  return () => vi.unstubAllEnvs();
});

let tokens = 0;

function inputs(more: Wire = {}): Wire {
  tokens += 1;
  return {
    stack: "flagship/production",
    system: "flagship",
    release: "v1.1.0",
    name: login.database,
    token: `token-${String(tokens)}`,
    user: login.user,
    password: secret(login.password),
    container: containerName,
    host: host.host,
    store: { store: "s3", bucket: "dumps" },
    ...more,
  };
}

function serve() {
  return serveTypes({ [databaseDumpType]: databaseDump });
}

async function keys(): Promise<string[]> {
  const { Contents = [] } = await host.s3.send(new ListObjectsV2Command({ Bucket: "dumps" }));
  return Contents.map(({ Key = "" }) => Key);
}

describe("a dump", () => {
  test("lies whole in the bucket, with its checksum and whose it is", async () => {
    const engine = await serve();
    const given = inputs();
    const { id, outputs } = await engine.create(target, given);
    const key = `flagship/v1.1.0/flagship-${String(given["token"])}.dump`;
    expect(id).toBe(key);
    const { Body, Metadata } = await host.s3.send(
      new GetObjectCommand({ Bucket: "dumps", Key: key }),
    );
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    // What every file of pg_dump's custom format begins with.
    expect(bytes.toString("latin1", 0, 5)).toBe("PGDMP");
    expect(outputs).toEqual({
      key,
      bytes: bytes.length,
      sha256,
      takenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
    expect(Metadata).toEqual({
      stack: "flagship/production",
      release: "v1.1.0",
      token: given["token"],
      bytes: String(bytes.length),
      sha256,
      "taken-at": outputs["takenAt"],
    });
    const head = await host.s3.send(
      new HeadObjectCommand({ Bucket: "dumps", Key: key, ChecksumMode: "ENABLED" }),
    );
    expect(Buffer.from(head.ChecksumSHA256 ?? "", "base64").toString("hex")).toBe(sha256);
  });

  test("is made once for a stack, a release and a freeze, whatever the engine's state says", async () => {
    const engine = await serve();
    const given = inputs();
    const first = await engine.create(target, given);
    await host.query("INSERT INTO orders VALUES (1001, 'later')");
    expect(await engine.create(target, given)).toEqual(first);
    const later = await engine.create(target, { ...given, token: "another" });
    expect(later.outputs["sha256"]).not.toBe(first.outputs["sha256"]);
    await host.query("DELETE FROM orders WHERE id = 1001");
  });

  test("is another one for another freeze, and none for another way to get at it", async () => {
    const engine = await serve();
    const given = inputs();
    const { outputs } = await engine.create(target, given);
    const olds = { inputs: given, outputs };
    expect(await engine.diff(target, olds, { ...given, token: "another" })).toMatchObject({
      changes: true,
      replaces: [],
      diffs: ["token"],
    });
    const moved = { ...given, password: secret("a-new-password"), host: "unix:///elsewhere.sock" };
    expect(await engine.diff(target, olds, moved)).toMatchObject({ changes: false });
  });

  test("of another stack under the same key is refused, and stays", async () => {
    const engine = await serve();
    const given = inputs();
    const first = await engine.create(target, given);
    const { message } = await failureOf(
      engine.create(target, { ...given, stack: "flagship/staging" }),
    );
    expect(message).toContain("is not the dump of this freeze");
    expect(message).toContain("found:    one of stack flagship/production, release v1.1.0");
    expect(await engine.create(target, given)).toEqual(first);
  });

  test("cannot be deleted before its days are over where the bucket locks objects", async () => {
    const store = { store: "s3", bucket: "locked", lockDays: 30 };
    const { id } = await (await serve()).create(target, inputs({ store }));
    const { ObjectLockMode, ObjectLockRetainUntilDate } = await host.s3.send(
      new HeadObjectCommand({ Bucket: "locked", Key: id }),
    );
    expect(ObjectLockMode).toBe("COMPLIANCE");
    const days = ((ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
  });

  test("goes to R2 with R2's own credentials, and nowhere without", async () => {
    const store = { store: "r2", bucket: "dumps", accountId: "0123456789abcdef0123456789abcdef" };
    vi.stubEnv("AWS_ENDPOINT_URL_S3", host.environment["AWS_ENDPOINT_URL"]);
    const given = inputs({ store });
    const { message } = await failureOf((await serve()).create(target, given));
    expect(message).toContain("no R2_ACCESS_KEY_ID");
    vi.stubEnv("R2_ACCESS_KEY_ID", "made-up-id");
    vi.stubEnv("R2_SECRET_ACCESS_KEY", "made-up-key");
    const { id } = await (await serve()).create(target, given);
    expect(await keys()).toContain(id);
  });

  test("is neither made nor asked for in a preview", async () => {
    const engine = await serve();
    const before = await keys();
    const given = inputs({ token: unknownText });
    expect((await engine.create(target, given, { preview: true })).outputs).toEqual({});
    expect(await keys()).toEqual(before);
  });

  test.each([
    ["stack", ""],
    ["system", "../other"],
    ["release", "v1/../v2"],
    ["token", "a/b"],
    ["password", ""],
    ["host", "ftp://203.0.113.1"],
    ["deadlineSeconds", 0],
  ])("is refused with %s %j", async (property, value) => {
    const failures = await (await serve()).check(target, inputs({ [property]: value }));
    expect(failures.map((failure) => failure.property)).toEqual([property]);
  });
});

describe("a dump that fails", () => {
  test.each([
    [
      "of a wrong password",
      { password: secret("wrong-password") },
      "password authentication failed",
    ],
    ["of an unknown database", { name: "nothing" }, 'database "nothing" does not exist'],
    ["of an unknown container", { container: "nobody" }, "No such container: nobody"],
    [
      "of a host that is not there",
      { host: "unix:///nowhere/docker.sock" },
      "the container host unix:///nowhere/docker.sock cannot be asked",
    ],
    ["of an unknown bucket", { store: { store: "s3", bucket: "no-such-bucket" } }, "(status 404)"],
  ])("%s says so, and leaves nothing", async (_, change: Wire, found) => {
    const before = await keys();
    const { message } = await failureOf((await serve()).create(target, inputs(change)));
    expect(message).toContain(found);
    expect(message).not.toContain(login.password);
    expect(message).not.toContain("wrong-password");
    expect(message).not.toMatch(/\n\s+at /);
    expect(await keys()).toEqual(before);
  });

  test("at its deadline does not count", async () => {
    const before = await keys();
    const given = inputs({ deadlineSeconds: 0.001 });
    const { message } = await failureOf((await serve()).create(target, given));
    expect(message).toContain("not done within 0.001 s");
    expect(await keys()).toEqual(before);
  });

  test("leaves no file with the data behind", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cutover-scratch-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    vi.stubEnv("TMPDIR", folder);
    const engine = await serve();
    await engine.create(target, inputs());
    await failureOf(engine.create(target, inputs({ password: secret("wrong") })));
    expect(await readdir(folder)).toEqual([]);
  });

  test("on an object that was changed in the bucket is told by the restore, not taken again", async () => {
    const engine = await serve();
    const given = inputs();
    const { id, outputs } = await engine.create(target, given);
    const { Metadata } = await host.s3.send(new HeadObjectCommand({ Bucket: "dumps", Key: id }));
    await host.s3.send(
      new PutObjectCommand({ Bucket: "dumps", Key: id, Body: "changed", Metadata }),
    );
    const { message } = await failureOf(engine.create(target, given));
    expect(message).toContain(`s3://dumps/${id} is damaged`);
    expect(message).toContain(String(outputs["sha256"]).slice(0, 12));
  });
});

test("the key leads a person to the dump", () => {
  expect(dumpKey({ system: "flagship", release: "v1.1.0", name: "orders", token: "0b7e" })).toBe(
    "flagship/v1.1.0/orders-0b7e.dump",
  );
});
