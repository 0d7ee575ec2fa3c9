import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The files of a host, by their absolute path there. They lie in one folder, and nothing leads out of it. */
export interface HostTree {
  has(path: string): boolean;
  isFile(path: string): boolean;
  /** Undefined where there is no file. */
  read(path: string): Buffer | undefined;
  /** The octal mode of a file, as `chmod` takes it. */
  modeOf(path: string): string;
  /** Writes a file that is there with its mode, or a new one that its owner may write and all may read. */
  write(path: string, bytes: Uint8Array): void;
  create(path: string, mode: number): void;
  makeFolder(path: string): void;
  rename(from: string, to: string): void;
  copy(from: string, to: string): void;
  remove(path: string): void;
  /** Names in a folder; none where there is no folder. */
  list(path: string): string[];
}

/** Opens the files of a host. */
export function openTree(folder: string): HostTree {
  const real = (path: string): string => join(folder, normalize(`/${path}`));
  return {
    has: (path) => existsSync(real(path)),
    isFile: (path) => existsSync(real(path)) && statSync(real(path)).isFile(),
    read: (path) =>
      existsSync(real(path)) && statSync(real(path)).isFile()
        ? readFileSync(real(path))
        : undefined,
    modeOf: (path) => `0${(statSync(real(path)).mode & 0o777).toString(8)}`,
    write(path, bytes) {
      writeFileSync(real(path), bytes);
    },
    create(path, mode) {
      rmSync(real(path), { force: true });
      writeFileSync(real(path), "", { mode });
      // The process's umask has taken its part.
      chmodSync(real(path), mode);
    },
    makeFolder(path) {
      mkdirSync(real(path), { recursive: true });
    },
    rename(from, to) {
      renameSync(real(from), real(to));
    },
    copy(from, to) {
      copyFileSync(real(from), real(to));
      chmodSync(real(to), statSync(real(from)).mode & 0o777);
    },
    remove(path) {
      rmSync(real(path), { force: true });
    },
    list: (path) => (existsSync(real(path)) ? readdirSync(real(path)) : []),
  };
}

/** The folder of a path. */
export function folderOf(path: string): string {
  return dirname(path);
}
