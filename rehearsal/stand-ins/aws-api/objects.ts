import { createHash, randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Collection, Store } from "../store.ts";
import { AwsError } from "./error.ts";

/** One version of an object. A deleted one of a versioned bucket ends with a marker, which has no content. */
export interface ObjectVersion {
  /** `null` in a bucket that keeps no versions. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  /** Until when the writer wants it locked, ISO 8601, whatever the bucket's own days are. */
  readonly lockedUntil?: string | undefined;
  /** What is known of its content; undefined for a marker. */
  readonly content:
    | {
        readonly size: number;
        /** SHA-256 in Base64. */
        readonly sha256: string;
        readonly etag: string;
        readonly type: string | undefined;
        /** The user's own, by name. */
        readonly metadata: Readonly<Record<string, string>>;
      }
    | undefined;
}

/** What a writer says of an object. */
export type Given = Pick<NonNullable<ObjectVersion["content"]>, "type" | "metadata"> &
  Pick<ObjectVersion, "lockedUntil">;

/** Where the objects of a bucket lie, and what the bucket does with them. */
export interface Bucket {
  readonly name: string;
  /** The folder whose files are the objects. */
  readonly folder: string;
  readonly versioned: boolean;
  /** Whether a writer may ask for a lock. */
  readonly lockable: boolean;
  /** Whether this version may not be removed or replaced yet. */
  readonly isLocked: (key: string, version: ObjectVersion) => boolean;
}

/** The objects of buckets: files, and a record of each of their versions. */
export interface Objects {
  /** Keys in the order of their bytes, with their newest version. Deleted ones are left out. */
  list(bucket: Bucket, prefix: string): (readonly [key: string, version: ObjectVersion])[];
  /** The newest version, or the one of this id. @throws AwsError when there is none */
  find(bucket: Bucket, key: string, id?: string): ObjectVersion;
  read(bucket: Bucket, key: string, version: ObjectVersion): Buffer;
  put(bucket: Bucket, key: string, body: Buffer, given: Given): ObjectVersion;
  /** Returns the marker that a versioned bucket puts in the object's place. @throws AwsError when it is locked */
  remove(bucket: Bucket, key: string, id?: string): ObjectVersion | undefined;
}

/** Opens the objects of one kind of buckets: `collection` is where their versions are on record. */
export function openObjects(store: Store, collection: string): Objects {
  const versions: Collection<readonly ObjectVersion[]> = store.collection(collection);
  const recordOf = ({ name }: Bucket, key: string): string => `${name}/${key}`;
  const of = (bucket: Bucket, key: string): readonly ObjectVersion[] =>
    versions.get(recordOf(bucket, key)) ?? [];
  const keep = (bucket: Bucket, key: string, kept: readonly ObjectVersion[]): void => {
    if (kept.length === 0) versions.delete(recordOf(bucket, key));
    else versions.set(recordOf(bucket, key), kept);
  };
  const drop = (bucket: Bucket, key: string, version: ObjectVersion): void => {
    rmSync(fileOf(bucket, key, version.id), { force: true });
  };

  return {
    list(bucket, prefix) {
      const begin = recordOf(bucket, prefix);
      return versions
        .entries()
        .filter(([record]) => record.startsWith(begin))
        .map(([record, all]) => [record.slice(bucket.name.length + 1), all.at(-1)] as const)
        .filter(
          (entry): entry is readonly [string, ObjectVersion] => entry[1]?.content !== undefined,
        )
        .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    },
    find(bucket, key, id) {
      const all = of(bucket, key);
      const found = id === undefined ? all.at(-1) : all.find((one) => one.id === id);
      if (found?.content !== undefined) return found;
      throw id === undefined
        ? new AwsError("NoSuchKey", "The specified key does not exist.", 404)
        : new AwsError("NoSuchVersion", "The specified version does not exist.", 404);
    },
    read: (bucket, key, { id }) => readFileSync(fileOf(bucket, key, id)),
    put(bucket, key, body, { lockedUntil, ...given }) {
      const all = of(bucket, key);
      const before = all.at(-1);
      if (!bucket.versioned && before !== undefined) refuseLocked(bucket, key, before);
      const version: ObjectVersion = {
        id: bucket.versioned ? randomBytes(16).toString("hex") : plainVersion,
        at: new Date().toISOString(),
        lockedUntil,
        content: {
          size: body.length,
          sha256: createHash("sha256").update(body).digest("base64"),
          etag: createHash("md5").update(body).digest("hex"),
          ...given,
        },
      };
      writeFileSync(fileOf(bucket, key, version.id), body);
      keep(bucket, key, [...all.filter(({ id }) => id !== version.id), version]);
      return version;
    },
    remove(bucket, key, id) {
      const all = of(bucket, key);
      if (id === undefined && bucket.versioned) {
        const marker = {
          id: randomBytes(16).toString("hex"),
          at: new Date().toISOString(),
          content: undefined,
        };
        keep(bucket, key, [...all, marker]);
        return marker;
      }
      const gone = all.find((one) => one.id === (id ?? plainVersion));
      if (gone === undefined) return undefined;
      refuseLocked(bucket, key, gone);
      drop(bucket, key, gone);
      keep(
        bucket,
        key,
        all.filter((one) => one !== gone),
      );
      return undefined;
    },
  };
}

/** The id of what a bucket without versions holds. */
const plainVersion = "null";

/** File names take 255 bytes on the usual file systems. */
const longestName = 255;

/** No key leads out of the folder: its slashes are escaped, and the sign before the version keeps it from being dots. */
function fileOf({ folder }: Bucket, key: string, version: string): string {
  const name = `${encodeURIComponent(key)}=${version}`;
  if (name.length <= longestName) return join(folder, name);
  throw new AwsError(
    "KeyTooLongError",
    `Your key is too long for the rehearsal, which takes ${String(longestName)} characters with its version.`,
  );
}

function refuseLocked(bucket: Bucket, key: string, version: ObjectVersion): void {
  if (version.content === undefined || !bucket.isLocked(key, version)) return;
  throw bucket.versioned
    ? new AwsError("AccessDenied", "Access Denied because object protected by object lock.", 403)
    : new AwsError("ObjectLockedByBucketPolicy", "The object is locked by the bucket policy.", 409);
}
