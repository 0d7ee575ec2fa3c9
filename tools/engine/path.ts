import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { binFolder } from "./cache.ts";
import { RouteFailure } from "./errors.ts";
import { askVersion, findOnPath, isProgram, LANGUAGE_HOST, PULUMI } from "./programs.ts";
import type { Engine, Surroundings } from "./types.ts";
import { ACCEPTED, isAccepted } from "./version.ts";

const REMEDY = `install the Pulumi CLI, ${ACCEPTED}: https://www.pulumi.com/docs/install/`;

/**
 * Takes the `pulumi` that is on PATH.
 * @throws RouteFailure when there is none, or one that this project does not work with
 */
export async function fromPath(surroundings: Surroundings): Promise<Engine> {
  const { env } = surroundings;
  const fail = (reason: string) => new RouteFailure("path", reason, REMEDY);

  const pulumi = await findOnPath(PULUMI, env);
  if (pulumi === undefined) throw fail("there is no pulumi on PATH");
  const folder = dirname(pulumi);
  const realFolder = dirname(await realpath(pulumi));
  if (await isSame(realFolder, binFolder(surroundings))) {
    // That copy may be older than its sources; the next route checks this.
    throw fail("PATH leads to the copy of an earlier run");
  }

  const answer = await askVersion(pulumi, env);
  if ("problem" in answer) throw fail(`${pulumi}: ${answer.problem}`);
  if (!isAccepted(answer.version)) {
    throw fail(`${pulumi} is ${answer.version.version}; needed is ${ACCEPTED}`);
  }
  const hasHost =
    (await isProgram(join(folder, LANGUAGE_HOST))) ||
    (await isProgram(join(realFolder, LANGUAGE_HOST))) ||
    (await findOnPath(LANGUAGE_HOST, env)) !== undefined;
  if (!hasHost) throw fail(`${pulumi} has no ${LANGUAGE_HOST} beside it or on PATH`);
  return { pulumi, folder, version: answer.version.version, route: "path" };
}

async function isSame(folder: string, other: string): Promise<boolean> {
  try {
    return folder === (await realpath(other));
  } catch {
    return false;
  }
}
