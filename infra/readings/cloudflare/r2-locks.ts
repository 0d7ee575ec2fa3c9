import { z } from "zod";
import { readingKind } from "../reading.ts";
import { access, askCloudflare, cloudflareId } from "./api.ts";

const target = z.strictObject({
  accountId: cloudflareId.meta({
    description: "the id of the account, 32 hexadecimal digits",
    example: "0123456789abcdef0123456789abcdef",
  }),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$/, "required is the name of an R2 bucket")
    .meta({ description: "the name of the R2 bucket", example: "flagship-archive" }),
  jurisdiction: z.enum(["default", "eu", "fedramp"]).default("default").meta({
    description: "where the bucket must stay: default, eu or fedramp; in another it is not found",
    example: "eu",
  }),
  ...access,
});

/** https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/locks/methods/get/ */
const locksResult = z.object({
  rules: z
    .array(
      z.object({
        id: z.string(),
        enabled: z.boolean(),
        prefix: z.string().nullish(),
        condition: z.discriminatedUnion("type", [
          z.object({ type: z.literal("Age"), maxAgeSeconds: z.number().nonnegative() }),
          z.object({ type: z.literal("Date"), date: z.string() }),
          z.object({ type: z.literal("Indefinite") }),
        ]),
      }),
    )
    .default([]),
});

type Rule = z.output<typeof locksResult>["rules"][number];

/**
 * What keeps the objects of an R2 bucket from being changed or deleted. Of several rules the longest counts:
 * https://developers.cloudflare.com/r2/buckets/bucket-locks/
 */
export const r2Locks = readingKind({
  kind: "r2-locks",
  title: "the lock rules of an R2 bucket",
  target,
  facts: {
    rules:
      "list of the lock rules by id, each of `id`, `enabled` (true when it is), `prefix` (empty for the whole bucket) and `condition`, as Cloudflare has it",
    lockedSeconds:
      "seconds for which every object is locked from the time it was written, by the longest of the rules; null when no enabled rule of the whole bucket says so",
    indefinite: "true when every object is locked for ever",
  },
  subject: ({ bucket }) => bucket,

  async read({ accountId, bucket, jurisdiction, tokenEnv, baseUrl }, { signal }) {
    const { result } = await askCloudflare(
      {
        tokenEnv,
        baseUrl,
        path: `/accounts/${accountId}/r2/buckets/${bucket}/lock`,
        headers: { "cf-r2-jurisdiction": jurisdiction },
        subject: `R2 bucket ${bucket}`,
        needs: "Workers R2 Storage:Read",
        result: locksResult,
      },
      signal,
    );
    const rules = result.rules.map((rule) => ({ ...rule, prefix: rule.prefix ?? "" }));
    const whole = rules.filter(({ enabled, prefix }) => enabled && prefix === "");
    const ages = whole.flatMap(({ condition }) =>
      condition.type === "Age" ? [condition.maxAgeSeconds] : [],
    );
    return {
      rules: rules.sort((a: Rule, b: Rule) => (a.id < b.id ? -1 : 1)),
      lockedSeconds: ages.length === 0 ? null : Math.max(...ages),
      indefinite: whole.some(({ condition }) => condition.type === "Indefinite"),
    };
  },
});
