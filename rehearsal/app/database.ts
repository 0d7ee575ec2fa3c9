import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { image, slot, textOf, variable } from "./environment.ts";

const { service, columns, writes } = image;

/** How long a health check waits for an answer. */
export const healthMilliseconds = 1000;

/** The table that clients write to, as SQL takes it. */
export const table = pg.escapeIdentifier(writes.table);

/** What the image needs of the database, as `table.column`. */
export const neededColumns = service === "legacy" ? [`${writes.table}.id`] : columns;

/** Opens connections to the database in `DATABASE_URL`. */
export function openPool(): pg.Pool {
  const pool = new pg.Pool({
    // As libpq reads it: `require` encrypts and checks no certificate.
    connectionString: compatible(variable("DATABASE_URL")),
    max: 10,
    connectionTimeoutMillis: 2000,
    application_name: `${service}-${slot}`,
  });
  // Sessions that the database ends while nobody uses them are nobody's error.
  pool.on("error", () => undefined);
  return pool;
}

function compatible(url: string): string {
  return url.includes("sslmode=") ? `${url}&uselibpqcompat=true` : url;
}

/** What the image needs and the database lacks. */
export async function missingColumns(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
     WHERE table_schema = 'public'`,
  );
  const names = rows.map(({ name }) => name);
  return neededColumns.filter((column) => !names.includes(column));
}

/** Undefined when the database is as the image needs it, else what is not. */
export async function databaseProblem(pool: pg.Pool): Promise<string | undefined> {
  const asked = missingColumns(pool);
  // The loser of the race below must not count as unhandled.
  asked.catch(() => undefined);
  try {
    const missing = await Promise.race([asked, sleep(healthMilliseconds)]);
    if (missing === undefined) return "the database does not answer in time";
    return missing.length === 0 ? undefined : `the database lacks ${missing.join(", ")}`;
  } catch (error) {
    return `the database does not answer: ${textOf(error)}`;
  }
}
