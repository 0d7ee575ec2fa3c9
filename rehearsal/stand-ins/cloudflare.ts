import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import {
  RefusedError,
  type ProviderDefinition,
  type ResourceType,
} from "../../infra/provider/serve.ts";
import { servedTypes, type ZoneRecord } from "./dns.ts";
import { computedOf, standIn, textOf } from "./kind.ts";
import { notImitated } from "./refusal.ts";
import type { Collection, Store } from "./store.ts";

/** A DNS record as the zone holds it. */
export interface DnsRecordItem extends ZoneRecord {
  readonly zoneId: string;
}

/** The records of every zone, by id: what the name server serves. */
export function dnsRecords(store: Store): Collection<DnsRecordItem> {
  return store.collection("cloudflare-dns-records");
}

/** The provider `cloudflare` on local means: DNS records that a real name server serves, and R2 buckets. */
export function openCloudflare(store: Store): ProviderDefinition {
  return {
    name: "cloudflare",
    version: "6.22.1",
    types: {
      "cloudflare:index/dnsRecord:DnsRecord": dnsRecordType(dnsRecords(store)),
      "cloudflare:index/r2Bucket:R2Bucket": r2BucketType(store),
      "cloudflare:index/r2BucketLock:R2BucketLock": r2BucketLockType(store),
    },
    unsupported: notImitated,
  };
}

class CloudflareError extends RefusedError {
  constructor(status: string, code: number, message: string) {
    super(`${status} ${JSON.stringify({ success: false, errors: [{ code, message }] })}`);
  }
}

const hexId = z.string().regex(/^[0-9a-f]{32}$/, { error: "must be 32 hexadecimal digits" });

const dnsRecordInputs = z.strictObject({
  zoneId: hexId,
  // A short name would be completed with the zone's, and differ from the state for ever.
  name: z.string().regex(/^(\*\.)?([\w-]{1,63}\.)+[a-zA-Z][\w-]*$/, {
    error: "must be the full name, with the zone, as in app.example.com",
  }),
  type: z.enum(servedTypes, {
    error: `the rehearsal only has records of types ${servedTypes.join(", ")}`,
  }),
  content: z.string(),
  ttl: z.number(),
  proxied: z.boolean().default(false),
  comment: z.string().optional(),
  tags: z.array(z.string()).optional(),
});

type DnsRecordInputs = z.output<typeof dnsRecordInputs>;

function dnsRecordType(records: Collection<DnsRecordItem>): ResourceType {
  const put = (
    id: string,
    { zoneId, name, type, content, ttl, proxied }: DnsRecordInputs,
  ): void => {
    records.set(id, { zoneId, name, type, content, ttl, proxied });
  };
  return standIn({
    inputs: dnsRecordInputs,
    replaceOn: (name) => name === "zoneId",
    create(inputs) {
      judgeRecord(records, undefined, inputs);
      const id = newId();
      put(id, inputs);
      const now = new Date().toISOString();
      const outputs = { createdOn: now, modifiedOn: now, proxiable: true };
      return Promise.resolve({ id, outputs });
    },
    update(olds, inputs) {
      if (records.get(olds.id) === undefined) {
        throw new CloudflareError("404 Not Found", 81_044, "Record does not exist.");
      }
      judgeRecord(records, olds.id, inputs);
      put(olds.id, inputs);
      const modifiedOn = new Date().toISOString();
      return Promise.resolve({ ...computedOf(olds, ["createdOn", "proxiable"]), modifiedOn });
    },
    exists: ({ id }) => records.get(id) !== undefined,
    delete({ id }) {
      records.delete(id);
      return Promise.resolve();
    },
  });
}

const contentRules: Readonly<
  Record<(typeof servedTypes)[number], { fits: (content: string) => boolean; error: string }>
> = {
  A: { fits: isIPv4, error: "Content for A record must be a valid IPv4 address." },
  AAAA: { fits: isIPv6, error: "Content for AAAA record must be a valid IPv6 address." },
  CNAME: {
    fits: (content) => content.includes(".") && !isIPv4(content),
    error: "Content for CNAME record is invalid.",
  },
};

