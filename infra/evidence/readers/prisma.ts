import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { decodeUtf8, parseJson } from "../../../policies/contract/json.ts";
import type { Facts } from "../../../policies/contract/predicates.ts";
import { reportLimits, type Reader, type ReadReport } from "../reader.ts";
import { fitFacts, fitShape, isoTime, list, unreadable } from "./shared.ts";

/** A longer output is refused: the status of 10,000 migrations takes about 0.5 MB. */
const mostCharacters = 1024 * 1024;

type State = Facts<"migrations">["state"];

/**
 * Reads what `prisma migrate status 2>&1` (Prisma 5 to 7) or `prisma migration status --json` (Prisma 8) writes; the
 * latter must have been run without --from, --to and --space, which make it compare something else. Only a text that is
 * recognised whole is a status.
 */
export const prisma: Reader<"migrations"> = {
  format: "prisma",
  title: "status of migrations, Prisma",
  predicate: "migrations",
  read(bytes) {
    const text = decodeUtf8(bytes, reportLimits.bytes);
    if (text.length > mostCharacters) throw unreadable("it is larger than 1 MiB");
    const lines = stripVTControlCharacters(text)
      .split(/\r\n|\r|\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "");
    return lines[0]?.startsWith("{") === true ? readJson(lines) : readText(lines);
  },
};

/** Lines that say nothing of the status: what was loaded, notices of Prisma and of the package manager. */
const asides: readonly RegExp[] = [
  /^Environment variables loaded from /,
  /^Prisma schema loaded from /,
  /^Loaded Prisma config from /,
  /^Prisma config detected, /,
  // It may hold where the database is.
  /^Datasource "/,
  /^[┌│└]/,
  /^(npm )?(warn|notice) /i,
  /^For more information, see: https:\/\/pris\.ly\//,
  /^> /,
];

const found = String.raw`(?<total>No|\d{1,6}) migrations? found in prisma/migrations`;

/** What Prisma writes, line by line without asides and empty lines; of lists of migrations each line is a name. */
const forms: readonly { readonly state: State; readonly pattern: RegExp }[] = [
  form("in-sync", [found, "Database schema is up to date!"]),
  form("pending", [
    found,
    "Following migrations? have not yet been applied:",
    "(?<pending>.+(\n.+)*?)",
    String.raw`To apply migrations in development run .*prisma migrate dev\.`,
    String.raw`To apply migrations in production run .*prisma migrate deploy\.`,
  ]),
  form("failed", [
    found,
    "Following migrations? have failed:",
    "(?<failed>.+(\n.+)*?)",
    "During development if the failed migration.*",
    String.raw`The failed migration\(s\) can be marked as rolled back or applied:`,
    "- If you rolled back .*",
    ".*prisma migrate resolve --rolled-back .*",
    "- If you fixed the database manually .*",
    ".*prisma migrate resolve --applied .*",
    "Read more about how to resolve migration issues in a production database:",
    "https://pris.ly/d/migrate-resolve",
  ]),
  form("diverged", [
    found,
    "Your local migration history and the migrations table from your database are different:",
    "The last common migration is: .*",
    "The migrations? have not yet been applied:(?<pending>(\n.+)*?)",
    "The migrations? from the database are not found locally in prisma/migrations:",
    "(?<diverged>.+(\n.+)*)",
  ]),
  form("diverged", [
    found,
    String.raw`The current database is not managed by Prisma Migrate\.`,
    "(If you want to keep .*\n.*prisma migrate resolve --applied .*\n)?Read more about how to baseline .*",
    "https://pris.ly/d/migrate-baseline",
  ]),
];

function form(state: State, lines: readonly string[]) {
  return { state, pattern: new RegExp(`^${lines.join("\n")}$`) };
}

function readText(lines: readonly string[]): ReadReport<"migrations"> {
  if (lines.some((line) => /^(Error\b|Database connection error:|P\d{4}\b)/.test(line))) {
    throw withoutStatus(/\bP\d{4}\b/.exec(lines.join("\n"))?.[0]);
  }
  const text = lines.filter((line) => !asides.some((aside) => aside.test(line))).join("\n");
  if (new RegExp(`^${found}$`).test(text)) {
    throw unreadable("it ends before the status; keep both outputs: prisma migrate status 2>&1");
  }
  for (const { state, pattern } of forms) {
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) continue;
    const names = (list: string | undefined): string[] =>
      (list ?? "").split("\n").filter((name) => name !== "");
    return {
      facts: migrations(state, {
        total: groups["total"] === "No" ? 0 : Number(groups["total"]),
        pending: names(groups["pending"]),
        failed: names(groups["failed"]),
        diverged: names(groups["diverged"]),
      }),
      producedAt: null,
    };
  }
  throw unreadable("it is not the output of prisma migrate status");
}

