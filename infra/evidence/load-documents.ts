import { constants } from "node:fs";
import { open, readdir, realpath } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { ExponentialBackoff, handleWhen, retry } from "cockatiel";
import type { SubmittedDocument } from "../../policies/contract/documents.ts";
import { decodeUtf8, signedLimits, UnreadableError } from "../../policies/contract/json.ts";
import { codeOf } from "../provider/error-text.ts";
import { wholeBody } from "../whole-body.ts";

/** Most bytes of one file. */
const fileBytes = 2 * signedLimits.bytes;

/** Most bytes of all files together: what a guard holds is written to the state. */
const totalBytes = 4 * signedLimits.bytes;

/** Most files of one release. */
const mostFiles = 256;

/** Milliseconds that one answer of a bucket or a web server may take. */
const answerMilliseconds = 10_000;

/** Envelopes, one a line; and sigstore bundles, one a file. Whatever else lies there is no evidence. */
const isEvidence = (name: string): boolean =>
  /^[\w.-]{1,200}\.(?:intoto\.jsonl|sigstore\.json)$/.test(name);

/** What lies at a location, file by file; a file is read with a limit. */
interface Files {
  readonly names: readonly string[];
  read(name: string): Promise<Uint8Array>;
}

/**
 * Fetches the signed documents of a release: `<version>/*.intoto.jsonl` and `*.sigstore.json` of a folder or a bucket,
 * `<version>.intoto.jsonl` of a web server. What cannot be read is a document with a problem, so that its gate says so.
 *
 * @param location a folder from the project's top, `s3://bucket/prefix`, or an http(s) address
 * @param root absolute path of the project's top
 */
export async function loadDocuments(
  location: string,
  version: string,
  root: string,
): Promise<SubmittedDocument[]> {
  let files: Files;
  try {
    files = await filesAt(location, version, root);
  } catch (error) {
    return [{ name: shownLocation(location), problem: problemOf(error) }];
  }
  const documents: SubmittedDocument[] = [];
  if (files.names.length > mostFiles) {
    const problem = `there are ${files.names.length} files; at most ${mostFiles} are read`;
    return [{ name: shownLocation(location), problem }];
  }
  let total = 0;
  for (const name of [...files.names].sort()) {
    try {
      const bytes = await files.read(name);
      total += bytes.length;
      if (total > totalBytes)
        throw new UnreadableError("the files are larger than 16 MiB together");
      documents.push(...split(name, decodeUtf8(bytes, fileBytes)));
    } catch (error) {
      documents.push({ name, problem: problemOf(error) });
    }
  }
  return documents;
}

function split(name: string, text: string): SubmittedDocument[] {
  if (!name.endsWith(".jsonl")) return [{ name, text }];
  const lines = text.split("\n").map((line, index) => ({ line: line.trim(), index }));
  const held = lines.filter(({ line }) => line !== "");
  if (held.length === 0) return [{ name, problem: "it is empty" }];
  return held.map(({ line, index }) => ({
    name: held.length === 1 ? name : `${name}, line ${index + 1}`,
    text: line,
  }));
}

async function filesAt(location: string, version: string, root: string): Promise<Files> {
  if (location.startsWith("s3://")) return filesInBucket(new URL(location), version);
  if (/^https?:/.test(location)) return filesOnWeb(new URL(location), version);
  return filesInFolder(location, version, root);
}

async function filesInFolder(location: string, version: string, root: string): Promise<Files> {
  const top = await realpath(root);
  let folder: string;
  try {
    folder = await realpath(join(root, location, version));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { names: [], read: () => Promise.reject(error) };
    throw error;
  }
  const inside = relative(top, folder);
  if (inside.startsWith("..") || isAbsolute(inside)) {
    throw new UnreadableError("it lies outside of the project");
  }
  return {
    names: (await readdir(folder)).filter(isEvidence),
    read: async (name) => {
      // A link, a pipe or a device is not followed, waited for or read without end.
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const file = await open(join(folder, name), flags);
      try {
        const stats = await file.stat();
        if (!stats.isFile()) throw new UnreadableError("it is no regular file");
        if (stats.size > fileBytes) throw new UnreadableError("it is larger than 8 MiB");
        return await file.readFile();
      } finally {
        await file.close();
      }
    },
  };
}

