import { z } from "zod";
import { readingKind } from "../reading.ts";
import { engineHost, engineTime, inspect } from "./engine-api.ts";

const target = z.strictObject({
  image: z
    .string()
    .max(512)
    .regex(/^(?!.*\.\.)\w[\w./:-]*@sha256:[0-9a-f]{64}$/, "must be an image reference by digest")
    .meta({
      description: "an image reference by digest",
      example: "registry.example.com/orders-api@sha256:…",
    }),
  host: engineHost,
});

// What of ImageInspect is used: https://docs.docker.com/reference/api/engine/
const shape = z.looseObject({
  Id: z.string().min(1),
  RepoDigests: z.array(z.string()).nullish(),
  Created: engineTime,
  Size: z.int().min(0),
  Architecture: z.string(),
  Os: z.string(),
});

/** Whether a Docker Engine has an image; nothing is pulled. */
export const dockerImage = readingKind({
  kind: "docker-image",
  title: "whether a Docker Engine has an image by digest",
  target,
  facts: {
    present: "true when the Engine has the image",
    digestMatches: "true when the Engine knows it by the digest that was asked for",
    id: "digest of its configuration; null without the image",
    sizeBytes: "its size in bytes; null without the image",
    createdAt: "ISO 8601, when it was made; null without the image, or when it does not say",
    architecture: "its processor architecture, such as amd64; null without the image",
    os: "its operating system, such as linux; null without the image",
  },
  subject: ({ image }) => image,

  async read({ image, host }, { signal }) {
    const found = await inspect(host, `/images/${image}/json`, shape, signal);
    const digest = image.slice(image.indexOf("@"));
    return {
      present: found !== undefined,
      digestMatches: found?.RepoDigests?.some((known) => known.endsWith(digest)) ?? false,
      id: found?.Id ?? null,
      sizeBytes: found?.Size ?? null,
      createdAt: found?.Created ?? null,
      architecture: found?.Architecture ?? null,
      os: found?.Os ?? null,
    };
  },
});