const diagnosticsSchema = list(z.object({ code: z.string() }));

const resultSchema = z.object({
  commandId: z.literal("migration.status"),
  timestamp: z.string(),
  envelope: z.discriminatedUnion("ok", [
    z.object({ ok: z.literal(false), error: z.object({ code: z.string() }) }),
    z.object({
      ok: z.literal(true),
      diagnostics: diagnosticsSchema,
      result: z.object({
        diagnostics: diagnosticsSchema,
        spaces: list(
          z.object({
            space: z.string(),
            currentContract: z.string().nullable(),
            targetContract: z.string(),
            migrations: list(
              z.object({
                name: z.string(),
                toContract: z.string(),
                status: z.enum(["applied", "pending"]).nullable(),
              }),
            ),
          }),
        ),
      }),
    }),
  ]),
});

/** The finding that the database is at no state that its migrations lead to. */
const outsideHistory = "MIGRATION.MARKER_NOT_IN_HISTORY";

function readJson(lines: readonly string[]): ReadReport<"migrations"> {
  const kind = z.looseObject({ kind: z.string() });
  const what = "output of prisma migration status --json";
  const results = lines
    .map((line) => fitShape(kind, parseJson(line, reportLimits), what))
    .filter((event) => event.kind === "result");
  if (results.length !== 1) {
    throw unreadable(
      `it holds ${results.length} results of prisma migration status, required is 1`,
    );
  }
  const { envelope, timestamp } = fitShape(resultSchema, results[0], what);
  if (!envelope.ok) throw withoutStatus(envelope.error.code);
  const { spaces } = envelope.result;
  const codes = [...envelope.diagnostics, ...envelope.result.diagnostics].map(({ code }) => code);
  const other = codes.find((code) => code !== outsideHistory);
  if (other !== undefined) throw withoutStatus(other);
  const named = (status: string) =>
    spaces.flatMap(({ space, migrations }) =>
      migrations.filter((one) => one.status === status).map(({ name }) => `${space}/${name}`),
    );
  const pending = named("pending");
  const diverged = spaces
    .filter(({ currentContract, targetContract, migrations }) => {
      const onTheWay = migrations.some(({ status }) => status === "pending");
      const arrived =
        migrations.length === 0 ||
        migrations.some((one) => one.status === "applied" && one.toContract === targetContract);
      return !onTheWay && (currentContract !== targetContract || !arrived);
    })
    .map(({ space }) => space);
  // A preview without a database knows of none that was applied.
  if (pending.length === 0 && named("applied").length === 0) {
    throw unreadable("it knows of no migration that was applied; run it with --db");
  }
  const state = pending.length === 0 ? "in-sync" : "pending";
  return {
    facts: migrations(codes.length > 0 || diverged.length > 0 ? "diverged" : state, {
      total: spaces.reduce((sum, space) => sum + space.migrations.length, 0),
      pending,
      failed: [],
      diverged,
    }),
    producedAt: isoTime(timestamp),
  };
}

function migrations(
  state: State,
  rest: Pick<Facts<"migrations">, "total" | "pending" | "failed" | "diverged">,
): Facts<"migrations"> {
  if (state === "in-sync" && rest.total === 0) {
    throw unreadable("it found no migration; run it where the folder of migrations is");
  }
  if (rest.total !== null && rest.pending.length > rest.total) {
    throw unreadable(`it lists ${rest.pending.length} migrations of ${rest.total}`);
  }
  return fitFacts("migrations", { tool: { name: "prisma" }, state, ...rest });
}

/** The refusal of an output without a status; of an error only its code is told, the rest may hold an address. */
function withoutStatus(code: string | undefined): Error {
  const told = code !== undefined && /^[A-Z][A-Z0-9._-]{1,63}$/.test(code) ? ` (${code})` : "";
  return unreadable(`prisma could not tell the status${told}; solve that and run it again`);
}
