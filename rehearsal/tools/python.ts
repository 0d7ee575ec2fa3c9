import { createHash } from "node:crypto";
import { access, mkdir, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa, ExecaError } from "execa";
import lockfile from "proper-lockfile";

const required = "Python 3.10 or newer with its module venv, and access to PyPI";

// A lock that its holder has not touched for this long was left by a run that was killed.
const staleMs = 10_000;
const retryMs = 250;
// An installation takes half a minute; a slow line may need ten times as long.
const longestMs = 10 * 60_000;

/** A virtual environment. */
export interface Python {
  /** The folder of its programs, `python` among them. */
  readonly bin: string;
}

/** Where an environment is kept, what makes it, and what it holds. */
export interface PythonSource {
  readonly folder: string;
  readonly program: string;
  /** What pip installs, each with its version. */
  readonly requirements: readonly string[];
}

/** Where environments are kept and what makes them, on a machine that is set up as usual. */
export const usualPython: Omit<PythonSource, "requirements"> = {
  // Not in node_modules, which `npm ci` empties.
  folder: join(homedir(), ".cache", "cutover"),
  program: "python3",
};

/**
 * Gives a virtual environment, and makes it the first time. Runs that start at once wait for the one that makes it;
 * what a killed run left half made is made anew.
 *
 * @throws Error when there is no Python, it is too old, or the installation fails
 */
export async function python(source: PythonSource): Promise<Python> {
  const version = await versionOf(source.program);
  const key = createHash("sha256")
    .update(JSON.stringify([version, source.requirements]))
    .digest("hex");
  const place = join(source.folder, `python-${key.slice(0, 12)}`);
  const environment = { bin: join(place, "bin") };
  const mark = join(place, "complete");
  if (await exists(mark)) return environment;
  await mkdir(source.folder, { recursive: true });
  const release = await locked(source.folder, `${place}.lock`);
  try {
    if (await exists(mark)) return environment;
    await rm(place, { recursive: true, force: true });
    await run(source.program, ["-m", "venv", place]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await run(join(environment.bin, "python"), [...pip, ...source.requirements]);
    await writeFile(mark, "");
    return environment;
  } finally {
    await release();
  }
}

async function versionOf(program: string): Promise<string> {
  const version = await run(program, ["--version"]);
  const [major, minor] = /^Python (\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [];
  if (major !== 3 || minor === undefined || minor < 10) {
    throw problem(`${program} is ${version}`);
  }
  return version;
}

async function run(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execa(program, args, { stdin: "ignore", timeout: longestMs });
    return stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    if (error.code === "ENOENT") throw problem(`there is no ${program} on PATH`);
    const said = `${error.stdout}\n${error.stderr}`.trim().split("\n").slice(-5).join("\n");
    throw problem(`${[program, ...args].join(" ")} failed: ${said}`);
  }
}

function problem(found: string): Error {
  const lines = [
    "There is no Python environment for what runs beside the program.",
    `  found:    ${found}`,
    `  required: ${required}`,
    "  to do:    install it, for example: apt-get install python3 python3-venv",
  ];
  return new Error(lines.join("\n"));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function locked(folder: string, lockfilePath: string): Promise<() => Promise<void>> {
  const end = Date.now() + longestMs;
  for (;;) {
    let lost = false;
    try {
      const release = await lockfile.lock(folder, {
        lockfilePath,
        stale: staleMs,
        onCompromised: () => {
          lost = true;
        },
      });
      return async () => {
        if (!lost) await release();
      };
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "ELOCKED";
      if (!taken || Date.now() > end) throw error;
    }
    await sleep(retryMs);
  }
}
