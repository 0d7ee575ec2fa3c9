import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { z } from "zod";
import { messageOf } from "./error-text.ts";
import { pause } from "./pause.ts";
import { RefusedError } from "./resource-type.ts";

/** A bucket that objects are kept in. */
export const storeSchema = z.discriminatedUnion("store", [
  z.strictObject({
    store: z.literal("s3"),
    bucket: z.string().min(1),
    /** Where the SDK's configuration says, when it is absent. */
    region: z.string().min(1).nullish(),
    /** Whole days that nobody can delete an object; absent for a bucket without object lock. */
    lockDays: z.number().int().min(1).optional(),
  }),
  z.strictObject({
    store: z.literal("r2"),
    bucket: z.string().min(1),
    accountId: z.string().min(1),
  }),
]);

/** A bucket that objects are kept in: S3, with or without object lock, or R2, whose locks are the bucket's own. */
export type StorePlace = Readonly<z.infer<typeof storeSchema>>;

/** What is kept of an object beside its bytes. Names in lower case, as they come back. */
export type ObjectNotes = Readonly<Record<string, string>>;

/** An object as the bucket knows it. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** SHA-256 in hex that the store reckoned itself; undefined where it says none. */
  readonly sha256: string | undefined;
  readonly notes: ObjectNotes;
}

/** A file that is to be an object. */
export interface NewObject {
  readonly key: string;
  /** Path of the file. */
  readonly file: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
  readonly notes: ObjectNotes;
}

/** A bucket, opened. Whatever fails says it in words for the operator, and names the bucket and the operation. */
export interface ObjectStore {
  /** As messages call it, `s3://bucket` or `r2://bucket`. */
  readonly name: string;
  /** Undefined when there is no such object. */
  find(key: string): Promise<StoredObject | undefined>;
  /** Objects whose keys begin so, the newest first; `at` in milliseconds, whole seconds. */
  newest(prefix: string): Promise<{ readonly key: string; readonly at: number }[]>;
  /** Stores a whole file or nothing, and never over another object. */
  put(object: NewObject): Promise<void>;
  read(key: string): Promise<Readable>;
  close(): void;
}

const mostTries = 3;

/** The largest object that comes in one piece: 5 GiB at S3, 5 MiB less at R2, so that is what counts. */
export const largestObject = 5 * 1024 ** 3 - 5 * 1024 ** 2;

/**
 * Opens a bucket. S3 is asked with the AWS SDK's own credentials, R2 with `R2_ACCESS_KEY_ID` and
 * `R2_SECRET_ACCESS_KEY`, at the account's own endpoint unless `AWS_ENDPOINT_URL_S3` names another.
 *
 * @throws RefusedError when R2's credentials are not set
 */
