import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { migration } from "../../../infra/provider/migration.ts";
import { migrationType, writeFreezeType } from "../../../infra/provider/type-tokens.ts";
import { writeFreeze } from "../../../infra/provider/write-freeze.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, secret, serveTypes, startPlugin, type Wire } from "../../support/engine.ts";
import { startPostgres, type TestConnection } from "../../support/postgres.ts";

const postgres = await startPostgres();
afterAll(() => postgres.stop());

const target = { type: migrationType, name: "migration" };
const pluginFile = new URL("../../../infra/provider/pulumi-resource-cutover", import.meta.url);

const first = { "001-users.sql": "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE);" };
const second = { "002-admin.sql": "INSERT INTO users VALUES (1, 'a@b.example');\n" };
const third = { "003-notes.sql": "CREATE TABLE notes (id int);" };

function serve(): ReturnType<typeof serveTypes> {
  return serveTypes({ [migrationType]: migration, [writeFreezeType]: writeFreeze });
}

/** A database and a folder of files, and the inputs that name them. */
async function prepared(
  texts: Readonly<Record<string, string>>,
  more: Wire = {},
): Promise<{ connection: TestConnection; folder: string; inputs: Wire }> {
  const connection = await postgres.createDatabase();
  const folder = await mkdtemp(join(tmpdir(), "cutover-migration-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  return { connection, folder, inputs: inputsOf(connection, folder, texts, more) };
}

function inputsOf(
  connection: TestConnection,
  folder: string,
  texts: Readonly<Record<string, string>>,
  more: Wire = {},
): Wire {
  return {
    connection: { ...connection, password: secret(connection.password) },
    stack: "production",
    release: "v2.0.0",
    folder,
    files: Object.entries(texts).map(([name, text]) => ({ name, sha256: sha256(text) })),
    ...more,
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function namesOf(connection: TestConnection): Promise<string[]> {
  const rows = await postgres.query<{ name: string }>(
    connection,
    "SELECT name FROM cutover_ledger.migration ORDER BY applied_at",
  );
  return rows.map((row) => row.name);
}

describe("migrating", () => {
  test("runs every file once, in order, and says what the database has seen", async () => {
    const texts = { ...first, ...second };
    const { connection, inputs, folder } = await prepared({ ...texts, ...third });
    const engine = await serve();
    const two = inputsOf(connection, folder, texts);
    const { id, outputs } = await engine.create(target, two);
    expect(id).toBe("production:v2.0.0");
    expect(outputs).toEqual({
      applied: Object.entries(texts).map(([name, text]) => ({
        name,
        sha256: sha256(text),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      })),
    });
    const olds = { inputs: two, outputs };
    expect(await engine.diff(target, olds, two)).toMatchObject({ changes: false });
    expect(await engine.diff(target, olds, { ...two, folder: "/elsewhere" })).toMatchObject({
      changes: false,
    });
    expect(await engine.diff(target, olds, inputs)).toMatchObject({ diffs: ["files"] });
    await engine.update(target, olds, inputs);
    expect(await namesOf(connection)).toEqual(["001-users.sql", "002-admin.sql", "003-notes.sql"]);
    expect(await postgres.query(connection, "SELECT id FROM users")).toEqual([{ id: 1 }]);
    expect(
      await postgres.query(connection, "SELECT DISTINCT release FROM cutover_ledger.migration"),
    ).toEqual([{ release: "v2.0.0" }]);
  });

  test("writes during a freeze", async () => {
    const { connection, inputs } = await prepared(first);
    const engine = await serve();
    const { connection: wire, stack, release } = inputs;
    await engine.create(
      { type: writeFreezeType },
      { connection: wire, stack, release, writes: "frozen", drainSeconds: 1 },
    );
    await engine.create(target, inputs);
    expect(await postgres.query(connection, "SELECT * FROM users")).toEqual([]);
    await expect(postgres.query(connection, "INSERT INTO users VALUES (1)")).rejects.toThrow(
      "read-only",
    );
  });

  test("two runs at once apply each file once", async () => {
    const texts = { "001.sql": "SELECT pg_sleep(0.2); CREATE TABLE t (n int);", ...first };
    const { connection, inputs } = await prepared(texts);
    const [one, other] = await Promise.all([serve(), serve()]);
    const [a, b] = await Promise.all([one.create(target, inputs), other.create(target, inputs)]);
    expect(a.outputs).toEqual(b.outputs);
    expect(await namesOf(connection)).toEqual(Object.keys(texts));
  });

  test("gives up on a run that does not end, and names it", async () => {
    const { connection, inputs } = await prepared(first, { waitSeconds: 0.2 });
    const holder = await postgres.open(connection);
    await holder.query("SET application_name = 'cutover migration'");
    await holder.query("SELECT pg_advisory_lock(x'6375746f'::int, 2)");
    const { message } = await failureOf((await serve()).create(target, inputs));
    expect(message.replace(/\d{3,}/, "PID")).toMatchInlineSnapshot(`
      "the migration lock of this database was not free within 0.2 s; session that holds it: PID (cutover migration).
      To do: let the other run end, or end that session, then run again"
    `);
    await holder.end();
  });

  test("begins again where kill -9 stopped it", async () => {
    const texts = { ...first, "002-slow.sql": "CREATE TABLE slow (n int); SELECT pg_sleep(60);" };
    const { connection, inputs, folder } = await prepared(texts);
    const { engine, kill, ended } = await startPlugin(pluginFile);
    const lost = failureOf(engine.create(target, inputs));
    await eventually(async () => {
      const running = await postgres.query(
        connection,
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
      );
      expect(running).toHaveLength(1);
    });
    kill("SIGKILL");
    await ended;
    await lost;
    expect(await namesOf(connection)).toEqual(["001-users.sql"]);

    const mended = { ...first, "002-slow.sql": "CREATE TABLE slow (n int);" };
    await writeFile(join(folder, "002-slow.sql"), mended["002-slow.sql"]);
    // The lock goes with the killed run's session, which the server ends within a second or so.
    await (await serve()).create(target, inputsOf(connection, folder, mended));
    expect(await namesOf(connection)).toEqual(Object.keys(mended));
  });

  test("stops when the run is cancelled, and leaves nothing of the file it was in", async () => {
    const { connection, inputs } = await prepared({
      ...first,
      "002-slow.sql": "CREATE TABLE slow (n int); SELECT pg_sleep(60);",
    });
    const engine = await serve();
    const failure = failureOf(engine.create(target, inputs));
    await eventually(async () => {
      expect(await namesOf(connection)).toEqual(["001-users.sql"]);
    });
    await engine.cancel();
    expect((await failure).message).toBe("the run was cancelled");
    expect(await postgres.query(connection, "SELECT to_regclass('slow') AS slow")).toEqual([
      { slow: null },
    ]);
  });
});

describe("a file that fails", () => {
  test("is rolled back and named with the place, and the files before it stay", async () => {
    const { connection, inputs, folder } = await prepared({
      ...first,
      "002-bad.sql": "INSERT INTO users VALUES (7);\n-- ümläut\nSELECT\n  nonsense FROM users;\n",
      ...third,
    });
    const engine = await serve();
    const { message } = await failureOf(engine.create(target, inputs));
    expect(message).toMatchInlineSnapshot(`
      "migration 002-bad.sql failed and was rolled back; files before it stay applied.
      found: column "nonsense" does not exist (SQLSTATE 42703) at line 4, column 3
      To do: correct the file, then run pulumi again"
    `);
    expect(await namesOf(connection)).toEqual(["001-users.sql"]);
    expect(await postgres.query(connection, "SELECT * FROM users")).toEqual([]);

    const mended = { ...first, "002-bad.sql": "SELECT 1;", ...third };
    await writeFile(join(folder, "002-bad.sql"), mended["002-bad.sql"]);
    await engine.create(target, inputsOf(connection, folder, mended));
    expect(await namesOf(connection)).toEqual(Object.keys(mended));
  });

  test("gives no row's values away", async () => {
    const { inputs } = await prepared({
      ...first,
      "002-twice.sql":
        "INSERT INTO users VALUES (1, 'private@b.example'), (2, 'private@b.example');",
    });
    const { message } = await failureOf((await serve()).create(target, inputs));
    expect(message).toContain("SQLSTATE 23505");
    expect(message).not.toContain("private");
  });

  test("by a lock says what to do", async () => {
    const { connection, inputs } = await prepared(
      { ...first, "002.sql": "ALTER TABLE users ADD COLUMN name text;" },
      { lockTimeoutSeconds: 0.1 },
    );
    await postgres.query(connection, first["001-users.sql"]);
    const reader = await postgres.open(connection);
    await reader.query("BEGIN");
    await reader.query("SELECT * FROM users");
    const only = { ...inputs, files: (inputs["files"] as unknown[]).slice(1) };
    const { message } = await failureOf((await serve()).create(target, only));
    expect(message).toContain("(SQLSTATE 55P03)");
    expect(message).toContain("To do: end what holds the lock, or raise lockTimeoutSeconds");
    await reader.end();
  });

  test("by its time says what to do", async () => {
    const { inputs } = await prepared(
      { "001.sql": "SELECT pg_sleep(60);" },
      { statementTimeoutSeconds: 0.1 },
    );
    const { message } = await failureOf((await serve()).create(target, inputs));
    expect(message).toContain("(SQLSTATE 57014)");
    expect(message).toContain("raise statementTimeoutSeconds");
  });
});

describe("refused", () => {
  test("files that are not what the plan was made of, all at once", async () => {
    const texts = {
      "001.sql": "SELECT 1;",
      "002.sql": "-- cutover: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (n);",
      "003.sql": "SELECT 1; COMMIT; SELECT 2;",
      "004.sql": "SELECT 4;",
    };
    const { inputs, folder } = await prepared(texts);
    await writeFile(join(folder, "001.sql"), "SELECT 'other';");
    await rm(join(folder, "004.sql"));
    const engine = await serve();
    const { message } = await failureOf(engine.create(target, inputs));
    expect(message).toMatchInlineSnapshot(`
      "the migrations are refused:
      - 001.sql changed since the plan was made: found 15e932968941…, required 17db4fd369ed…
      - 002.sql wants to run without a transaction, which is not supported
      - 003.sql says COMMIT, but each file runs in one transaction
      - 004.sql cannot be read (ENOENT)
      To do: correct the files, then run pulumi again"
    `);
    const preview = await failureOf(engine.create(target, inputs, { preview: true }));
    expect(preview.message).toBe(message);
  });

  test("an applied file that was changed or is missing, and one put before it", async () => {
    const texts = { ...first, ...third };
    const { connection, inputs, folder } = await prepared(texts);
    const engine = await serve();
    await engine.create(target, inputs);
    const changed = {
      "000-early.sql": "SELECT 0;",
      "003-notes.sql": "CREATE TABLE notes (id bigint);",
    };
    for (const [name, text] of Object.entries(changed)) await writeFile(join(folder, name), text);
    const news = inputsOf(connection, folder, changed);
    const { message } = await failureOf(engine.update(target, { inputs, outputs: {} }, news));
    expect(message.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")).toMatchInlineSnapshot(`
      "the migrations are refused:
      - 001-users.sql, applied TIME, is missing from the files
      - 003-notes.sql was changed after it was applied TIME
      - 000-early.sql stands before 003-notes.sql, which is applied already
      To do: restore the applied files as they were and put new ones after them"
    `);
    expect(await namesOf(connection)).toEqual(Object.keys(texts));
  });

  test("inputs that are wrong", async () => {
    const engine = await serve();
    const wrong = {
      ...inputsOf(postgres.superuser, "migrations", { "../001.sql": "", "002.sql": "" }),
      files: [
        { name: "../001.sql", sha256: "x" },
        { name: "002.sql", sha256: sha256("") },
        { name: "002.sql", sha256: sha256("") },
      ],
    };
    expect(await engine.check(target, wrong)).toEqual([
      { property: "folder", reason: "required is an absolute path" },
      { property: "files.0.name", reason: "required is the name of a .sql file in the folder" },
      { property: "files.0.sha256", reason: "required is a SHA-256 in hex" },
      { property: "files", reason: "required is each name once" },
    ]);
  });
});

describe("a preview", () => {
  test("says what will run and changes nothing", async () => {
    const { connection, inputs } = await prepared({ ...first, ...third });
    const engine = await serve();
    expect(await engine.create(target, inputs, { preview: true })).toEqual({ id: "", outputs: {} });
    await eventually(() => {
      expect(engine.heard.map((message) => message.text)).toEqual([
        "will apply 001-users.sql, 003-notes.sql",
      ]);
    });
    const schemas = "SELECT to_regnamespace('cutover_ledger') AS name";
    expect(await postgres.query(connection, schemas)).toEqual([{ name: null }]);
  });

  test("knows the outputs when nothing is left to run, and nothing of a database that is not there", async () => {
    const { connection, inputs, folder } = await prepared(first);
    const engine = await serve();
    const { outputs } = await engine.create(target, inputs);
    expect((await engine.create(target, inputs, { preview: true })).outputs).toEqual(outputs);
    const gone = inputsOf({ ...connection, port: 1 }, folder, first);
    expect((await engine.create(target, gone, { preview: true })).outputs).toEqual({});
    const unknown = { ...inputs, connection: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" };
    expect(await engine.check(target, unknown)).toEqual([]);
    expect((await engine.create(target, unknown, { preview: true })).outputs).toEqual({});
  });
});

describe("a later run", () => {
  test("migrates again when the database lost what the state says it has", async () => {
    const { connection, inputs } = await prepared(first);
    const engine = await serve();
    const { outputs } = await engine.create(target, inputs);
    await postgres.query(connection, "DELETE FROM cutover_ledger.migration");
    expect(await engine.diff(target, { inputs, outputs }, inputs)).toMatchObject({
      changes: true,
      diffs: ["files"],
    });
  });

  test("takes a database that cannot be asked for one that lacks files, with a warning", async () => {
    const { connection, folder } = await prepared(first);
    const inputs = inputsOf({ ...connection, port: 1 }, folder, first);
    const engine = await serve();
    expect(await engine.diff(target, { inputs, outputs: {} }, inputs)).toMatchObject({
      changes: true,
    });
    await eventually(() => {
      expect(engine.heard).toEqual([
        expect.objectContaining({
          severity: 2,
          text: expect.stringContaining("cannot tell which migrations") as string,
        }),
      ]);
    });
  });

  test("deleting the resource leaves the database alone", async () => {
    const { connection, inputs } = await prepared(first);
    const engine = await serve();
    const { outputs } = await engine.create(target, inputs);
    await engine.delete(target, { inputs, outputs });
    expect(await namesOf(connection)).toEqual(["001-users.sql"]);
  });
});

test("a role that may not keep the ledger is told what to do", async () => {
  const { connection, inputs } = await prepared(first);
  const stranger = { ...(await postgres.createDatabase()), database: connection.database };
  const { message } = await failureOf(
    (await serve()).create(target, {
      ...inputs,
      connection: { ...stranger, password: secret(stranger.password) },
    }),
  );
  expect(message).toContain(`role ${stranger.user} may not make the schema cutover_ledger`);
  expect(message).toContain("To do: connect as the database's owner, or GRANT CREATE");
});
