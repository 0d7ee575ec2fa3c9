import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { missingColumns, neededColumns, openPool, table } from "./database.ts";

/** What a shell says of a program that it does not find. */
const unknownExitCode = 127;

/**
 * What a container can run in place of its image. Each gets the words after its name and returns its exit code.
 * `node dist/jobs/check-integrity.js` and `/app/check-integrity` are `check-integrity`.
 */
const commands: Readonly<Record<string, (args: readonly string[]) => Promise<number> | number>> = {
  "check-integrity": () => withPool(checkIntegrity),
  "count-writes": () => withPool(countWrites),
  fail(words) {
    process.stderr.write(`${words.join(" ")}\n`);
    return 3;
  },
  async sleep([seconds = "0"]) {
    await sleep(Number(seconds) * 1000);
    return 0;
  },
};

/** Runs a command and returns its exit code. */
export async function runCommand(words: readonly string[]): Promise<number> {
  const named = words.map((word) => word.replace(/^.*\//, "").replace(/\.\w+$/, ""));
  const at = named.findIndex((name) => Object.hasOwn(commands, name));
  const run = commands[named[at] ?? ""];
  if (run !== undefined) return run(words.slice(at + 1));
  process.stderr.write(
    `the rehearsal does not imitate the command ${words.join(" ")}. ` +
      `To do: name one of ${Object.keys(commands).join(", ")}, or teach it to rehearsal/app/commands.ts\n`,
  );
  return unknownExitCode;
}

async function withPool(run: (pool: Pool) => Promise<number>): Promise<number> {
  const pool = openPool();
  try {
    return await run(pool);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await pool.end();
  }
}

async function checkIntegrity(pool: Pool): Promise<number> {
  const missing = await missingColumns(pool);
  for (const column of neededColumns) {
    process.stdout.write(`${column} ${missing.includes(column) ? "is missing" : "is there"}\n`);
  }
  return missing.length === 0 ? 0 : 1;
}

async function countWrites(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
  process.stdout.write(`${rows[0]?.count ?? "0"}\n`);
  return 0;
}