export async function openObjectStore(
  place: StorePlace,
  signal: AbortSignal,
): Promise<ObjectStore> {
  // Loaded here, because most runs reach no bucket.
  const s3 = await import("@aws-sdk/client-s3");
  const client = new s3.S3Client({ ...settingsOf(place), logger: silent });
  const Bucket = place.bucket;
  const name = `${place.store}://${Bucket}`;
  const sent = { abortSignal: signal };
  const ask = <Answer>(operation: string, call: () => Promise<Answer>): Promise<Answer> =>
    call().catch((error: unknown) => {
      signal.throwIfAborted();
      throw storeError(name, operation, error);
    });
  return {
    name,
    find: (Key) =>
      ask("HeadObject", async () => {
        try {
          const command = new s3.HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" });
          const head = await client.send(command, sent);
          const { ContentLength = 0, ChecksumSHA256, ChecksumType, Metadata = {} } = head;
          const isWhole = ChecksumType !== "COMPOSITE" && ChecksumSHA256 !== undefined;
          const sha256 = isWhole
            ? Buffer.from(ChecksumSHA256, "base64").toString("hex")
            : undefined;
          return { key: Key, bytes: ContentLength, sha256, notes: Metadata };
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),
    newest: (Prefix) =>
      ask("ListObjectsV2", async () => {
        const all: { readonly key: string; readonly at: number }[] = [];
        for await (const { Contents = [] } of s3.paginateListObjectsV2(
          { client },
          { Bucket, Prefix },
          sent,
        )) {
          for (const { Key = "", LastModified } of Contents) {
            all.push({ key: Key, at: LastModified?.getTime() ?? 0 });
          }
        }
        return all.toSorted((a, b) => b.at - a.at);
      }),
    put: ({ key: Key, file, bytes, sha256, notes }) =>
      ask("PutObject", async () => {
        for (let tries = 1; ; tries += 1) {
          const command = new s3.PutObjectCommand({
            Bucket,
            Key,
            Body: createReadStream(file),
            ContentLength: bytes,
            ChecksumAlgorithm: "SHA256",
            ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
            Metadata: { ...notes },
            IfNoneMatch: "*",
            ...lockOf(place),
          });
          try {
            await client.send(command, sent);
            return;
          } catch (error) {
            const status = statusOf(error) ?? 0;
            // The answer to an earlier try may have got lost; whoever asked looks at what lies there.
            if (tries > 1 && status === 412) return;
            // The client itself sends a stream once.
            if (tries === mostTries || (status > 0 && status < 500)) throw error;
            await pause(tries * 1000, signal);
          }
        }
      }),
    read: (Key) =>
      ask("GetObject", async () => {
        const { Body } = await client.send(new s3.GetObjectCommand({ Bucket, Key }), sent);
        if (Body === undefined) throw new Error("an answer without a body");
        return Body as Readable;
      }),
    close() {
      client.destroy();
    },
  };
}

function nothing(): void {
  // What fails is told by its error.
}

const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function settingsOf(place: StorePlace): S3ClientConfig {
  if (place.store === "s3") return regionOf(place.region);
  const { R2_ACCESS_KEY_ID: accessKeyId = "" } = process.env;
  const { R2_SECRET_ACCESS_KEY: secretAccessKey = "" } = process.env;
  if (accessKeyId === "" || secretAccessKey === "") {
    throw new RefusedError(
      [
        `bucket r2://${place.bucket} cannot be opened.`,
        "found:    no R2_ACCESS_KEY_ID with its R2_SECRET_ACCESS_KEY in the environment",
        "required: an R2 API token of the account that may read and write objects of the bucket",
        "to do:    make one under R2, Manage API tokens, and export both variables",
      ].join("\n"),
    );
  }
  return {
    region: "auto",
    endpoint:
      process.env["AWS_ENDPOINT_URL_S3"] ?? `https://${place.accountId}.r2.cloudflarestorage.com`,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    // R2 reckons fewer checksums than S3: https://developers.cloudflare.com/r2/examples/aws/aws-sdk-js-v3/
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  };
}

/** Settings of a client that asks in a region; where the SDK's own configuration says, for none. */
export function regionOf(region: string | null | undefined): { region?: string } {
  return region === null || region === undefined ? {} : { region };
}

const dayMilliseconds = 86_400_000;

/** In COMPLIANCE mode, as the bucket's own default: whoever may do anything cannot delete the object either. */
function lockOf(place: StorePlace): {
  ObjectLockMode?: "COMPLIANCE";
  ObjectLockRetainUntilDate?: Date;
} {
  if (place.store !== "s3" || place.lockDays === undefined) return {};
  const until = new Date(Date.now() + place.lockDays * dayMilliseconds);
  return { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: until };
}

function storeError(name: string, operation: string, error: unknown): RefusedError {
  const status = statusOf(error);
  const kind = error instanceof Error ? error.name : "error";
  const found = status === undefined ? messageOf(error) : `${kind} (status ${String(status)})`;
  const todo =
    status === 403 || kind === "CredentialsProviderError"
      ? "give the credentials of this run the right to read, list and write its objects"
      : status === 404
        ? "see that the bucket exists, in the region that this run asks"
        : status === 412
          ? "another object lies there already: let the other run end, then run pulumi up again"
          : "see that it can be reached from here, then run pulumi up again";
  return new RefusedError(
    [`${operation} on bucket ${name} failed.`, `found:    ${found}`, `to do:    ${todo}`].join(
      "\n",
    ),
    { cause: error },
  );
}

function statusOf(error: unknown): number | undefined {
  const { $metadata } = Object(error) as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}
