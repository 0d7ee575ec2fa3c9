import { constants } from "node:fs";
import { copyFile, mkdir, readdir, readlink, rm, symlink } from "node:fs/promises";
import { join, sep } from "node:path";
import { asAdmin, type ServerSettings } from "./admin.ts";
import { ownedByServer, writeOwned } from "./place.ts";

// What a base backup leaves out: https://www.postgresql.org/docs/18/protocol-replication.html
const emptied = new Set([
  "pg_wal",
  "pg_dynshmem",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);
// A server that starts on the copy gets a certificate of its own.
const leftOut = new Set([
  "postmaster.pid",
  "postmaster.opts",
  "backup_label",
  "tablespace_map",
  "server.crt",
  "server.key",
]);

/** Copies the data of a running server, with the log that makes the copy whole, into a folder. */
export async function copyCluster(
  data: string,
  target: string,
  settings: ServerSettings,
): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await asAdmin(settings, async (client) => {
    // The slot keeps the log from being recycled until it is copied.
    await client.query(
      "SELECT pg_create_physical_replication_slot('snapshot_' || pg_backend_pid(), true, true)",
    );
    await client.query("SELECT pg_backup_start('snapshot', fast => true)");
    await copyTree(data, target, (path) => {
      const [top = ""] = path.split(sep);
      return leftOut.has(path) || (emptied.has(top) && path !== top) || path.includes("pgsql_tmp");
    });
    const { rows } = await client.query<{ labelfile: string; spcmapfile: string }>(
      "SELECT labelfile, spcmapfile FROM pg_backup_stop(wait_for_archive => false)",
    );
    await writeOwned(join(target, "backup_label"), rows[0]?.labelfile ?? "");
    await copyTree(join(data, "pg_wal"), join(target, "pg_wal"), () => false);
  });
}

/** Copies a folder that may change meanwhile: what is gone when its turn comes is left out. */
export async function copyTree(
  from: string,
  to: string,
  skip: (path: string) => boolean,
  path = "",
): Promise<void> {
  await mkdir(join(to, path), { recursive: true, mode: 0o700 });
  await ownedByServer(join(to, path));
  const entries = await readdir(join(from, path), { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const below = join(path, entry.name);
      if (skip(below)) return;
      if (entry.isDirectory()) return copyTree(from, to, skip, below);
      try {
        if (entry.isSymbolicLink()) {
          await symlink(await readlink(join(from, below)), join(to, below));
        } else {
          await copyFile(join(from, below), join(to, below), constants.COPYFILE_FICLONE);
          await ownedByServer(join(to, below));
        }
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }),
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
