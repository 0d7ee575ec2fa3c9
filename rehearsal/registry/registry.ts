import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ownPaths } from "../app/paths.ts";

/** What the one process of the rehearsal can be. */
const serviceNames = ["legacy", "api", "worker", "web", "redis", "keycloak", "postgres"] as const;

/**
 * An image of the rehearsal: not layers of files, but what the one rehearsed process does when it runs "as" this image.
 */
const imageSchema = z.strictObject({
  /** Where it was pushed, as in `registry.example.com/flagship/api`. */
  repository: z.string(),
  service: z.enum(serviceNames),
  /** Tag and version. */
  version: z.string(),
  /** What it needs of the database, as `table.column`: it is not healthy without. */
  columns: z.array(z.string().regex(/^\w+\.\w+$/)),
  /** Where its clients POST what they write, and the table it goes to: at least `id bigint PRIMARY KEY, note text`. */
  writes: z
    .strictObject({
      path: z
        .string()
        .regex(/^(\/[\w-]+)+$/)
        .refine((path) => !ownPaths.includes(path), { error: "the process answers there itself" }),
      table: z.string().regex(/^[A-Za-z_]\w{0,62}$/),
    })
    .default({ path: "/orders", table: "orders" }),
  /** Realms that a `keycloak` knows. */
  realms: z.array(z.string().regex(/^[\w-]+$/)).default(["master"]),
  /** What is wrong with it. */
  faults: z.strictObject({
    /** It runs and never says that it is healthy. */
    unhealthy: z.boolean().optional(),
    /** It is healthy and fails every write. */
    writesFail: z.boolean().optional(),
    /** It ends as soon as it has started. */
    crashes: z.boolean().optional(),
  }),
});

/** An image of the rehearsal. */
export type Image = z.infer<typeof imageSchema>;

/** An image and how it is called. */
export interface PublishedImage {
  readonly image: Image;
  /** Digest of the manifest file's very bytes, as in `sha256:…`. */
  readonly digest: string;
  /** Reference by digest, as in `registry.example.com/flagship/api@sha256:…`. */
  readonly reference: string;
}

/** A registry from which images are pulled. */
export interface Registry {
  readonly images: readonly PublishedImage[];
  /** Finds `repository@sha256:…`, with a tag or without, or `repository:tag`; undefined when nothing of that name was pushed. */
  resolve(reference: string): PublishedImage | undefined;
}

/** Folder of the images that come with the rehearsal. */
export const imagesFolder = join(import.meta.dirname, "images");

/**
 * Opens a registry: every JSON file below its folder is the manifest of one image.
 *
 * @throws Error when a manifest is not one
 */
export function openRegistry(folder: string = imagesFolder): Registry {
  const images = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .map((file) => readImage(join(folder, file)));
  return {
    images,
    resolve(reference) {
      // Of a tag and a digest the digest counts.
      const wanted = reference.replace(/:[^/@]+@/, "@");
      return images.find(({ image, reference: byDigest }) =>
        [byDigest, `${image.repository}:${image.version}`].includes(wanted),
      );
    },
  };
}

function readImage(file: string): PublishedImage {
  const bytes = readFileSync(file);
  const parsed = imageSchema.safeParse(JSON.parse(bytes.toString()));
  if (!parsed.success) throw new Error(`${file} is not an image: ${z.prettifyError(parsed.error)}`);
  const image = parsed.data;
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { image, digest, reference: `${image.repository}@${digest}` };
}
