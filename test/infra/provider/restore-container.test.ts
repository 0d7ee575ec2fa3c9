import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { databaseDump } from "../../../infra/provider/database-dump.ts";
import { restoreTest } from "../../../infra/provider/restore-test.ts";
import { databaseDumpType, restoreTestType } from "../../../infra/provider/type-tokens.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, secret, serveTypes, type Wire } from "../../support/engine.ts";
import { containerName, login, startPostgresHost, type PostgresHost } from "./postgres-host.ts";

const target = { type: restoreTestType, name: "restore-test" };
const copyName = `${containerName}-restore-test`;
let host: PostgresHost;
let stacks = 0;
let stack = "";

beforeAll(async () => {
  host = await startPostgresHost();
  await host.query("CREATE TABLE orders (id bigint PRIMARY KEY, note text)");
  await host.query("INSERT INTO orders SELECT n, 'note ' || n FROM generate_series(1, 500) n");
}, 120_000);

afterAll(() => host.close());

beforeEach(() => {
  for (const [name, value] of Object.entries(host.environment)) vi.stubEnv(name, value);
  stacks += 1;
  stack = `flagship/stack-${String(stacks)}`;
  return () => vi.unstubAllEnvs();
});

function inputs(
  queries: Readonly<Record<string, string>>,
  source: Wire = {},
  more: Wire = {},
): Wire {
  return {
    stack,
    due: "v1.1.0",
    connection: { host: "127.0.0.1", port: 5432, ...login, password: secret(login.password) },
    source: {
      kind: "container",
      system: "flagship",
      container: containerName,
      host: host.host,
      image: host.image,
      engineVersion: "18.4",
      memory: 256,
      store: { store: "s3", bucket: "dumps" },
      ...source,
    },
    queries,
    ...more,
  };
}

function serve() {
  return serveTypes({ [restoreTestType]: restoreTest, [databaseDumpType]: databaseDump });
}

async function takeDump(release: string): Promise<Wire> {
  const { outputs } = await (
    await serve()
  ).create(
    { type: databaseDumpType, name: "recovery-point" },
    {
      stack,
      system: "flagship",
      release,
      name: login.database,
      token: `token-of-${stack.replace("/", "-")}`,
      user: login.user,
      password: secret(login.password),
      container: containerName,
      host: host.host,
      store: { store: "s3", bucket: "dumps" },
    },
  );
  return outputs;
}

function copies(): number {
  return host.daemon.containers.items().filter(({ name }) => name === copyName).length;
}

const all500 = { orders: "SELECT count(*) = 500 FROM orders" };

describe("a restore test of a dump", () => {
  test("restores the newest of this stack, asks the copy and removes it", async () => {
    await takeDump("v1.0.0");
    const newest = await takeDump("v1.1.0");
    await host.query("INSERT INTO orders VALUES (1001, 'later')");
    const { id, outputs } = await (
      await serve()
    ).create(
      target,
      inputs({ ...all500, "with spaces": "SELECT note = 'note 1' FROM orders WHERE id = 1" }),
    );
    await host.query("DELETE FROM orders WHERE id = 1001");
    expect(id).toBe(`${stack}:restore-test`);
    expect(outputs).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      recoveryPoint: newest["key"],
      takenAt: newest["takenAt"],
      seconds: expect.any(Number) as number,
      results: { orders: true, "with spaces": true },
    });
    expect(copies()).toBe(0);
  });

  test("takes the first recovery point where there is none, and finds it again", async () => {
    const engine = await serve();
    const { outputs } = await engine.create(target, inputs(all500));
    const key = String(outputs["recoveryPoint"]);
    expect(key).toBe(`flagship/restore-test/flagship-stack-${String(stacks)}-flagship-v1.1.0.dump`);
    const again = await engine.create(target, inputs(all500, {}, { due: "v1.2.0" }));
    expect(again.outputs["recoveryPoint"]).toBe(key);
    const { Contents = [] } = await host.s3.send(
      new ListObjectsV2Command({ Bucket: "dumps", Prefix: "flagship/restore-test/" }),
    );
    const own = Contents.filter(({ Key = "" }) => Key.includes(`stack-${String(stacks)}-`));
    expect(own).toHaveLength(1);
  });

  test("tells all queries that were not answered as required, and removes the copy", async () => {
    const queries = {
      few: "SELECT count(*) > 1000 FROM orders",
      many: "SELECT true FROM orders",
      none: "SELECT true FROM orders WHERE false",
      text: "SELECT note FROM orders WHERE id = 7",
      wrong: "SELECT count(*) > 0 FROM no_such_table",
      fine: "SELECT true",
    };
    const { message } = await failureOf((await serve()).create(target, inputs(queries)));
    const found = [...message.matchAll(/queries\.(\w+)\n\s+found:\s+(.*)/g)].map(
      ([, ...rest]) => rest,
    );
    expect(found.slice(0, 4)).toEqual([
      ["few", "false"],
      ["many", "500 rows"],
      ["none", "0 rows"],
      ["text", "note 7"],
    ]);
    expect(found[4]?.[1]).toContain('relation "no_such_table" does not exist');
    expect(found).toHaveLength(5);
    expect(message).toContain("required: one row whose first column is true");
    expect(copies()).toBe(0);
  });

  test("refuses a dump that is not what was stored", async () => {
    const { key } = await takeDump("v1.1.0");
    const object = { Bucket: "dumps", Key: String(key) };
    const { Metadata } = await host.s3.send(new HeadObjectCommand(object));
    await host.s3.send(new PutObjectCommand({ ...object, Body: "changed", Metadata }));
    const { message } = await failureOf((await serve()).create(target, inputs(all500)));
    expect(message).toContain(`s3://dumps/${String(key)} is damaged`);
    expect(copies()).toBe(0);
  });

  test("refuses what is no dump, and removes the copy", async () => {
    const { key } = await takeDump("v1.1.0");
    const object = { Bucket: "dumps", Key: String(key) };
    const { Metadata = {} } = await host.s3.send(new HeadObjectCommand(object));
    // With its very checksum, so that only pg_restore can tell.
    const sha256 = "140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe";
    const noted = { ...Metadata, bytes: "4", sha256 };
    await host.s3.send(new PutObjectCommand({ ...object, Body: "none", Metadata: noted }));
    const { message } = await failureOf((await serve()).create(target, inputs(all500)));
    expect(message).toContain("pg_restore ended with 1");
    expect(copies()).toBe(0);
  });

  test("removes what a killed run left, and nothing that is somebody else's", async () => {
    const left = host.daemon.create(spec({ "cutover:restore-test": stack }));
    await (await serve()).create(target, inputs(all500));
    expect(host.daemon.find(left.id)).toBeUndefined();
    const other = host.daemon.create(spec({}));
    const { message } = await failureOf((await serve()).create(target, inputs(all500)));
    expect(message).toContain(`there is a container ${copyName} that no restore test made`);
    expect(host.daemon.find(other.id)).toBeDefined();
    await host.daemon.remove(other.id, 0);
  });

  test("removes the copy when the run is stopped", async () => {
    await takeDump("v1.1.0");
    const engine = await serve();
    const slow = { slow: "SELECT pg_sleep(60) IS NOT NULL" };
    const failed = failureOf(engine.create(target, inputs(slow)));
    await eventually(() => {
      expect(engine.heard.map(({ text }) => text).join()).toContain("restoring dump");
      expect(copies()).toBe(1);
    });
    await engine.cancel();
    await failed;
    await eventually(() => {
      expect(copies()).toBe(0);
    });
  });

  test("that is not done in time says so, and removes the copy", async () => {
    await takeDump("v1.1.0");
    const slow = inputs({ slow: "SELECT pg_sleep(60) IS NOT NULL" }, {}, { deadlineSeconds: 4 });
    const { message } = await failureOf((await serve()).create(target, slow));
    expect(message).toContain("the restore test was not done within 4 s");
    expect(copies()).toBe(0);
  });
});

