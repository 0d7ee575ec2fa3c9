import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { listenOn, type Listening } from "./listen.ts";

/** An image as a registry has it. */
export interface Pushed {
  /** Name of the repository, without the registry's host. */
  readonly repository: string;
  readonly tags: readonly string[];
  /** `sha256:` and 64 hex digits, of the manifest. */
  readonly digest: string;
  readonly manifest: Buffer;
}

/**
 * The images of the rehearsal as they were pushed: the bytes of an image's file are its manifest, so that a digest is
 * the one that release files name. A version is a tag with and without a v before it.
 */
export async function pushedImages(folder: string): Promise<Pushed[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) =>
    file.endsWith(".json"),
  );
  return Promise.all(
    files.toSorted().map(async (file) => {
      const manifest = await readFile(join(folder, file));
      const { repository, version } = JSON.parse(manifest.toString()) as Record<string, string>;
      return pushed((repository ?? "").replace(/^[^/]*\//, ""), version ?? "", manifest);
    }),
  );
}

/** An image that nothing here runs: it was pushed before the first release. */
export function earlierImage(repository: string, version: string): Pushed {
  return pushed(repository, version, Buffer.from(`${JSON.stringify({ repository, version })}\n`));
}

function pushed(repository: string, version: string, manifest: Buffer): Pushed {
  const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
  return { repository, tags: [version, `v${version}`], digest, manifest };
}

const mediaType = "application/vnd.oci.image.manifest.v1+json";

/**
 * Serves images as a registry does, for everybody who asks which image lies under a name: `GET` and `HEAD` of
 * `/v2/<name>/manifests/<tag or digest>`. https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export async function startRegistry(
  address: string,
  images: readonly Pushed[],
): Promise<Listening> {
  const server = createServer(({ method = "", url = "" }, response) => {
    const fail = (status: number, code: string): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ errors: [{ code, message: `${method} ${url}` }] }));
    };
    if (method !== "GET" && method !== "HEAD") {
      fail(405, "UNSUPPORTED");
      return;
    }
    if (url === "/v2/") {
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
      return;
    }
    const [, name, reference = ""] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(url) ?? [];
    const ofName = images.filter(({ repository }) => repository === name);
    const found = ofName.find(
      ({ tags, digest }) => digest === reference || tags.includes(reference),
    );
    if (found === undefined) {
      fail(404, ofName.length === 0 ? "NAME_UNKNOWN" : "MANIFEST_UNKNOWN");
      return;
    }
    response.writeHead(200, {
      "content-type": mediaType,
      "content-length": String(found.manifest.length),
      "docker-content-digest": found.digest,
    });
    response.end(method === "HEAD" ? undefined : found.manifest);
  });
  return listenOn(server, address, 0);
}
