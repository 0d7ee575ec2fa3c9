import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One kind of thing that a cloud remembers, by natural key. Every change is on disk when the call returns. */
export interface Collection<Item> {
  get(key: string): Item | undefined;
  set(key: string, item: Item): void;
  /** Tells whether there was something to forget. */
  delete(key: string): boolean;
  /** Keys and items, oldest first. */
  entries(): [string, Item][];
  items(): Item[];
}

/** What a cloud remembers: one JSON file per collection in one folder. */
export interface Store {
  /** The folder; stand-ins keep their own files in folders below it. */
  readonly folder: string;
  /** Opens a collection; the same name is always the same collection. */
  collection<Item>(name: string): Collection<Item>;
}

/**
 * Opens the memory in a folder, which is made when it is missing. It outlives the process: the same folder opened
 * again holds the same things. Others can pass through the folder, but only its owner reads the files.
 *
 * @throws Error when a file of the memory is not what was written
 */
export function openStore(folder: string): Store {
  mkdirSync(folder, { recursive: true });
  // A database server that must not run as root has to reach its data below this folder.
  chmodSync(folder, 0o711);
  const collections = new Map<string, Collection<unknown>>();
  return {
    folder,
    collection<Item>(name: string): Collection<Item> {
      const known = collections.get(name) ?? openCollection(join(folder, `${name}.json`));
      collections.set(name, known);
      return known as Collection<Item>;
    },
  };
}

function openCollection(file: string): Collection<unknown> {
  const items = new Map(Object.entries(readItems(file)));
  const save = (): void => {
    writeAtomically(file, `${JSON.stringify(Object.fromEntries(items), null, 2)}\n`);
  };
  return {
    get: (key) => items.get(key),
    set(key, item) {
      items.set(key, item);
      save();
    },
    delete(key) {
      const known = items.delete(key);
      if (known) save();
      return known;
    },
    entries: () => [...items],
    items: () => [...items.values()],
  };
}

function readItems(file: string): Record<string, unknown> {
  const text = readIfThere(file);
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new Error(
      `${file} is not JSON. The stand-ins write it whole or not at all, so something else changed it. ` +
        "To do: remove the folder it is in and rehearse again",
    );
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes beside and renames, so that a reader or a killed writer never leaves half a file. */
function writeAtomically(file: string, text: string): void {
  const beside = `${file}.${String(process.pid)}.tmp`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, file);
}
