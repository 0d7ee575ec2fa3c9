import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RouteFailure } from "./errors.ts";
import { askVersion, isProgram, LANGUAGE_HOST, PULUMI } from "./programs.ts";
import type { Engine, Surroundings } from "./types.ts";
import { ACCEPTED, ENGINE_VERSION, isAccepted } from "./version.ts";

const NOTE = "cutover-engine.json";

const noteSchema = z.object({ cli: z.string(), host: z.string() });

/** What a kept engine was built from: digests of the sources of the CLI and of the language host. */
export type Note = z.infer<typeof noteSchema>;

/** The folder of all kept engines, the one that the Pulumi Automation API uses, too. */
export function versionsFolder({ home }: Surroundings): string {
  return join(home, ".pulumi", "versions");
}

/** The folder of the programs of the kept engine. */
export function binFolder(surroundings: Surroundings): string {
  return join(versionsFolder(surroundings), ENGINE_VERSION, "bin");
}

/** Reckons what a build of the present sources would be noted as. */
export async function digestSources({ sources }: Surroundings): Promise<Note> {
  const folder = join(sources, "pulumi-language-nodejs");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".go")).sort();
  const cli = createHash("sha256");
  const host = createHash("sha256");
  for (const name of ["go.mod", "go.sum"]) {
    const text = await readFile(join(sources, name));
    cli.update(`${name} ${text.length}\n`).update(text);
    host.update(`${name} ${text.length}\n`).update(text);
  }
  for (const name of files) {
    const text = await readFile(join(folder, name));
    host.update(`${name} ${text.length}\n`).update(text);
  }
  return { cli: cli.digest("hex"), host: host.digest("hex") };
}

/** Reads what the kept engine was built from; nothing when it was not built here. */
export async function readNote(surroundings: Surroundings): Promise<Note | undefined> {
  try {
    const text = await readFile(join(binFolder(surroundings), NOTE), "utf8");
    // Any other content than ours means a build that nobody can vouch for.
    return noteSchema.catch({ cli: "", host: "" }).parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return { cli: "", host: "" };
    return undefined;
  }
}

/**
 * Takes the engine that an earlier run has kept.
 * @throws RouteFailure when there is none, or one that does not work or is older than its sources
 */
export async function fromCache(surroundings: Surroundings): Promise<Engine> {
  const folder = binFolder(surroundings);
  const fail = (reason: string) => new RouteFailure("cache", reason);

  const pulumi = join(folder, PULUMI);
  if (!(await isProgram(pulumi))) throw fail(`there is none in ${folder}`);
  if (!(await isProgram(join(folder, LANGUAGE_HOST)))) {
    throw fail(`${folder} has no ${LANGUAGE_HOST}`);
  }
  const note = await readNote(surroundings);
  if (note !== undefined) {
    const digests = await digestSources(surroundings);
    if (note.cli !== digests.cli) throw fail("it was built from another go.mod");
    if (note.host !== digests.host) throw fail("its language host is older than its source");
  }
  const answer = await askVersion(pulumi, surroundings.env);
  if ("problem" in answer) throw fail(`${pulumi}: ${answer.problem}`);
  if (!isAccepted(answer.version)) {
    throw fail(`${pulumi} is ${answer.version.version}; needed is ${ACCEPTED}`);
  }
  return { pulumi, folder, version: answer.version.version, route: "cache" };
}

/**
 * Makes an empty folder to build a new engine in, and clears away what killed runs have left. Only
 * for the holder of the lock.
 */
export async function makeDraft(surroundings: Surroundings): Promise<string> {
  const versions = versionsFolder(surroundings);
  const prefix = `.${ENGINE_VERSION}-`;
  await mkdir(versions, { recursive: true });
  for (const name of await readdir(versions)) {
    if (name.startsWith(prefix)) await rm(join(versions, name), { recursive: true, force: true });
  }
  return mkdtemp(join(versions, prefix));
}

/**
 * Puts the programs in a draft's `bin` in the place of the kept engine. At no moment is there a mix
 * of old and new: whoever is killed half-way leaves the old engine, or none.
 */
export async function publish(
  surroundings: Surroundings,
  draft: string,
  note: Note | undefined,
): Promise<void> {
  const fresh = join(draft, "bin");
  if (note !== undefined) await writeFile(join(fresh, NOTE), `${JSON.stringify(note, null, 2)}\n`);
  const place = binFolder(surroundings);
  await mkdir(join(place, ".."), { recursive: true });
  await rename(place, join(draft, "old")).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rename(fresh, place);
}
