import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { runInside, type Inside } from "./container-exec.ts";
import { largestObject, type ObjectStore } from "./object-store.ts";
import { RefusedError } from "./resource-type.ts";

/** Who asks for a dump, and of which freeze: what makes it the same one again. */
export interface DumpIdentity {
  readonly stack: string;
  readonly release: string;
  readonly token: string;
}

/** A dump that lies whole in a bucket. */
export interface Dump {
  readonly key: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
  /** When its data was taken, ISO 8601. */
  readonly takenAt: string;
}

/** The one database of a container, and who may read all of it. */
export interface ContainerDatabase extends Inside, DatabaseLogin {}

/** A database and who may read all of it. */
export interface DatabaseLogin {
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** What every program inside of the container is told: it connects over TCP, as its clients do. */
export function clientEnvironment(
  { user, password, database }: DatabaseLogin,
  purpose: string,
): string[] {
  return [
    "PGHOST=127.0.0.1",
    `PGUSER=${user}`,
    `PGPASSWORD=${password}`,
    `PGDATABASE=${database}`,
    `PGAPPNAME=cutover ${purpose}`,
  ];
}

/**
 * Makes a dump in pg_dump's custom format and stores it, or finds the one that was made for the same stack, release and
 * token. A dump counts once the bucket has it whole and reckons the same size and checksum.
 *
 * @throws RefusedError when another object has its key, when pg_dump fails, and when the bucket has not what was sent
 */
export async function storeDump(
  from: ContainerDatabase,
  store: ObjectStore,
  key: string,
  identity: DumpIdentity,
  signal: AbortSignal,
): Promise<Dump> {
  const known = await findDump(store, key);
  if (known !== undefined) {
    if (isOf(known.identity, identity)) {
      await verifyStored(store, known.dump);
      return known.dump;
    }
    throw new RefusedError(
      [
        `${store.name}/${key} is not the dump of this freeze.`,
        `found:    one of stack ${known.identity.stack}, release ${known.identity.release}`,
        `required: none yet, or one of stack ${identity.stack}, release ${identity.release}`,
        "to do:    give each stack a bucket or a system name of its own, then run pulumi up again",
      ].join("\n"),
    );
  }
  return inScratchFolder(async (folder) => {
    const takenAt = new Date().toISOString();
    const file = join(folder, "dump");
    const { bytes, sha256 } = await dumpTo(from, file, signal);
    if (bytes > largestObject) {
      throw new RefusedError(
        `the dump has ${String(bytes)} bytes; required are at most ${String(largestObject)}, which a bucket takes at once.\n` +
          "To do: keep a database of this size on RDS (cutover:database.kind rds), whose snapshots have no such bound",
      );
    }
    const notes = { ...identity, bytes: String(bytes), sha256, "taken-at": takenAt };
    await store.put({ key, file, bytes, sha256, notes });
    const dump = { key, bytes, sha256, takenAt };
    await verifyStored(store, dump);
    return dump;
  });
}

/** What a bucket notes of a dump, and whose it is; undefined when there is no such object. */
export async function findDump(
  store: ObjectStore,
  key: string,
): Promise<{ readonly dump: Dump; readonly identity: DumpIdentity } | undefined> {
  const object = await store.find(key);
  if (object === undefined) return undefined;
  const { stack = "", release = "", token = "", sha256 = "" } = object.notes;
  const { bytes = "0", "taken-at": takenAt = "" } = object.notes;
  const dump = { key, bytes: Number(bytes), sha256, takenAt };
  return { dump, identity: { stack, release, token } };
}

/**
 * Reads a dump into a file, and sees that it is what was stored.
 *
 * @throws RefusedError when its size or checksum is another
 */
export async function fetchDump(
  store: ObjectStore,
  dump: Dump,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const found = await writeHashed(file, async (write) => {
    const body: Readable = await store.read(dump.key);
    for await (const piece of body as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      await write(piece);
    }
  });
  refuseDamage(store, dump, found);
}

/** Gives a folder that only this user reads, and removes it with all that is in it. */
export async function inScratchFolder<Result>(
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-dump-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function isOf(found: DumpIdentity, wanted: DumpIdentity): boolean {
  return (["stack", "release", "token"] as const).every((name) => found[name] === wanted[name]);
}

interface Measured {
  readonly bytes: number;
  readonly sha256: string;
}

async function dumpTo(
  from: ContainerDatabase,
  file: string,
  signal: AbortSignal,
): Promise<Measured> {
  return writeHashed(file, (write) =>
    runInside(from, {
      command: ["pg_dump", "--format=custom", "--no-password"],
      env: clientEnvironment(from, "dump"),
      onOutput: write,
      signal,
    }),
  );
}

async function writeHashed(
  file: string,
  fill: (write: (piece: Buffer) => Promise<void>) => Promise<void>,
): Promise<Measured> {
  const hash: Hash = createHash("sha256");
  const stream = createWriteStream(file, { mode: 0o600, flags: "wx" });
  const done = finished(stream);
  // Whoever waits hears of it below; nobody waits for it while it is filled.
  done.catch(() => undefined);
  let bytes = 0;
  try {
    await fill(async (piece) => {
      hash.update(piece);
      bytes += piece.length;
      if (!stream.write(piece)) await Promise.race([once(stream, "drain"), done]);
    });
    stream.end();
    await done;
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    stream.destroy();
  }
}

/** The bucket's own checksum, or where it says none, that of what it gives back. */
async function verifyStored(store: ObjectStore, dump: Dump): Promise<void> {
  const stored = await store.find(dump.key);
  if (stored === undefined) {
    throw new RefusedError(`${store.name} does not have ${dump.key}, which it took a moment ago`);
  }
  const sha256 = stored.sha256 ?? (await hashOf(await store.read(dump.key)));
  refuseDamage(store, dump, { bytes: stored.bytes, sha256 });
}

async function hashOf(body: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of body as AsyncIterable<Buffer>) hash.update(piece);
  return hash.digest("hex");
}

function refuseDamage(store: ObjectStore, dump: Dump, found: Measured): void {
  if (found.bytes === dump.bytes && found.sha256 === dump.sha256) return;
  throw new RefusedError(
    [
      `${store.name}/${dump.key} is damaged.`,
      `found:    ${String(found.bytes)} bytes, SHA-256 ${found.sha256.slice(0, 12)}…`,
      `required: ${String(dump.bytes)} bytes, SHA-256 ${dump.sha256.slice(0, 12)}…, as it was taken`,
      "to do:    find out who changed it, and take another recovery point",
    ].join("\n"),
  );
}