async function filesInBucket(url: URL, version: string): Promise<Files> {
  // Loaded here, because a run with a folder should not wait for it.
  const { GetObjectCommand, ListObjectsV2Command, S3Client } = await import("@aws-sdk/client-s3");
  const client = new S3Client({});
  const Bucket = url.hostname;
  const path = url.pathname.replace(/^\/|\/$/g, "");
  const Prefix = `${path === "" ? "" : `${path}/`}${version}/`;
  const abort = (): { abortSignal: AbortSignal } => ({
    abortSignal: AbortSignal.timeout(answerMilliseconds),
  });
  const listed = await client.send(
    new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: mostFiles + 1 }),
    abort(),
  );
  const sizes = new Map(
    (listed.Contents ?? []).map(({ Key = "", Size = 0 }) => [Key.slice(Prefix.length), Size]),
  );
  const names = [...sizes.keys()].filter(isEvidence);
  return {
    names,
    read: async (name) => {
      if ((sizes.get(name) ?? 0) > fileBytes) throw new UnreadableError("it is larger than 8 MiB");
      const { Body } = await client.send(
        new GetObjectCommand({ Bucket, Key: Prefix + name }),
        abort(),
      );
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
  };
}

/** An answer that may be another one when it is asked for again. */
class ServerError extends UnreadableError {}

async function filesOnWeb(url: URL, version: string): Promise<Files> {
  const name = `${version}.intoto.jsonl`;
  const address = new URL(url);
  address.pathname = `${url.pathname.replace(/\/$/, "")}/${name}`;
  const policy = retry(
    handleWhen((error) => !(error instanceof UnreadableError) || error instanceof ServerError),
    { maxAttempts: 2, backoff: new ExponentialBackoff({ initialDelay: 200 }) },
  );
  const bytes = await policy.execute(() => fetchBytes(address));
  return {
    names: bytes === undefined ? [] : [name],
    read: () => Promise.resolve(bytes ?? new Uint8Array()),
  };
}

/** The body of an answer; undefined when there is no such page. */
async function fetchBytes(address: URL): Promise<Uint8Array | undefined> {
  const response = await fetch(address, {
    redirect: "manual",
    signal: AbortSignal.timeout(answerMilliseconds),
  });
  if (response.status === 404) return undefined;
  if (!response.ok) {
    const answer = `the server answers ${response.status}`;
    throw response.status >= 500 ? new ServerError(answer) : new UnreadableError(answer);
  }
  return wholeBody(
    (response.body ?? []) as AsyncIterable<Uint8Array>,
    fileBytes,
    () => new UnreadableError("it is larger than 8 MiB"),
  );
}

const problems: Readonly<Record<string, string>> = {
  ELOOP: "it is a link, which is not followed",
  EACCES: "it may not be read",
  ENOTDIR: "it is no folder",
  NoSuchBucket: "there is no such bucket",
  AccessDenied: "the bucket may not be read: s3:ListBucket and s3:GetObject are needed",
  CredentialsProviderError: "there are no AWS credentials",
};

/** What went wrong, without quoting an answer. */
function problemOf(error: unknown): string {
  if (error instanceof UnreadableError) return error.message;
  const { name = "", cause } = error instanceof Error ? error : {};
  const code = codeOf(error) ?? codeOf(cause) ?? name;
  return problems[code] ?? problems[name] ?? `it cannot be fetched (${code})`;
}

/** A location without what a URL may carry in secret. */
function shownLocation(location: string): string {
  return location.replace(/[?#].*$/, "");
}
