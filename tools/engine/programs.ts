import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { execa } from "execa";
import type { SemVer } from "semver";
import { readVersion } from "./version.ts";

const SUFFIX = process.platform === "win32" ? ".exe" : "";

/** The file names of the two programs that make an engine. */
export const PULUMI = `pulumi${SUFFIX}`;
export const LANGUAGE_HOST = `pulumi-language-nodejs${SUFFIX}`;

/** Finds a program in the folders of PATH. */
export async function findOnPath(
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    // A relative folder would mean another file for every working directory.
    if (!isAbsolute(folder)) continue;
    const file = resolve(join(folder, name));
    if (await isProgram(file)) return file;
  }
  return undefined;
}

/** Whether a path is a file that this user may start. */
export async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/**
 * Starts the CLI and asks for its version.
 * @returns the version, or in words why there is none
 */
export async function askVersion(
  pulumi: string,
  env: NodeJS.ProcessEnv,
): Promise<{ version: SemVer } | { problem: string }> {
  const result = await execa(pulumi, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    extendEnv: false,
    stdin: "ignore",
    timeout: 60_000,
    forceKillAfterDelay: 1_000,
    reject: false,
  });
  if (result.failed) {
    return { problem: `\`pulumi version\` failed: ${result.originalMessage ?? firstLine(result)}` };
  }
  const version = readVersion(result.stdout);
  if (version === undefined) return { problem: `\`pulumi version\` printed no version` };
  return { version };
}

function firstLine(result: { stderr: string; exitCode?: number | undefined }): string {
  const [line = ""] = result.stderr.trim().split("\n");
  return line === "" ? `exit code ${result.exitCode ?? "unknown"}` : line;
}