describe("another restore test", () => {
  test("is asked for by another release, other queries or another place of the backups", async () => {
    const engine = await serve();
    const given = inputs(all500);
    const outputs = { at: new Date().toISOString() };
    const diff = (news: Wire) => engine.diff(target, { inputs: given, outputs }, news);
    expect(await diff({ ...given, due: "v1.2.0" })).toMatchObject({ diffs: ["due"], replaces: [] });
    expect(await diff({ ...given, queries: { one: "SELECT true" } })).toMatchObject({
      diffs: ["queries"],
    });
    expect(await diff(inputs(all500, { store: { store: "s3", bucket: "locked" } }))).toMatchObject({
      diffs: ["source"],
    });
  });

  test("is not asked for by another password, nor by another deadline", async () => {
    const engine = await serve();
    const given = inputs(all500);
    const connection = { ...(given["connection"] as Wire), password: secret("a-new-password") };
    const news = { ...given, connection, deadlineSeconds: 60 };
    const outputs = { at: new Date().toISOString() };
    const diff = await engine.diff(target, { inputs: given, outputs }, news);
    expect(diff).toMatchObject({ changes: false });
  });

  test.each([
    ["a week and a minute ago", 7 * 86_400_000 + 60_000, ["due"]],
    ["a minute less than a week ago", 7 * 86_400_000 - 60_000, []],
    ["nobody knows when", Number.NaN, ["due"]],
  ])("is due by itself when the last was %s", async (_, age, diffs) => {
    const engine = await serve();
    const given = inputs(all500);
    const outputs = Number.isNaN(age) ? {} : { at: new Date(Date.now() - age).toISOString() };
    const diff = await engine.diff(target, { inputs: given, outputs }, given);
    expect(diff).toMatchObject({ changes: diffs.length > 0, diffs });
  });

  test("is not made in a preview", async () => {
    const engine = await serve();
    const { outputs } = await engine.create(target, inputs(all500), { preview: true });
    expect(outputs).toEqual({});
    expect(copies()).toBe(0);
  });

  test.each([
    ["queries", {}],
    ["due", ""],
    ["deadlineSeconds", 0],
  ])("is refused with %s %j", async (property, value) => {
    const failures = await (await serve()).check(target, { ...inputs(all500), [property]: value });
    expect(failures.map((failure) => failure.property)).toEqual([property]);
  });
});

function spec(labels: Readonly<Record<string, string>>) {
  return {
    name: copyName,
    image: host.image,
    envs: [],
    command: [],
    labels,
    ports: [],
    networks: [],
    volumes: [],
    healthCheck: undefined,
    restart: "no",
    maxRetryCount: 0,
    autoRemove: false,
    settings: {},
  } as const;
}
