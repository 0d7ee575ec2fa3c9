import { afterAll, describe, expect, test, vi } from "vitest";
import { liftFreeze } from "../../../infra/provider/freeze.ts";
import { liftStandingFreezes, writeFreeze } from "../../../infra/provider/write-freeze.ts";
import { writeFreezeType } from "../../../infra/provider/type-tokens.ts";
import { eventually } from "../../support/eventually.ts";
import { failureOf, secret, serveTypes, startPlugin, type Wire } from "../../support/engine.ts";
import { startPostgres, type TestConnection } from "../../support/postgres.ts";

const postgres = await startPostgres();
afterAll(() => postgres.stop());

const target = { type: writeFreezeType, name: "freeze" };
const pluginFile = new URL("../../../infra/provider/pulumi-resource-cutover", import.meta.url);
const release = "v2.0.0";
const key = { stack: "production", release };

function serve(): ReturnType<typeof serveTypes> {
  return serveTypes(
    { [writeFreezeType]: writeFreeze },
    { onShutdown: () => liftStandingFreezes("the test is over") },
  );
}

async function databaseWithTable(): Promise<TestConnection> {
  const connection = await postgres.createDatabase();
  await postgres.query(connection, "CREATE TABLE writes (n int)");
  return connection;
}

function inputsOf(connection: TestConnection, more: Wire = {}): Wire {
  const { password, ...open } = connection;
  return {
    connection: { ...open, password: secret(password) },
    ...key,
    writes: "frozen",
    drainSeconds: 5,
    ...more,
  };
}

async function writes(connection: TestConnection): Promise<"accepted" | "refused"> {
  return postgres.query(connection, "INSERT INTO writes VALUES (0)").then(
    () => "accepted",
    (error: unknown) => {
      expect(error).toMatchObject({ code: "25006" });
      return "refused";
    },
  );
}

async function stateOf(connection: TestConnection, of = key): Promise<string | undefined> {
  const [row] = await postgres.query<{ state: string }>(
    connection,
    "SELECT state FROM cutover_ledger.step WHERE stack = $1 AND release = $2 AND step = 'write-freeze'",
    [of.stack, of.release],
  );
  return row?.state;
}

async function rowsOf(connection: TestConnection): Promise<number[]> {
  const rows = await postgres.query<{ n: number }>(connection, "SELECT n FROM writes ORDER BY n");
  return rows.map((row) => row.n);
}