function judgeRecord(
  records: Collection<DnsRecordItem>,
  id: string | undefined,
  { zoneId, name, type, content, ttl, proxied }: DnsRecordInputs,
): void {
  const refuse = (code: number, message: string): never => {
    throw new CloudflareError("400 Bad Request", code, message);
  };
  if (!contentRules[type].fits(content)) refuse(9005, contentRules[type].error);
  if (ttl !== 1 && (!Number.isInteger(ttl) || ttl < 60 || ttl > 86_400)) {
    refuse(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.");
  }
  if (proxied && ttl !== 1) refuse(9004, "ttl must be set to 1 when proxied is true.");
  const others = records
    .entries()
    .filter(([key]) => key !== id)
    .map(([, record]) => record)
    .filter(
      (record) => record.zoneId === zoneId && record.name.toLowerCase() === name.toLowerCase(),
    );
  if (others.some((other) => other.type === type && other.content === content)) {
    refuse(81_058, "An identical record already exists.");
  }
  // A name with an alias has nothing else: RFC 1034, 3.6.2.
  if (others.some((other) => other.type === "CNAME" || type === "CNAME")) {
    refuse(81_053, "An A, AAAA, or CNAME record with that host already exists.");
  }
}

interface R2BucketRecord {
  readonly accountId: string;
  readonly locked: boolean;
}

const noSuchBucket = "The specified bucket does not exist.";

const r2BucketInputs = z.strictObject({
  accountId: hexId,
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$/, {
    error:
      "must be 3 to 64 lowercase letters, digits or hyphens, with a letter or digit at both ends",
  }),
  location: z.enum(["apac", "eeur", "enam", "weur", "wnam", "oc"]).optional(),
  jurisdiction: z.enum(["default", "eu", "fedramp"]).default("default"),
  storageClass: z.enum(["Standard", "InfrequentAccess"]).default("Standard"),
});

/** R2 buckets are folders, whose files are the objects. */
function r2BucketType(store: Store): ResourceType {
  const buckets = store.collection<R2BucketRecord>("cloudflare-r2-buckets");
  const folderOf = (name: string): string => join(store.folder, "r2", name);
  return standIn({
    inputs: r2BucketInputs,
    replaceOn: (name) => name !== "storageClass",
    physicalName: "name",
    create({ accountId, name }) {
      if (buckets.get(name) !== undefined) {
        throw new CloudflareError(
          "409 Conflict",
          10_004,
          "The bucket you tried to create already exists, and you own it.",
        );
      }
      mkdirSync(folderOf(name), { recursive: true });
      buckets.set(name, { accountId, locked: false });
      return Promise.resolve({ id: name, outputs: { creationDate: new Date().toISOString() } });
    },
    update: (olds) => Promise.resolve(computedOf(olds, ["creationDate"])),
    exists: ({ id }) => buckets.get(id) !== undefined,
    delete(olds) {
      const name = textOf(olds, "name");
      if (buckets.get(name) === undefined) return Promise.resolve();
      if (readdirSync(folderOf(name)).length > 0) {
        throw new CloudflareError(
          "409 Conflict",
          10_008,
          "The bucket you tried to delete is not empty.",
        );
      }
      rmSync(folderOf(name), { recursive: true });
      buckets.delete(name);
      return Promise.resolve();
    },
  });
}

const r2BucketLockInputs = z.strictObject({
  accountId: hexId,
  bucketName: z.string(),
  jurisdiction: z.enum(["default", "eu", "fedramp"]).default("default"),
  rules: z.array(
    z.strictObject({
      id: z.string(),
      enabled: z.boolean(),
      prefix: z.string().optional(),
      condition: z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("Age"), maxAgeSeconds: z.int().min(1) }),
        z.strictObject({ type: z.literal("Date"), date: z.iso.datetime({ offset: true }) }),
        z.strictObject({ type: z.literal("Indefinite") }),
      ]),
    }),
  ),
});

/** A bucket's lock rules: there is one set of them, and putting it again changes it. */
function r2BucketLockType(store: Store): ResourceType {
  const buckets = store.collection<R2BucketRecord>("cloudflare-r2-buckets");
  const put = (name: string, locked: boolean): void => {
    const bucket = buckets.get(name);
    if (bucket === undefined) throw new CloudflareError("404 Not Found", 10_006, noSuchBucket);
    buckets.set(name, { ...bucket, locked });
  };
  return standIn({
    inputs: r2BucketLockInputs,
    replaceOn: (name) => name !== "rules",
    create({ bucketName }) {
      put(bucketName, true);
      return Promise.resolve({ id: bucketName, outputs: {} });
    },
    update(_olds, { bucketName }) {
      put(bucketName, true);
      return Promise.resolve({});
    },
    exists: (olds) => buckets.get(textOf(olds, "bucketName"))?.locked === true,
    delete(olds) {
      const name = textOf(olds, "bucketName");
      if (buckets.get(name) !== undefined) put(name, false);
      return Promise.resolve();
    },
  });
}

function newId(): string {
  return randomBytes(16).toString("hex");
}
