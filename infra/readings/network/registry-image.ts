import { z } from "zod";
import { parseJson, UnreadableError, type JsonLimits } from "../../../policies/contract/json.ts";
import { codeOf } from "../../provider/error-text.ts";
import { wholeBody } from "../../whole-body.ts";
import { environmentName, environmentPassword } from "../credentials.ts";
import { ReadingError, readingKind } from "../reading.ts";

/** A host with a dot, a port or the name localhost; a repository; then a tag, a digest or both. */
const imageForm =
  /^(?<host>localhost|\[::1\]|[a-z0-9-]+(?:\.[a-z0-9-]+)+|(?:[a-z0-9-]+|\[::1\])(?=:))(?<port>:\d{1,5})?\/(?<repository>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

const target = z
  .strictObject({
    image: z
      .string()
      .max(512)
      .refine(isImage, "must be an image as in registry.example.com/orders/api:v1.2.0")
      .meta({
        description: "the image with its registry, and a tag or a digest",
        example: "registry.example.com/orders/api:v1.2.0",
      }),
    userEnv: environmentName.optional().meta({
      description: "the environment variable that holds the user; nobody logs in without it",
      example: "REGISTRY_USER",
    }),
    tokenEnv: environmentName.optional().meta({
      description: "the environment variable that holds the user's password or token",
      example: "REGISTRY_TOKEN",
    }),
  })
  .refine(
    ({ userEnv, tokenEnv }) => (userEnv === undefined) === (tokenEnv === undefined),
    "required are both userEnv and tokenEnv, or neither",
  );

type Target = z.output<typeof target>;

/** Reads which image a registry has under a name, as the OCI Distribution Specification has it. */
export const registryImage = readingKind({
  kind: "registry-image",
  title: "an image in a registry",
  target,
  facts: {
    exists: "true when the registry has the image",
    digest:
      "sha256: and 64 hexadecimal digits, of the manifest or the index of several; null when the image does not exist",
    mediaType:
      "the media type of the manifest in small letters; null when the image does not exist, or the registry does not say",
  },
  subject: ({ image }) => image,

  async read(wanted, { signal }) {
    const image = imageIn(wanted.image);
    const access: Access = { image, login: loginOf(wanted, image.host), signal };
    const first = await askManifest(access);
    const answer =
      first.status === 401
        ? await askManifest(access, await authorization(access, first.challenge))
        : first;
    if (answer.status === 404) return { exists: false, digest: null, mediaType: null };
    if (answer.status !== 200) throw refusal(access, answer.status);
    const { digest } = answer;
    if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
      throw unusable(image, "it does not say the SHA-256 digest");
    }
    if (image.digest !== undefined && digest !== image.digest) {
      throw unusable(image, "it is about another digest");
    }
    return { exists: true, digest, mediaType: answer.mediaType };
  },
});

/** An image's name, in its parts. */
interface Image {
  readonly name: string;
  readonly host: string;
  readonly origin: string;
  readonly repository: string;
  readonly reference: string;
  readonly digest: string | undefined;
}

interface Access {
  readonly image: Image;
  /** User and password as HTTP's Basic scheme has them; undefined when nobody logs in. */
  readonly login: string | undefined;
  readonly signal: AbortSignal;
}

/** Manifests of one image and indexes of several, as OCI and Docker name them. */
const mediaTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

function isImage(text: string): boolean {
  const groups = imageForm.exec(text)?.groups;
  if (groups === undefined || (groups["tag"] ?? groups["digest"]) === undefined) return false;
  return URL.canParse(`https://${groups["host"]}${groups["port"] ?? ""}`);
}

function imageIn(name: string): Image {
  const groups = imageForm.exec(name)?.groups ?? {};
  const { host = "", port = "", repository = "", tag = "", digest } = groups;
  const isHub = host === "docker.io" && port === "";
  const scheme = isLoopback(host) ? "http" : "https";
  return {
    name,
    host: `${host}${port}`,
    origin: `${scheme}://${isHub ? "registry-1.docker.io" : `${host}${port}`}`,
    repository: isHub && !repository.includes("/") ? `library/${repository}` : repository,
    reference: digest ?? tag,
    digest,
  };
}

/** On this machine nobody listens in between. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function loginOf({ userEnv, tokenEnv }: Target, host: string): string | undefined {
  if (userEnv === undefined || tokenEnv === undefined) return undefined;
  const token = environmentPassword(tokenEnv, `registry ${host}`);
  const user = process.env[userEnv] ?? "";
  // RFC 7617, 2: a colon ends the user.
  if (/^[^:\p{Cc}]+$/u.test(user)) {
    return `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}`;
  }
  const found = user === "" ? "is empty" : "holds what cannot be a user";
  throw new ReadingError(
    `the environment variable ${userEnv} ${found}, which must hold the user of registry ${host}. To do: set it`,
  );
}

interface ManifestAnswer {
  readonly status: number;
  readonly challenge: string;
  readonly digest: string;
  readonly mediaType: string | null;
}

async function askManifest(
  { image, signal }: Access,
  authorization?: string,
): Promise<ManifestAnswer> {
  const url = `${image.origin}/v2/${image.repository}/manifests/${image.reference}`;
  const { status, headers } = await ask(image, `registry ${image.host}`, url, {
    method: "HEAD",
    headers: { accept: mediaTypes, ...(authorization === undefined ? {} : { authorization }) },
    signal,
  });
  return {
    status,
    challenge: headers.get("www-authenticate") ?? "",
    digest: headers.get("docker-content-digest") ?? "",
    mediaType: headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? null,
  };
}

/**
 * Answers a registry's challenge.
 *
 * @returns the header that lets the image be read
 * @throws ReadingError when the registry gives no way to
 */
