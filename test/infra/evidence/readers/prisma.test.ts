import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { prisma } from "../../../../infra/evidence/readers/prisma.ts";
import { describeBadBytes, readWith, refusal, sample } from "./samples.ts";

const upToDate = sample("prisma/up-to-date.txt").toString();
const states = (report: unknown) => readWith(prisma, report).facts;
const notRecognised = "it is not the output of prisma migrate status";

describe("prisma migrate status", () => {
  test.each([
    ["up-to-date", { state: "in-sync", total: 3, pending: [], failed: [], diverged: [] }],
    [
      "pending",
      {
        state: "pending",
        total: 3,
        pending: ["20260120090000_add_totals", "20260128101500_index_totals"],
        failed: [],
        diverged: [],
      },
    ],
    [
      "failed",
      {
        state: "failed",
        total: 1,
        pending: [],
        failed: ["20260120090000_add_totals"],
        diverged: [],
      },
    ],
    [
      "diverged",
      {
        state: "diverged",
        total: 2,
        pending: ["20260120090000_add_totals"],
        failed: [],
        diverged: ["20260121090000_add_totals_by_hand"],
      },
    ],
    ["unmanaged", { state: "diverged", total: 1, pending: [], failed: [], diverged: [] }],
  ])("reads the status %s", (name, facts) => {
    expect(readWith(prisma, sample(`prisma/${name}.txt`))).toEqual({
      facts: { tool: { name: "prisma" }, ...facts },
      producedAt: null,
    });
  });

  const bare = "3 migrations found in prisma/migrations\n\nDatabase schema is up to date!";

  test.each([
    ["no asides", bare],
    ["other ends of lines", upToDate.replaceAll("\n", "\r\n")],
    [
      "colours",
      upToDate
        .replace("Database", "\u001B[32m\u001B[1mDatabase")
        .replace("Datasource", "\u001B[2mDatasource"),
    ],
    [
      "lines of npm",
      `> orders@1.4.0 status\n> prisma migrate status\n\n${upToDate}npm notice New version of npm\n`,
    ],
    [
      "a notice of Prisma",
      `${upToDate}┌─────┐\n│  Update available 5.22.0 -> 6.19.0  │\n└─────┘\n`,
    ],
    [
      "a warning of Prisma",
      `warn The configuration property \`package.json#prisma\` is deprecated.\nFor more information, see: https://pris.ly/prisma-config\n\n${upToDate}`,
    ],
  ])("takes %s", (_, report) => {
    expect(states(report)).toMatchObject({ state: "in-sync", total: 3 });
  });

  test("histories that differ only in the database", () => {
    const report = sample("prisma/diverged.txt")
      .toString()
      .replace("20260120090000_add_totals\n", "");
    expect(states(report)).toMatchObject({ state: "diverged", pending: [] });
  });

  test("a database that is not managed, without migrations", () => {
    const report = `No migration found in prisma/migrations
The current database is not managed by Prisma Migrate.

Read more about how to baseline an existing production database:
https://pris.ly/d/migrate-baseline`;
    expect(states(report)).toMatchObject({ state: "diverged", total: 0 });
  });

  const unreachable = sample("prisma/unreachable.txt").toString();

  test.each([
    [
      "an unreachable database",
      unreachable,
      "prisma could not tell the status (P1001); solve that and run it again",
    ],
    [
      "an unreachable database of an older Prisma",
      unreachable.replace("Error: ", "Database connection error:\n\n"),
      "prisma could not tell the status (P1001); solve that and run it again",
    ],
    [
      "an unreachable database without a code",
      "Database connection error:\n\nThe server is away",
      "prisma could not tell the status; solve that and run it again",
    ],
    [
      "an error with an address",
      "Error: Schema engine error:\npostgresql://user:secret@db.example.com refused",
      "prisma could not tell the status; solve that and run it again",
    ],
    [
      "an error after a good status",
      `${upToDate}Error: P1017: Server has closed the connection.`,
      "prisma could not tell the status (P1017); solve that and run it again",
    ],
    ["nothing", "", notRecognised],
    ["blanks", "\n \n", notRecognised],
    ["asides only", upToDate.split("\n\n")[0], notRecognised],
    ["the last line only", "Database schema is up to date!", notRecognised],
    ["a line after the last", `${upToDate}All is well.`, notRecognised],
    ["a line before the first", `All is well.\n${upToDate}`, notRecognised],
    ["a line between", upToDate.replace("Database s", "All is well.\nDatabase s"), notRecognised],
    ["two outputs", `${upToDate}${upToDate}`, notRecognised],
    [
      "the status of another command",
      "Already in sync, no schema change or pending migration was found.",
      notRecognised,
    ],
    ["a number that is none", bare.replace("3", "-3"), notRecognised],
    ["a number that is too large", bare.replace("3", "3333333"), notRecognised],
    [
      "one of two outputs",
      "3 migrations found in prisma/migrations",
      "it ends before the status; keep both outputs: prisma migrate status 2>&1",
    ],
    [
      "a database that is in sync with nothing",
      bare.replace("3 migrations", "No migration"),
      "it found no migration; run it where the folder of migrations is",
    ],
    ["zero migrations", bare.replace("3", "0"), /found no migration/],
    [
      "more pending migrations than there are",
      sample("prisma/pending.txt").toString().replace("3 migrations", "1 migration"),
      "it lists 2 migrations of 1",
    ],
    [
      "a long name",
      sample("prisma/failed.txt").toString().replace("_add", "x".repeat(500)),
      /see failed\.0/,
    ],
    ["a text beyond the limit", `${upToDate}${"\n".repeat(1024 * 1024)}`, /larger than 1 MiB/],
    [
      "lines without end",
      `3 migrations found in prisma/migrations\nFollowing migrations have not yet been applied:\n${"a\n".repeat(500_000)}`,
      notRecognised,
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(prisma, report)).toMatch(message);
  });

  test.each(["pending", "failed", "unmanaged"])(
    "a status %s that was cut anywhere is refused or the same",
    (name) => {
      const whole = sample(`prisma/${name}.txt`).toString().trimEnd();
      for (let end = 0; end < whole.length; end += 1) refusal(prisma, whole.slice(0, end));
    },
  );

  test("a status diverged that was cut anywhere is refused or diverged", () => {
    const whole = sample("prisma/diverged.txt");
    const start = whole.indexOf("20260121090000");
    for (let end = 0; end <= start; end += 1) refusal(prisma, whole.subarray(0, end));
    for (let end = start + 1; end < whole.length; end += 1) {
      expect(states(whole.subarray(0, end)).state).toBe("diverged");
    }
  });

  property.prop([fc.string()])("noise is never in sync", (noise) => {
    refusal(prisma, noise);
  });

  property.prop([fc.array(fc.constantFrom(...upToDate.split("\n")), { maxLength: 12 })])(
    "no other order of its lines is in sync",
    (lines) => {
      const statements = lines.filter((line) => / found in |up to date!/.test(line));
      const good =
        statements.length === 2 &&
        statements.join() === upToDate.match(/^(3|Database).*/gm)?.join();
      if (good) expect(states(lines.join("\n")).state).toBe("in-sync");
      else refusal(prisma, lines.join("\n"));
    },
  );

  describeBadBytes(prisma, sample("prisma/up-to-date.txt"));
});

