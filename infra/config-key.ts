import { z } from "zod";
import { duration } from "../policies/contract/checklist.ts";

/** Says what a value of the stack config means, and gives one that is accepted: both are shown to who got it wrong. */
export function key<T extends z.ZodType>(type: T, description: string, example: string): T {
  return type.meta({ description, example });
}

/** A name in kebab case, as keys of tables have it. */
export const tableName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,62}$/)
  .meta({ description: "a name in kebab case" });

/** An IPv4 address. */
export const address = key(z.ipv4(), "an IPv4 address", "203.0.113.10");

/** A host name. */
export const hostName = z.hostname().meta({ description: "a host name" });

/** An image by digest. */
export const imageByDigest = key(
  z.string().regex(/.@sha256:[0-9a-f]{64}$/),
  "an image by digest",
  "registry.example.com/app@sha256:…",
);

/** A TCP port. */
export const port = key(z.number().int().min(1).max(65_535), "a TCP port", "8080");

/** A length of time, such as `24h`. */
export const lengthOfTime = z.string().refine((text) => duration.safeParse(text).success);

/** Somebody's own words: not nothing, and not the form's `(configure)`. */
export const filledIn = z.string().regex(/^(?!\s*\(.*\)\s*$)[^]*\S/);

/** A Cloudflare account or zone id. */
export const cloudflareId = z.string().regex(/^[0-9a-f]{32}$/);
