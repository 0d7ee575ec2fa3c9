import type { Host } from "./ssh.ts";
import type { Ran } from "./ssh-exec.ts";

/** A file as it is to lie on a host, owned by root. */
export interface HostFile {
  readonly text: string;
  /** As `chmod` takes it. */
  readonly mode: string;
}

/** A command that failed on a host. */
export class HostError extends Error {
  override readonly name = "HostError";
}

/**
 * Runs a command that must succeed.
 *
 * @throws HostError with what it said
 */
export async function must(
  host: Host,
  argv: readonly string[],
  options?: Parameters<Host["run"]>[1],
): Promise<Ran> {
  const ran = await host.run(argv, options);
  if (ran.code === 0) return ran;
  const said = ran.stderr.trim().split("\n").at(-1) ?? "";
  throw new HostError(
    `${argv.join(" ")} ended with ${ran.code} on ${host.name}${said === "" ? "" : `: ${said}`}`,
  );
}

/** Whether there is something at a path. */
export async function isThere(host: Host, path: string): Promise<boolean> {
  const { code } = await host.run(["test", "-e", path]);
  // 1 is the answer no; anything else is no answer.
  if (code > 1) throw new HostError(`test -e ${path} ended with ${code} on ${host.name}`);
  return code === 0;
}

/** What a file says; undefined where there is none. */
export async function readText(host: Host, path: string): Promise<string | undefined> {
  if (!(await isThere(host, path))) return undefined;
  return (await must(host, ["cat", path])).stdout;
}

/**
 * Writes a file so that at any moment there is the old one or the new one, whole. What it says travels as the command's
 * input and is in no list of processes; a file that only root may read is never there for others.
 */
export async function writeText(host: Host, path: string, file: HostFile): Promise<void> {
  const next = `${path}.next`;
  await must(host, ["mkdir", "-p", folderOf(path)]);
  await must(host, ["install", "-m", file.mode, "/dev/null", next]);
  // `conv=fsync`: what a crash leaves behind the rename must be the text.
  await must(host, ["dd", `of=${next}`, "status=none", "conv=fsync"], { input: file.text });
  await must(host, ["mv", "-fT", next, path]);
}

/** Copies a file with its mode, whole or not at all. */
export async function copy(host: Host, from: string, to: string): Promise<void> {
  await must(host, ["cp", "-pT", from, `${to}.next`]);
  await must(host, ["mv", "-fT", `${to}.next`, to]);
}

/** Removes files; those that are not there are no error. */
export async function remove(host: Host, paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await must(host, ["rm", "-f", ...paths]);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
