import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Properties, ResourceType } from "../../../infra/provider/serve.ts";
import { computedOf, standIn, textOf } from "../kind.ts";
import type { Store } from "../store.ts";
import { CloudflareError, hexId } from "./api.ts";

/** What R2 keeps of a bucket: its rules are those of the settings that it has. */
interface R2BucketRecord {
  readonly accountId: string;
  readonly lockRules?: readonly Properties[];
  readonly lifecycleRules?: readonly Properties[];
  readonly corsRules?: readonly Properties[];
}

/** R2: buckets are folders, whose files are the objects; their rules are kept. */
export function r2Types(store: Store): Record<string, ResourceType> {
  return {
    "cloudflare:index/r2Bucket:R2Bucket": r2BucketType(store),
    "cloudflare:index/r2BucketLock:R2BucketLock": rulesType(store, lockInputs, "lockRules"),
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": rulesType(
      store,
      lifecycleInputs,
      "lifecycleRules",
    ),
    "cloudflare:index/r2BucketCors:R2BucketCors": rulesType(store, corsInputs, "corsRules"),
  };
}

const jurisdiction = z.enum(["default", "eu", "fedramp"]).default("default");

const r2BucketInputs = z.strictObject({
  accountId: hexId,
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$/, {
    error:
      "must be 3 to 64 lowercase letters, digits or hyphens, with a letter or digit at both ends",
  }),
  location: z.enum(["apac", "eeur", "enam", "weur", "wnam", "oc"]).optional(),
  jurisdiction,
  storageClass: z.enum(["Standard", "InfrequentAccess"]).default("Standard"),
});

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
      buckets.set(name, { accountId });
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

const lockInputs = z.strictObject({
  accountId: hexId,
  bucketName: z.string(),
  jurisdiction,
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

const age = z.strictObject({ type: z.literal("Age"), maxAge: z.int().min(0) });
const ageOrDate = z.discriminatedUnion("type", [
  age,
  z.strictObject({ type: z.literal("Date"), date: z.iso.datetime({ offset: true }) }),
]);

const lifecycleInputs = z.strictObject({
  accountId: hexId,
  bucketName: z.string(),
  jurisdiction,
  rules: z.array(
    z.strictObject({
      id: z.string().min(1),
      enabled: z.boolean(),
      conditions: z.strictObject({ prefix: z.string() }),
      abortMultipartUploadsTransition: z.strictObject({ condition: age.optional() }).optional(),
      deleteObjectsTransition: z.strictObject({ condition: ageOrDate.optional() }).optional(),
      storageClassTransitions: z
        .array(
          z.strictObject({ condition: ageOrDate, storageClass: z.literal("InfrequentAccess") }),
        )
        .optional(),
    }),
  ),
});

const corsInputs = z.strictObject({
  accountId: hexId,
  bucketName: z.string(),
  jurisdiction,
  rules: z.array(
    z.strictObject({
      id: z.string().optional(),
      allowed: z.strictObject({
        origins: z.array(z.string()).min(1),
        methods: z.array(z.enum(["GET", "PUT", "POST", "DELETE", "HEAD"])).min(1),
        headers: z.array(z.string()).optional(),
      }),
      exposeHeaders: z.array(z.string()).optional(),
      maxAgeSeconds: z.int().min(0).max(86_400).optional(),
    }),
  ),
});

interface RulesInputs extends Properties {
  readonly bucketName: string;
  readonly rules: readonly Properties[];
}

/** Rules of a bucket: there is one set of each kind, and putting it again changes it. */
function rulesType(
  store: Store,
  inputs: z.ZodType<RulesInputs>,
  kind: "lockRules" | "lifecycleRules" | "corsRules",
): ResourceType {
  const buckets = store.collection<R2BucketRecord>("cloudflare-r2-buckets");
  const put = ({ bucketName, rules }: RulesInputs): void => {
    const bucket = buckets.get(bucketName);
    if (bucket === undefined) {
      const message = "The specified bucket does not exist.";
      throw new CloudflareError("404 Not Found", 10_006, message);
    }
    buckets.set(bucketName, { ...bucket, [kind]: rules });
  };
  return standIn({
    inputs,
    replaceOn: (name) => name !== "rules",
    create(values) {
      put(values);
      return Promise.resolve({ id: values.bucketName, outputs: {} });
    },
    update(_olds, values) {
      put(values);
      return Promise.resolve({});
    },
    exists: (olds) => buckets.get(textOf(olds, "bucketName"))?.[kind] !== undefined,
    delete(olds) {
      const name = textOf(olds, "bucketName");
      const bucket = buckets.get(name);
      if (bucket === undefined) return Promise.resolve();
      const { [kind]: _ended, ...kept } = bucket;
      buckets.set(name, kept);
      return Promise.resolve();
    },
  });
}
