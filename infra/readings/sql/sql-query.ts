import { z } from "zod";
import type { Answer, Session } from "../../provider/postgres-session.ts";
import { ReadingError, readingKind } from "../reading.ts";
import {
  databaseSubject,
  databaseTarget,
  readDatabase,
  readOnly,
  statementFailure,
} from "./database.ts";

const sql = z.string().trim().min(1).max(10_000);

const target = z
  .strictObject({
    queries: z
      .record(z.string().regex(/^[A-Za-z][\w-]{0,62}$/, "must be a name without dots"), sql)
      .default({})
      .meta({
        description: "a SELECT by name, each of one value",
        example: '{"openOrders":"SELECT count(*) FROM orders WHERE closed IS NULL"}',
      }),
    schemaVersion: sql.optional().meta({
      description: "a SELECT of the version of the schema",
      example: "SELECT max(version) FROM schema_history",
    }),
    rowCounts: z
      .array(z.string().regex(/^[A-Za-z_]\w{0,62}\.[A-Za-z_]\w{0,62}$/, "must be schema.table"))
      .default([])
      .meta({
        description: "tables to count, as schema.table in the letters that PostgreSQL keeps",
        example: '["public.orders"]',
      }),
    database: databaseTarget,
  })
  .refine(
    ({ queries, schemaVersion, rowCounts }) =>
      Object.keys(queries).length + rowCounts.length > 0 || schemaVersion !== undefined,
    "must have at least one of queries, schemaVersion and rowCounts",
  );

/**
 * What a database answers to SELECTs of one value each. Every SELECT runs alone, in a transaction of its own that can
 * write nothing, for at most 5 s.
 */
export const sqlQuery = readingKind({
  kind: "sql-query",
  title: "single values and row counts of a PostgreSQL database",
  target,
  facts: {
    queries:
      "by name, the value: a number, a text, true or false; null where there is no row, or it is null",
    schemaVersion:
      "the value of its SELECT; null when none was asked for, there is no row, or it is null",
    rowCounts: "rows by schema and table, as in `rowCounts.public.orders`",
  },
  subject: ({ database }) => databaseSubject(database),

  read: ({ queries, schemaVersion, rowCounts, database }, context) =>
    readDatabase(database, context, async (session) => {
      const values: [string, Value][] = [];
      for (const [name, text] of Object.entries(queries)) {
        values.push([name, await valueOf(session, `query ${name}`, text)]);
      }
      const version =
        schemaVersion === undefined
          ? null
          : await valueOf(session, "query schemaVersion", schemaVersion);
      const counts = new Map<string, [string, Value][]>();
      for (const name of rowCounts) {
        const [schema = "", table = ""] = name.split(".");
        const count = `SELECT count(*) FROM "${schema}"."${table}"`;
        const rows = await valueOf(session, `row count of ${name}`, count);
        counts.set(schema, [...(counts.get(schema) ?? []), [table, rows]]);
      }
      return {
        queries: Object.fromEntries(values),
        schemaVersion: version,
        rowCounts: Object.fromEntries(
          [...counts].map(([schema, tables]) => [schema, Object.fromEntries(tables)]),
        ),
      };
    }),
});

type Value = number | string | boolean | null;

async function valueOf(session: Session, what: string, text: string): Promise<Value> {
  const answer = await readOnly(session, async () => {
    // A cursor takes nothing but a SELECT, and a fetch of two rows is enough to see that there are too many.
    await session.single(`DECLARE reading NO SCROLL CURSOR FOR ${text}`);
    return session.single("FETCH 2 FROM reading");
  }).catch((error: unknown) => {
    throw statementFailure(what, error);
  });
  return onlyValue(what, answer);
}

function onlyValue(what: string, { types, rows }: Answer): Value {
  const [type] = types;
  if (type === undefined || types.length > 1) {
    throw new ReadingError(`${what}: it returns ${types.length} columns, required is one`);
  }
  if (rows.length > 1) {
    throw new ReadingError(`${what}: it returns more than one row, required is at most one`);
  }
  const found = rows[0]?.[0] ?? null;
  // pg leaves as texts what may not fit into a number.
  const value = numericTypes.includes(type) && found !== null ? Number(found) : found;
  if (typeof value === "number" && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    throw new ReadingError(
      `${what}: its number is NaN, infinite or beyond 2^53 - 1, which JSON does not keep. To do: cast it to text`,
    );
  }
  if (typeof value === "string" && value.length > mostCharacters) {
    throw new ReadingError(
      `${what}: its text is longer than ${mostCharacters} characters. To do: ask for less of it`,
    );
  }
  if (value !== null && !["number", "string", "boolean"].includes(typeof value)) {
    throw new ReadingError(
      `${what}: its value is no number, text or boolean. To do: cast it to one of these`,
    );
  }
  return value as Value;
}

/** OIDs of int8 and numeric. */
const numericTypes: readonly number[] = [20, 1700];

/** A value is sealed with the release and shown to people. */
const mostCharacters = 1000;
