import { createHash } from "node:crypto";
import { open, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { askExport, fetchExport, refused, type D1Place } from "./cloudflare-d1.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { largestObject, openObjectStore, storeSchema, type ObjectStore } from "./object-store.ts";
import { pause } from "./pause.ts";
import { hasUnknown, sameProperty, type Properties } from "./properties.ts";
import type { Call, ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  stack: z.string().min(1),
  release: z.string().min(1),
  accountId: z.string().regex(/^[0-9a-f]{32}$/, "required are 32 hexadecimal digits"),
  /** Id of the database. */
  databaseId: z.uuid("required is the id of a D1 database"),
  /** Its name, for messages. */
  name: z.string().min(1),
  /** Where the export is kept. */
  store: storeSchema,
  /** How old an export may be before another one is made. Default: it is made once. */
  renewAfterSeconds: z.number().positive().optional(),
  deadlineSeconds: z.number().positive(),
  /** Milliseconds between two questions. Default 1000: Cloudflare gives up what nobody asks for. */
  intervalMs: z.number().positive().optional(),
});

/** Inputs of an export. */
type ExportInputs = Readonly<z.infer<typeof inputs>>;

/** What is kept of an export. */
export interface D1ExportOutputs {
  readonly key: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
  /** When Cloudflare was asked for it, ISO 8601. */
  readonly takenAt: string;
}

const identifying = ["stack", "accountId", "databaseId", "store"] as const;

/**
 * The whole of a D1 database as SQL, in a bucket. It is not made anew for another release, but when it has become too
 * old, and nothing is ever deleted or written over: a run that was killed leaves one export more. Delete does nothing.
 */
export const d1Export: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const diffs: string[] = identifying.filter(
      (name) => !sameProperty(olds.inputs[name], news[name]),
    );
    if (diffs.length === 0 && isTooOld(olds.outputs, news)) diffs.push("renewAfterSeconds");
    return { changes: diffs.length > 0, diffs };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return {
      id: `${parsed.stack}:${parsed.databaseId}`,
      outputs: { ...(await take(parsed, call)) },
    };
  },

  async update(_id, _olds, news, call) {
    if (call.preview) return { outputs: {} };
    return { outputs: { ...(await take(parseInputs(inputs, news), call)) } };
  },
};

function isTooOld({ takenAt }: Properties, news: Properties): boolean {
  const { renewAfterSeconds } = news;
  if (typeof renewAfterSeconds !== "number" || hasUnknown(news)) return false;
  // What has no time counts as too old.
  return !(Date.now() - Date.parse(String(takenAt)) <= renewAfterSeconds * 1000);
}

/** The key of an export: the last of a legacy database, stamped in UTC. */
export function exportKey(takenAt: string): string {
  const [day = "", time = ""] = takenAt.replaceAll(/[-:]/g, "").split(/[T.]/);
  return `legacy_d1_final_${day}_${time}.sql`;
}

async function take(parsed: ExportInputs, call: Call): Promise<D1ExportOutputs> {
  const { stack, release, databaseId, name, store: place, deadlineSeconds } = parsed;
  const limit = AbortSignal.timeout(deadlineSeconds * 1000);
  const signal = AbortSignal.any([call.signal, limit]);
  // Before anything is asked of Cloudflare: while it exports, the database answers nobody.
  const store = await openObjectStore(place, signal);
  const folder = await mkdtemp(join(tmpdir(), "cutover-d1-"));
  try {
    const takenAt = new Date().toISOString();
    const file = join(folder, "export.sql");
    const { bytes, sha256 } = await download(parsed, file, signal);
    if (bytes === 0) throw refused(parsed, "an export of 0 bytes", "run pulumi up again");
    const key = exportKey(takenAt);
    const notes = { stack, release, "d1-database": databaseId, "taken-at": takenAt, sha256 };
    await store.put({ key, file, bytes, sha256, notes });
    await requireKept(parsed, store, { key, bytes, sha256 });
    call.log("info", `${name} is kept at ${store.name}/${key}: ${String(bytes)} bytes`);
    return { key, bytes, sha256, takenAt };
  } catch (error) {
    call.signal.throwIfAborted();
    if (!limit.aborted) throw error;
    throw refused(
      parsed,
      `no whole export within ${String(deadlineSeconds)} s`,
      "run pulumi up again",
    );
  } finally {
    store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Downloaded {
  readonly bytes: number;
  readonly sha256: string;
}

async function download(
  parsed: ExportInputs,
  file: string,
  signal: AbortSignal,
): Promise<Downloaded> {
  const url = await readyExport(parsed, signal);
  const hash = createHash("sha256");
  let bytes = 0;
  // Only this user may read it: it is all that the legacy system knew.
  const target = await open(file, "wx", 0o600);
  try {
    for await (const chunk of await fetchExport(parsed, url, signal)) {
      bytes += chunk.length;
      if (bytes > largestObject) {
        const todo =
          "export it with wrangler d1 export, and put it into the bucket in several parts";
        throw refused(
          parsed,
          `more than ${String(largestObject)} bytes, the most of one object`,
          todo,
        );
      }
      hash.update(chunk);
      await target.write(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TypeError) {
      throw refused(parsed, "a download that broke off", "run pulumi up again");
    }
    throw error;
  } finally {
    await target.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function readyExport(parsed: ExportInputs, signal: AbortSignal): Promise<URL> {
  let bookmark: string | undefined;
  for (;;) {
    signal.throwIfAborted();
    const answer = await askExport(parsed satisfies D1Place, bookmark, signal);
    if ("url" in answer) return answer.url;
    bookmark = answer.bookmark;
    await pause(parsed.intervalMs ?? 1000, signal);
  }
}

/** Reads the export back where the store does not say its SHA-256. */
async function requireKept(
  parsed: ExportInputs,
  store: ObjectStore,
  { key, bytes, sha256 }: Downloaded & { readonly key: string },
): Promise<void> {
  const found = await store.find(key);
  const foundHash = found === undefined ? undefined : (found.sha256 ?? (await hashOf(store, key)));
  if (found?.bytes === bytes && foundHash === sha256) return;
  const what = found === undefined ? "nothing" : `${String(found.bytes)} bytes of another SHA-256`;
  throw refused(parsed, `${what} at ${store.name}/${key}`, "run pulumi up again");
}

async function hashOf(store: ObjectStore, key: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of await store.read(key)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