async function authorization(access: Access, challenge: string): Promise<string> {
  const { image, login, signal } = access;
  const bearer = challengeOf(challenge, "Bearer");
  if (bearer === undefined) {
    if (login !== undefined && challengeOf(challenge, "Basic") !== undefined) return login;
    throw refusal(access, 401);
  }
  const url = realmUrl(image, bearer["realm"] ?? "");
  const { service } = bearer;
  if (service !== undefined) url.searchParams.set("service", service);
  // Never the scope that the registry asks for: it could be given a token for more than this image.
  url.searchParams.set("scope", `repository:${image.repository}:pull`);
  const whom = `the token server ${url.host} of registry ${image.host}`;
  const response = await ask(image, whom, url.href, {
    headers: {
      accept: "application/json",
      ...(login === undefined ? {} : { authorization: login }),
    },
    signal,
  });
  if (response.status !== 200) throw refusal(access, response.status, whom);
  return `Bearer ${tokenIn(image, response.body)}`;
}

/** The parameters of one scheme in a header that may name several; undefined without it. */
function challengeOf(header: string, scheme: string): Record<string, string> | undefined {
  const found = new RegExp(`(?:^|,)\\s*${scheme}(?:\\s+|$)`, "i").exec(header.slice(0, 4096));
  if (found === null) return undefined;
  const rest = header.slice(found.index + found[0].length, 4096);
  const parameters: Record<string, string> = {};
  // They end where another scheme begins.
  const parameter = /\s*,?\s*([a-z_]+)=(?:"([^"]*)"|([^\s",]+))/iy;
  for (let part = parameter.exec(rest); part !== null; part = parameter.exec(rest)) {
    parameters[(part[1] ?? "").toLowerCase()] ??= part[2] ?? part[3] ?? "";
  }
  return parameters;
}

/** Where tokens are given. The user's password goes there, so nobody may listen in. */
function realmUrl(image: Image, realm: string): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const isLocal = isLoopback(new URL(image.origin).hostname) && isLoopback(url?.hostname ?? "");
  const keepsSecrets = url?.protocol === "https:" || (url?.protocol === "http:" && isLocal);
  if (url === undefined || !keepsSecrets || url.username !== "" || url.password !== "") {
    throw unusable(image, "it names no https URL that gives tokens");
  }
  url.hash = "";
  return url;
}

const tokenSchema = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
});

const limits: JsonLimits = { bytes: 64 * 1024, depth: 8 };

function tokenIn(image: Image, body: Buffer): string {
  try {
    const { data } = tokenSchema.safeParse(parseJson(body, limits));
    const token = data?.token ?? data?.access_token ?? "";
    // Others would come out again in the error of the client.
    if (/^[\x21-\x7e]+$/.test(token)) return token;
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
  }
  throw unusable(image, "its token server gives no token");
}

interface Response {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

async function ask(
  image: Image,
  whom: string,
  url: string,
  options: RequestInit,
): Promise<Response> {
  try {
    // Elsewhere the password and the token have no business.
    const response = await fetch(url, { ...options, redirect: "manual" });
    const { status, headers } = response;
    const body = await wholeBody(
      (response.body ?? []) as AsyncIterable<Uint8Array>,
      limits.bytes,
      () => unusable(image, `it is larger than ${limits.bytes / 1024} KiB`),
    );
    return { status, headers, body };
  } catch (error) {
    if (error instanceof ReadingError) throw error;
    const cause: unknown = error instanceof Error ? error.cause : undefined;
    const code = codeOf(cause) ?? codeOf(error) ?? "no reason given";
    throw new ReadingError(`${whom} cannot be reached to read ${image.name} (${code})`, {
      again: true,
    });
  }
}

/** What a status says that is neither an image nor that there is none. */
function refusal(
  { image, login }: Access,
  status: number,
  whom = `registry ${image.host}`,
): ReadingError {
  const how = `(status ${status})`;
  if (status === 401 || status === 403) {
    const todo =
      login === undefined
        ? "set userEnv and tokenEnv in the stack config, or make the image public"
        : "give the user the right to pull this image, or correct the user and the token";
    return new ReadingError(
      `${whom} does not let ${login === undefined ? "everybody" : "this user"} read ${image.name} ${how}. To do: ${todo}`,
    );
  }
  if (status === 429) {
    return new ReadingError(`${whom} has had too many requests to read ${image.name} ${how}`, {
      again: true,
    });
  }
  if (status >= 500) {
    return new ReadingError(`${whom} failed to read ${image.name} ${how}`, { again: true });
  }
  return new ReadingError(
    `${whom} does not answer as a registry about ${image.name} ${how}. To do: correct the image in the stack config`,
  );
}

function unusable(image: Image, why: string): ReadingError {
  return new ReadingError(
    `the answer of registry ${image.host} about ${image.name} cannot be used: ${why}`,
  );
}
