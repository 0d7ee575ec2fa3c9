import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const path = z.string().regex(/^\/[^?#]*$/, "required is a path that begins with /");

/** What is answered to a GET. Texts are templates. */
const page = z
  .strictObject({
    status: z.int().min(200).max(599).default(200),
    /** Media type; that of JSON where there is `json`. */
    type: z.string().optional(),
    json: z.unknown().optional(),
    text: z.string().optional(),
    /** Origins whose pages may read the answer. */
    cors: z.array(z.string()).default([]),
  })
  .refine(({ json, text }) => json === undefined || text === undefined, {
    error: "required is at most one of json and text",
  });

const pages = z.record(path, page);

const front = z.strictObject({
  /** Services by the host name under which clients ask for them; `paths` are paths of clients and of the service. */
  names: z.record(
    z.string(),
    z.strictObject({ service: z.string(), paths: z.record(path, path).default({}) }),
  ),
  /** The address before whose services it stands, as a template; without it, the one that DNS gives for the name. */
  at: z.string().optional(),
  /** Without TLS it has one name, a port of its own, and answers under any name. */
  tls: z.boolean().default(true),
  /** What answers while a name leads nowhere yet: the system before the first release. */
  before: pages.default({}),
});

/** What a rehearsal stands in for beside the stack: `examples/<system>/rehearsal.yaml`. */
const description = z.strictObject({
  /** The git repository of the releases. */
  repository: z
    .strictObject({
      /** Name of a release's tag, as a template. */
      tag: z.string().default("{{ release.version }}"),
    })
    .prefault({}),
  /** The registry that images are pushed to. */
  registry: z
    .strictObject({
      /** Number of the version that ran before the first release. */
      before: z.string(),
      /** Repositories that have an image of that version, which no release here runs. */
      repositories: z.array(z.string()),
    })
    .prefault({ before: "0.9.0", repositories: [] }),
  /** Hosts that answer over HTTP, by name. */
  hosts: z.record(z.string(), z.strictObject({ pages })).default({}),
  /** What stands before services of the stack, by name. */
  fronts: z.record(z.string(), front).default({}),
  /** Redis servers that are not the stack's, by name: their image, and the streams in which one job waits. */
  queues: z
    .record(z.string(), z.strictObject({ image: z.string(), streams: z.array(z.string()).min(1) }))
    .default({}),
  /** Names of receivers of what is announced. */
  webhooks: z.array(z.string()).default([]),
  /** Entries of `cutover:readings`, texts being templates. */
  readings: z.record(z.string(), z.looseObject({ kind: z.string() })).default({}),
  /** Gates that a release goes without, by version: the reason by the gate's id. */
  waivers: z.record(z.string(), z.record(z.string(), z.string())).default({}),
  /** Values that the checklist leaves open, as they are in the rehearsal. */
  open: z.record(z.string(), z.unknown()).default({}),
});

/** What a rehearsal stands in for beside the stack. */
export type Description = z.output<typeof description>;

/** What is answered to a GET. */
export type Page = z.output<typeof page>;

/** What stands before services of the stack. */
export type FrontDescription = z.output<typeof front>;

/**
 * Reads `rehearsal.yaml` of a system's folder; all is empty where there is none.
 *
 * @throws Error with everything that is wrong with it
 */
export async function readDescription(folder: string): Promise<Description> {
  const file = join(folder, "rehearsal.yaml");
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "{}";
    throw error;
  });
  const parsed = description.safeParse(parse(text, { merge: true }));
  if (parsed.success) return parsed.data;
  throw new Error(`${file} cannot be used:\n${z.prettifyError(parsed.error)}`);
}