describe("prisma migration status --json", () => {
  const hash = (digit: string): string => digit.repeat(64);
  const migration = (name: string, from: string | null, to: string, status: string | null) => ({
    name,
    hash: hash("f"),
    fromContract: from,
    toContract: to,
    status,
  });
  const baseline = migration("baseline", null, hash("a"), "applied");
  const totals = migration("totals", hash("a"), hash("b"), "applied");
  const space = (rest: object = {}) => ({
    space: "app",
    currentContract: hash("b"),
    targetContract: hash("b"),
    migrations: [baseline, totals],
    ...rest,
  });
  const finding = (code: string) => ({ code, severity: "warn" });

  /** The line that Prisma 8 writes on these spaces. */
  const output = (
    spaces: object[],
    { found = [], noted = [] }: { found?: object[]; noted?: object[] } = {},
  ): object => ({
    kind: "result",
    commandId: "migration.status",
    timestamp: "2026-01-31T12:00:00.000Z",
    envelope: {
      ok: true,
      commandId: "migration.status",
      result: { ok: true, spaces, summary: "Up to date", diagnostics: found },
      exitCode: 0,
      diagnostics: noted,
    },
  });

  test("reads a database that is in sync, and when", () => {
    expect(readWith(prisma, sample("prisma/status-8.jsonl"))).toEqual({
      facts: {
        tool: { name: "prisma" },
        state: "in-sync",
        total: 2,
        pending: [],
        failed: [],
        diverged: [],
      },
      producedAt: "2026-01-31T12:00:00.000Z",
    });
  });

  test("reads what is pending", () => {
    expect(states(sample("prisma/status-8-pending.jsonl"))).toMatchObject({
      state: "pending",
      pending: ["app/20260120T0900_add_totals"],
    });
  });

  test("takes the steps before the result", () => {
    const step = JSON.stringify({ kind: "step-started", step: "status" });
    expect(states(`${step}\n${JSON.stringify(output([space()]))}\n`).state).toBe("in-sync");
  });

  const fresh = space({
    currentContract: null,
    migrations: [migration("baseline", null, hash("b"), "pending")],
  });
  const external = {
    space: "vector",
    currentContract: hash("e"),
    targetContract: hash("e"),
    migrations: [],
  };

  test.each([
    ["all was applied", [space()], "in-sync"],
    ["an extension has no migrations of its own", [space(), external], "in-sync"],
    [
      "there is a migration on another way",
      [space({ migrations: [baseline, totals, migration("back", hash("b"), hash("a"), null)] })],
      "in-sync",
    ],
    ["nothing was applied", [fresh], "pending"],
    ["another space is behind", [space(), { ...fresh, space: "vector" }], "pending"],
    [
      "the database is elsewhere and no way leads on",
      [space({ currentContract: hash("c") })],
      "diverged",
    ],
    [
      "the database was never initialised and no way leads on",
      [space({ currentContract: null })],
      "diverged",
    ],
    [
      "no migration ends where the database is",
      [space({ currentContract: hash("c"), targetContract: hash("c") })],
      "diverged",
    ],
    [
      "an extension is elsewhere",
      [space(), { ...external, currentContract: hash("d") }],
      "diverged",
    ],
    [
      "one is behind and one elsewhere",
      [fresh, { ...external, currentContract: null }],
      "diverged",
    ],
  ])("where %s the state is told", (_, spaces, state) => {
    expect(states(output(spaces)).state).toBe(state);
  });

  const outside = finding("MIGRATION.MARKER_NOT_IN_HISTORY");

  test.each([
    ["in the result", { found: [outside] }],
    ["beside the result", { noted: [outside] }],
  ])("a finding %s of a database outside of its history makes it diverged", (_, findings) => {
    expect(states(output([space()], findings)).state).toBe("diverged");
  });

  const failure = (error: unknown): object => ({
    ...output([]),
    envelope: { ok: false, error, exitCode: 2, diagnostics: [] },
  });

  test.each([
    [
      "another finding",
      output([space()], { found: [finding("CONTRACT.UNREADABLE")] }),
      "prisma could not tell the status (CONTRACT.UNREADABLE); solve that and run it again",
    ],
    [
      "a finding beside that of a database outside of its history",
      output([space()], { found: [outside], noted: [finding("MIGRATION.MISSING_INVARIANTS")] }),
      /MIGRATION\.MISSING_INVARIANTS/,
    ],
    [
      "a failure",
      failure({ code: "DRIVER.CONNECTION_FAILED", why: "postgresql://user:secret@db.example.com" }),
      "prisma could not tell the status (DRIVER.CONNECTION_FAILED); solve that and run it again",
    ],
    [
      "a failure whose code is an address",
      failure({ code: "postgresql://user:secret@db.example.com" }),
      "prisma could not tell the status; solve that and run it again",
    ],
    [
      "a preview without a database",
      output([space({ migrations: [{ ...baseline, status: null }] })]),
      "it knows of no migration that was applied; run it with --db",
    ],
    ["no space", output([]), /no migration that was applied/],
    ["extensions only", output([external]), /no migration that was applied/],
    ["another command", { ...output([space()]), commandId: "migration.list" }, /see commandId/],
    ["no time", { ...output([space()]), timestamp: undefined }, /see timestamp/],
    ["a time that is none", { ...output([space()]), timestamp: "now" }, /time that is none/],
    [
      "an unknown status",
      output([space({ migrations: [{ ...baseline, status: "done" }] })]),
      /migrations\.0\.status/,
    ],
    [
      "no result",
      { kind: "step-started" },
      "it holds 0 results of prisma migration status, required is 1",
    ],
    [
      "two results",
      [0, 1].map(() => JSON.stringify(output([space()]))).join("\n"),
      /holds 2 results/,
    ],
    ["another document", { ok: true }, /no output of prisma migration status --json, see kind/],
    ["a doubled key", '{"kind":"result","kind":"result"}', /key twice/],
    ["__proto__", '{"__proto__":{"kind":"result"}}', /__proto__/],
    ["nesting without end", `{"kind":${"[".repeat(100_000)}`, /nests deeper/],
    ["words after the result", `${JSON.stringify(output([space()]))}\nDone.`, /no JSON/],
    ["several lines of one result", JSON.stringify(output([space()]), null, 2), /no JSON/],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(prisma, report)).toMatch(message);
  });

  property.prop([
    fc.array(fc.constantFrom("applied", "pending", null), { minLength: 1, maxLength: 8 }),
  ])("is in sync only when nothing is pending", (statuses) => {
    const migrations = statuses.map((status, at) => migration(`m${at}`, null, hash("b"), status));
    const report = output([space({ migrations })]);
    if (statuses.includes("pending")) expect(states(report).state).toBe("pending");
    else if (statuses.includes("applied")) expect(states(report).state).toBe("in-sync");
    else refusal(prisma, report);
  });

  describeBadBytes(prisma, sample("prisma/status-8.jsonl"));
});