describe("freezing", () => {
  test("refuses writes of new sessions and records since when", async () => {
    const connection = await databaseWithTable();
    const engine = await serve();
    const before = Date.now();
    const { id, outputs } = await engine.create(target, inputsOf(connection));
    expect(id).toBe("production:frozen");
    expect(outputs).toEqual({
      writes: "frozen",
      token: expect.stringMatching(/^[0-9a-f-]{36}$/),
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(Date.parse(String(outputs["since"]))).toBeGreaterThanOrEqual(before - 1);
    expect(await writes(connection)).toBe("refused");
    expect(await stateOf(connection)).toBe("frozen");
  });

  test("ends sessions that could still write", async () => {
    const connection = await databaseWithTable();
    const pooled = await postgres.open(connection);
    await pooled.query("INSERT INTO writes VALUES (1)");
    const engine = await serve();
    await engine.create(target, inputsOf(connection));
    await eventually(() => {
      expect(pooled.isTerminated()).toBe(true);
    });
    expect(await rowsOf(connection)).toEqual([1]);
  });

  test("lets an open transaction finish, and loses nothing of it", async () => {
    const connection = await databaseWithTable();
    const writer = await postgres.open(connection);
    await writer.query("BEGIN");
    await writer.query("INSERT INTO writes VALUES (1)");
    const engine = await serve();
    const frozen = engine.create(target, inputsOf(connection, { drainSeconds: 60 }));
    await eventually(async () => {
      expect(await writes(connection)).toBe("refused");
    });
    expect(await stateOf(connection)).toBe("freezing");
    await writer.query("COMMIT");
    await frozen;
    expect(await rowsOf(connection)).toContain(1);
    expect(writer.isTerminated()).toBe(true);
  });

  test("ends a transaction that does not finish in time", async () => {
    const connection = await databaseWithTable();
    const writer = await postgres.open(connection);
    await writer.query("BEGIN");
    await writer.query("INSERT INTO writes VALUES (1)");
    const engine = await serve();
    await engine.create(target, inputsOf(connection, { drainSeconds: 0.2 }));
    expect(await rowsOf(connection)).toEqual([]);
    await eventually(() => {
      expect(writer.isTerminated()).toBe(true);
    });
  });

  test("twice is one freeze", async () => {
    const connection = await databaseWithTable();
    const engine = await serve();
    const first = await engine.create(target, inputsOf(connection));
    const reader = await postgres.open(connection);
    const second = await engine.create(target, inputsOf(connection));
    expect(second).toEqual(first);
    expect(reader.isTerminated()).toBe(false);
    await reader.end();
  });

  test("refuses what a freeze does not reach, all of it at once, and changes nothing", async () => {
    const connection = await databaseWithTable();
    await postgres.query(
      postgres.superuser,
      `ALTER ROLE ${connection.user} IN DATABASE ${connection.database} SET default_transaction_read_only = off`,
    );
    const session = await postgres.open(connection);
    await session.query("BEGIN");
    await session.query("INSERT INTO writes VALUES (1)");
    await session.query(`PREPARE TRANSACTION 'left-${connection.database}'`);
    const engine = await serve();
    const { message } = await failureOf(engine.create(target, inputsOf(connection)));
    expect(message.replaceAll(connection.database, "DB")).toMatchInlineSnapshot(`
      "writes cannot be frozen:
      - role owner_of_DB has default_transaction_read_only = off of its own, so a freeze does not reach it.
        To do: ALTER ROLE "owner_of_DB" RESET default_transaction_read_only (and the same IN DATABASE)
      - prepared transaction left-DB can still be committed.
        To do: COMMIT PREPARED or ROLLBACK PREPARED it"
    `);
    expect(session.isTerminated()).toBe(false);
    await session.query(`ROLLBACK PREPARED 'left-${connection.database}'`);
    expect(await writes(connection)).toBe("accepted");
    await session.end();
  });

  test("fails, and opens the database again, when a session cannot be ended", async () => {
    const connection = await databaseWithTable();
    const stranger = await postgres.createDatabase();
    const other = await postgres.open({ ...stranger, database: connection.database });
    const engine = await serve();
    const { message } = await failureOf(
      engine.create(target, inputsOf(connection, { drainSeconds: 0 })),
    );
    expect(message.replaceAll(stranger.user, "ROLE")).toMatchInlineSnapshot(`
      "writes cannot be frozen: sessions of ROLE could not be ended and can still write.
      To do: GRANT pg_signal_backend and pg_read_all_stats to the role of this connection, or end those sessions"
    `);
    expect(other.isTerminated()).toBe(false);
    expect(await stateOf(connection)).toBe("aborted");
    expect(await writes(connection)).toBe("accepted");
    await other.end();
  });

  test("does not wait for superusers, and says so", async () => {
    const connection = await databaseWithTable();
    const { database } = connection;
    const superuser = await postgres.open({ ...postgres.superuser, database });
    const engine = await serve();
    await engine.create(target, inputsOf(connection));
    await eventually(() => {
      expect(engine.heard.map((message) => message.text)).toContain(
        "sessions of superusers stay and can write: postgres",
      );
    });
    await superuser.end();
  });

  test("needs the owner, and says so kindly", async () => {
    const connection = await databaseWithTable();
    const stranger = await postgres.createDatabase();
    const engine = await serve();
    await postgres.query(connection, `GRANT CREATE ON DATABASE ${connection.database} TO PUBLIC`);
    const { message } = await failureOf(
      engine.create(target, inputsOf({ ...stranger, database: connection.database })),
    );
    expect(message.replaceAll(stranger.user, "ROLE").replaceAll(connection.database, "DB"))
      .toMatchInlineSnapshot(`
      "role ROLE may not freeze database DB: must be owner of database DB.
      Required: the database's owner, a member of that role, or a superuser (on RDS: the master user).
      To do: connect as that role, or ALTER DATABASE "DB" OWNER TO "ROLE""
    `);
    expect(await writes(connection)).toBe("accepted");
  });

  test("is taken back when the run is cancelled on the way", async () => {
    const connection = await databaseWithTable();
    const writer = await postgres.open(connection);
    await writer.query("BEGIN");
    await writer.query("INSERT INTO writes VALUES (1)");
    const engine = await serve();
    const failure = failureOf(engine.create(target, inputsOf(connection, { drainSeconds: 60 })));
    await eventually(async () => {
      expect(await writes(connection)).toBe("refused");
    });
    await engine.cancel();
    expect((await failure).message).toBe("the run was cancelled");
    expect(await writes(connection)).toBe("accepted");
    expect(await stateOf(connection)).toBe("aborted");
    await writer.query("COMMIT");
    expect(await rowsOf(connection)).toContain(1);
    await writer.end();
  });

  test("does not count while a new session can write", async () => {
    const connection = await databaseWithTable();
    const engine = await serve();
    vi.stubEnv("PGOPTIONS", "-c default_transaction_read_only=off");
    const { message } = await failureOf(engine.create(target, inputsOf(connection))).finally(() => {
      vi.unstubAllEnvs();
    });
    expect(message).toContain("writes are not frozen: a new session of this connection's role");
    expect(await stateOf(connection)).toBe("aborted");
    expect(await writes(connection)).toBe("accepted");
  });

  test("does not begin on a database that cannot be reached, and gives no password away", async () => {
    const connection = { ...(await databaseWithTable()), port: 1, password: "hunter2" };
    const engine = await serve();
    const { message } = await failureOf(engine.create(target, inputsOf(connection)));
    expect(message.replaceAll(connection.database, "DB")).toMatchInlineSnapshot(`
      "cannot reach database DB on 127.0.0.1:1 as owner_of_DB: connect ECONNREFUSED 127.0.0.1:1 (ECONNREFUSED).
      To do: see that it runs and that this machine may connect to it"
    `);
    expect(message).not.toContain("hunter2");
  });

  test("says when the password is wrong", async () => {
    const connection = { ...(await databaseWithTable()), password: "hunter2" };
    const engine = await serve();
    const { message } = await failureOf(engine.create(target, inputsOf(connection)));
    expect(message).toContain("the password was refused");
    expect(message).not.toContain("hunter2");
  });
});

describe("opening", () => {
  test("lets writes through again and ends sessions that began read-only", async () => {
    const connection = await databaseWithTable();
    const engine = await serve();
    const { outputs: frozen } = await engine.create(target, inputsOf(connection));
    const pooled = await postgres.open(connection);
    await expect(pooled.query("INSERT INTO writes VALUES (1)")).rejects.toThrow("read-only");
    const { outputs: open } = await engine.create(target, inputsOf(connection, { writes: "open" }));
    expect(open).toEqual({ ...frozen, writes: "open" });
    expect(await writes(connection)).toBe("accepted");
    await eventually(() => {
      expect(pooled.isTerminated()).toBe(true);
    });
    expect(await stateOf(connection)).toBe("completed");
  });

  test("twice opens once", async () => {
    const connection = await databaseWithTable();
    const engine = await serve();
    await engine.create(target, inputsOf(connection));
    await engine.create(target, inputsOf(connection, { writes: "open" }));
    const pooled = await postgres.open(connection);
    await engine.create(target, inputsOf(connection, { writes: "open" }));
    await pooled.query("INSERT INTO writes VALUES (7)");
    expect(await rowsOf(connection)).toEqual([7]);
    await pooled.end();
  });

  test.for([
    {
      what: "there was none",
      undo: () => Promise.resolve(),
      freeze: false,
      reason: "the database has no record of it",
    },
    {
      what: "it was aborted",
      undo: (connection: TestConnection) => liftFreeze(connection, { ...key, reason: "a test" }),
      freeze: true,
      reason: "it was lifted: a test",
    },
    {
      what: "someone lifted it by hand",
      undo: (connection: TestConnection) =>
        postgres.query(
          postgres.superuser,
          `ALTER DATABASE ${connection.database} RESET default_transaction_read_only`,
        ),
      freeze: true,
      reason: "someone lifted it by hand",
    },
  ])("refuses a freeze that did not hold: $what", async ({ undo, freeze, reason }) => {
    const connection = await databaseWithTable();
    const engine = await serve();
    if (freeze) await engine.create(target, inputsOf(connection));
    await undo(connection);
    const failure = await failureOf(
      engine.create(target, inputsOf(connection, { writes: "open" })),
    );
    expect(failure.message).toContain(`did not hold: ${reason}`);
    expect(failure.message).toContain("To do: run pulumi up again");
  });
});

describe("a later run", () => {
  async function completed(): Promise<{
    engine: Awaited<ReturnType<typeof serve>>;
    connection: TestConnection;
    outputs: Wire;
  }> {
    const connection = await databaseWithTable();
    const engine = await serve();
    const { outputs } = await engine.create(target, inputsOf(connection));
    await engine.create(target, inputsOf(connection, { writes: "open" }));
    return { engine, connection, outputs };
  }

  test("leaves a completed freeze alone, also when only the way to the database changed", async () => {
    const { engine, connection, outputs } = await completed();
    const olds = { inputs: inputsOf(connection), outputs };
    expect(await engine.diff(target, olds, olds.inputs)).toMatchObject({ changes: false });
    const news = inputsOf({ ...connection, host: "localhost" }, { drainSeconds: 9 });
    expect(await engine.diff(target, olds, news)).toMatchObject({
      changes: true,
      diffs: ["connection", "drainSeconds"],
    });
    expect((await engine.update(target, olds, news)).outputs).toEqual(outputs);
    expect(await writes(connection)).toBe("accepted");
  });

  test("freezes anew for another release", async () => {
    const { engine, connection, outputs } = await completed();
    const olds = { inputs: inputsOf(connection), outputs };
    const news = inputsOf(connection, { release: "v3.0.0" });
    const next = await engine.update(target, olds, news);
    expect(next.outputs["token"]).not.toBe(outputs["token"]);
    expect(await writes(connection)).toBe("refused");
    // And back: what that release once completed does not count for a freeze that is asked for now.
    const back = await engine.update(target, { inputs: news, outputs: next.outputs }, olds.inputs);
    expect(back.outputs["token"]).not.toBe(outputs["token"]);
    expect(await stateOf(connection)).toBe("frozen");
    expect(await stateOf(connection, { ...key, release: "v3.0.0" })).toBe("aborted");
  });

  test.for([
    {
      what: "aborted",
      undo: (connection: TestConnection) => liftFreeze(connection, { ...key, reason: "a test" }),
    },
    {
      what: "lifted by hand",
      undo: (connection: TestConnection) =>
        postgres.query(
          postgres.superuser,
          `ALTER DATABASE ${connection.database} RESET default_transaction_read_only`,
        ),
    },
    {
      what: "lost with its ledger",
      undo: (connection: TestConnection) =>
        postgres.query(connection, "BEGIN READ WRITE; DROP SCHEMA cutover_ledger CASCADE; COMMIT"),
    },
  ])("freezes again, with another token, what was $what", async ({ undo }) => {
    const connection = await databaseWithTable();
    const engine = await serve();
    const { outputs } = await engine.create(target, inputsOf(connection));
    const olds = { inputs: inputsOf(connection), outputs };
    expect(await engine.diff(target, olds, olds.inputs)).toMatchObject({ changes: false });
    await undo(connection);
    expect(await engine.diff(target, olds, olds.inputs)).toMatchObject({
      changes: true,
      diffs: ["writes"],
    });
    const preview = await engine.update(target, olds, olds.inputs, { preview: true });
    expect(preview.outputs).toEqual({ writes: "frozen" });
    const again = await engine.update(target, olds, olds.inputs);
    expect(again.outputs["token"]).not.toBe(outputs["token"]);
    expect(await writes(connection)).toBe("refused");
  });

  test("takes a database that cannot be asked for one that has to be frozen, with a warning", async () => {
    const { engine, connection, outputs } = await completed();
    const inputs = inputsOf({ ...connection, port: 1 });
    expect(await engine.diff(target, { inputs, outputs }, inputs)).toMatchObject({ changes: true });
    await eventually(() => {
      expect(engine.heard).toContainEqual(
        expect.objectContaining({
          severity: 2,
          text: expect.stringContaining(
            "cannot tell whether writes are frozen: cannot reach",
          ) as string,
        }),
      );
    });
  });

  test("an open step has to run again when its freeze was made again", async () => {
    const { engine, connection, outputs } = await completed();
    const inputs = inputsOf(connection, { writes: "open" });
    const olds = { inputs, outputs: { ...outputs, writes: "open" } };
    expect(await engine.diff(target, olds, inputs)).toMatchObject({ changes: false });
    await engine.create(target, inputsOf(connection));
    expect(await engine.diff(target, olds, inputs)).toMatchObject({ changes: true });
    await engine.update(target, olds, inputs);
    expect(await writes(connection)).toBe("accepted");
  });

  test("deleting the resource leaves the database alone", async () => {
    const connection = await databaseWithTable();
    const engine = await serve();
    const { outputs } = await engine.create(target, inputsOf(connection));
    await engine.delete(target, { inputs: inputsOf(connection), outputs });
    expect(await writes(connection)).toBe("refused");
    expect(await stateOf(connection)).toBe("frozen");
  });
});

test("a preview changes nothing", async () => {
  const connection = await databaseWithTable();
  const engine = await serve();
  expect(await engine.create(target, inputsOf(connection), { preview: true })).toEqual({
    id: "",
    outputs: { writes: "frozen" },
  });
  expect(await writes(connection)).toBe("accepted");
  const unreachable = inputsOf({ ...connection, port: 1 });
  expect((await engine.create(target, unreachable, { preview: true })).outputs).toEqual({
    writes: "frozen",
  });
});

test("check names every input that is wrong", async () => {
  const engine = await serve();
  const inputs = { ...inputsOf(postgres.superuser), writes: "closed", drainSeconds: -1, extra: 1 };
  const failures = await engine.check(target, inputs);
  expect(failures.map((failure) => failure.property)).toEqual(["writes", "drainSeconds", ""]);
  expect(failures[2]?.reason).toContain("extra");
});

describe("liftFreeze", () => {
  test("lifts once and keeps the reason", async () => {
    const connection = await databaseWithTable();
    const engine = await serve();
    await engine.create(target, inputsOf(connection));
    const pooled = await postgres.open(connection);
    const said: string[] = [];
    const lift = (): Promise<boolean> =>
      liftFreeze(connection, {
        ...key,
        reason: "probe api failed",
        log: (text) => said.push(text),
      });
    expect(await lift()).toBe(true);
    expect(await writes(connection)).toBe("accepted");
    await eventually(() => {
      expect(pooled.isTerminated()).toBe(true);
    });
    expect(await lift()).toBe(false);
    expect(said).toEqual(["the write freeze of release v2.0.0 was lifted: probe api failed"]);
    expect(await stateOf(connection)).toBe("aborted");
  });

  test("does nothing where nothing was frozen, or the freeze did its work", async () => {
    const connection = await databaseWithTable();
    expect(await liftFreeze(connection, { ...key, reason: "a test" })).toBe(false);
    const engine = await serve();
    await engine.create(target, inputsOf(connection));
    await engine.create(target, inputsOf(connection, { writes: "open" }));
    expect(await liftFreeze(connection, { ...key, reason: "a test" })).toBe(false);
    expect(await stateOf(connection)).toBe("completed");
  });

  test("leaves sessions of other steps in peace", async () => {
    const connection = await databaseWithTable();
    const engine = await serve();
    await engine.create(target, inputsOf(connection));
    const ours = await postgres.open(connection);
    await ours.query("SET application_name = 'cutover migration'");
    await liftFreeze(connection, { ...key, reason: "a test" });
    await ours.query("SELECT 1");
    await ours.end();
  });
});

describe("the dead man's switch", () => {
  test("in process: lifts what stands and leaves what is completed", async () => {
    const [standing, done] = await Promise.all([databaseWithTable(), databaseWithTable()]);
    const engine = await serve();
    await engine.create(target, inputsOf(standing));
    await engine.create(target, inputsOf(done));
    await engine.create(target, inputsOf(done, { writes: "open" }));
    await liftStandingFreezes("a test");
    expect(await stateOf(standing)).toBe("aborted");
    expect(await writes(standing)).toBe("accepted");
    expect(await stateOf(done)).toBe("completed");
  });

  test.for(["SIGINT", "SIGTERM"] as const)("%s lifts the freeze within 3 s", async (signal) => {
    const connection = await databaseWithTable();
    const { engine, heard, kill, ended } = await startPlugin(pluginFile);
    await engine.create(target, inputsOf(connection));
    expect(await writes(connection)).toBe("refused");
    const began = performance.now();
    kill(signal);
    expect(await ended).toEqual([0, null]);
    expect(performance.now() - began).toBeLessThan(3000);
    expect(await stateOf(connection)).toBe("aborted");
    expect(await writes(connection)).toBe("accepted");
    expect(heard()).toContain(
      "the write freeze of release v2.0.0 was lifted: the run ended before the freeze was completed",
    );
  });

  test("Cancel lifts the freeze before it answers", async () => {
    const connection = await databaseWithTable();
    const { engine } = await startPlugin(pluginFile);
    await engine.create(target, inputsOf(connection));
    await engine.cancel();
    expect(await writes(connection)).toBe("accepted");
  });

  test("a completed freeze is left as it is", async () => {
    const connection = await databaseWithTable();
    const { engine, kill, ended } = await startPlugin(pluginFile);
    await engine.create(target, inputsOf(connection));
    await engine.create(target, inputsOf(connection, { writes: "open" }));
    kill("SIGINT");
    await ended;
    expect(await stateOf(connection)).toBe("completed");
  });

  test("a database that is gone does not hold the provider up", async () => {
    const own = await startPostgres();
    try {
      const connection = await own.createDatabase();
      const { engine, heard, kill, ended } = await startPlugin(pluginFile);
      await engine.create(target, inputsOf(connection));
      await own.pause();
      const began = performance.now();
      kill("SIGINT");
      expect(await ended).toEqual([0, null]);
      expect(performance.now() - began).toBeLessThan(4000);
      expect(heard().join("\n")).toContain("could not be lifted, so the database takes no writes");
    } finally {
      await own.stop();
    }
  });
});

describe("after kill -9", () => {
  test("in the middle of freezing, the next run freezes", async () => {
    const connection = await databaseWithTable();
    const writer = await postgres.open(connection);
    await writer.query("BEGIN");
    await writer.query("INSERT INTO writes VALUES (1)");
    const killed = await startPlugin(pluginFile);
    const lost = failureOf(
      killed.engine.create(target, inputsOf(connection, { drainSeconds: 60 })),
    );
    await eventually(async () => {
      expect(await writes(connection)).toBe("refused");
    });
    killed.kill("SIGKILL");
    await killed.ended;
    await lost;
    expect(await stateOf(connection)).toBe("freezing");

    const { engine } = await startPlugin(pluginFile);
    await engine.create(target, inputsOf(connection, { drainSeconds: 0 }));
    expect(await stateOf(connection)).toBe("frozen");
    await eventually(() => {
      expect(writer.isTerminated()).toBe(true);
    });
    await engine.create(target, inputsOf(connection, { writes: "open" }));
    expect(await writes(connection)).toBe("accepted");
  });

  test("of a freeze that stands, the next run takes it over with its token and its switch", async () => {
    const connection = await databaseWithTable();
    const killed = await startPlugin(pluginFile);
    const { outputs } = await killed.engine.create(target, inputsOf(connection));
    killed.kill("SIGKILL");
    await killed.ended;
    expect(await writes(connection)).toBe("refused");

    const { engine, kill, ended } = await startPlugin(pluginFile);
    const olds = { inputs: inputsOf(connection), outputs };
    expect(await engine.diff(target, olds, olds.inputs)).toMatchObject({ changes: true });
    const preview = await engine.update(target, olds, olds.inputs, { preview: true });
    expect(preview.outputs).toEqual(outputs);
    expect((await engine.update(target, olds, olds.inputs)).outputs).toEqual(outputs);
    expect(await engine.diff(target, olds, olds.inputs)).toMatchObject({ changes: false });
    kill("SIGINT");
    await ended;
    expect(await writes(connection)).toBe("accepted");
  });
});
