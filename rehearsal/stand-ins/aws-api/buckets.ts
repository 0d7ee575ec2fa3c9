import { join } from "node:path";
import type { Account } from "../aws/account.ts";
import { bucketsOf, type BucketRecord } from "../aws/s3.ts";
import type { Store } from "../store.ts";
import { openObjects, type ObjectVersion } from "./objects.ts";
import { s3Document, type BucketStore } from "./s3.ts";
import { bucketPolicy, settingQueries } from "./s3-settings.ts";

const dayMilliseconds = 86_400_000;
const yearDays = 365;

/** The buckets of S3, with what the stack declared of them. */
export function s3Buckets(account: Account): BucketStore {
  const { store, clockScale } = account;
  const buckets = bucketsOf(account);
  return {
    objects: openObjects(store, "aws-s3-objects"),
    bucket(name) {
      const record = buckets.get(name);
      if (record === undefined) return undefined;
      const days = lockDays(record);
      return {
        name,
        folder: join(store.folder, "s3", name),
        versioned: isVersioned(record),
        lockable: record.objectLockEnabled,
        isLocked(_key, { at, lockedUntil }) {
          const asked = lockedUntil === undefined ? 0 : Date.parse(lockedUntil) - Date.parse(at);
          return ageMilliseconds(at, clockScale) < Math.max(days * dayMilliseconds, asked);
        },
      };
    },
    setting(name, query) {
      const record = buckets.get(name);
      if (record === undefined) return undefined;
      if (query === "policy") {
        const headers = { "content-type": "application/json" };
        return { status: 200, headers, body: bucketPolicy(record) };
      }
      const found = settingQueries.find((each) => each.query === query);
      return found && s3Document(found.top, found.say(record));
    },
  };
}

/** Nobody in a rehearsal has the right to go around a lock in governance mode. */
function lockDays({ settings }: BucketRecord): number {
  const rule = settings["object-lock"]?.["rule"] as
    { readonly defaultRetention?: { readonly days?: number; readonly years?: number } } | undefined;
  const { days, years = 0 } = rule?.defaultRetention ?? {};
  return days ?? years * yearDays;
}

function isVersioned({ settings, objectLockEnabled }: BucketRecord): boolean {
  const versioning = settings["versioning"]?.["versioningConfiguration"] as
    { readonly status?: string } | undefined;
  return objectLockEnabled || versioning?.status === "Enabled";
}

/** A bucket of R2 as its stand-in keeps it. */
interface R2Record {
  readonly lockRules?: readonly R2LockRule[];
}

interface R2LockRule {
  readonly enabled: boolean;
  readonly prefix?: string | undefined;
  readonly condition:
    | { readonly type: "Age"; readonly maxAgeSeconds: number }
    | { readonly type: "Date"; readonly date: string }
    | { readonly type: "Indefinite" };
}

/** The buckets of R2, which speaks S3 as well: without versions, and with locks of its own. */
export function r2Buckets({
  store,
  clockScale,
}: {
  readonly store: Store;
  readonly clockScale: number;
}): BucketStore {
  const buckets = store.collection<R2Record>("cloudflare-r2-buckets");
  return {
    objects: openObjects(store, "cloudflare-r2-objects"),
    bucket(name) {
      const record = buckets.get(name);
      if (record === undefined) return undefined;
      const rules = (record.lockRules ?? []).filter(({ enabled }) => enabled);
      return {
        name,
        folder: join(store.folder, "r2", name),
        versioned: false,
        lockable: false,
        isLocked: (key, version) =>
          rules.some(
            (rule) => key.startsWith(rule.prefix ?? "") && holds(rule, version, clockScale),
          ),
      };
    },
    setting: () => undefined,
  };
}

function holds({ condition }: R2LockRule, { at }: ObjectVersion, clockScale: number): boolean {
  if (condition.type === "Indefinite") return true;
  if (condition.type === "Date") return Date.now() < Date.parse(condition.date);
  return ageMilliseconds(at, clockScale) < condition.maxAgeSeconds * 1000;
}

/** By the rehearsal's clock. */
function ageMilliseconds(at: string, clockScale: number): number {
  return (Date.now() - Date.parse(at)) * clockScale;
}
