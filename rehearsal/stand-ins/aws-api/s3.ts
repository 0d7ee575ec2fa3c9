import { notImitated, AwsError } from "./error.ts";
import type { Bucket, Objects, ObjectVersion } from "./objects.ts";
import { xmlAnswer, type ApiAnswer, type ApiService } from "./protocols.ts";
import type { ApiRequest } from "./request.ts";
import { refuseWrongChecksum } from "./s3-checksums.ts";
import { xmlDocument, type Xml } from "./xml.ts";

/** Buckets that are spoken to as S3's. */
export interface BucketStore {
  readonly objects: Objects;
  /** Undefined when there is none of this name. */
  bucket(name: string): Bucket | undefined;
  /** A setting as the API tells it, by the query that asks for it; undefined where the store has no such setting. */
  setting(name: string, query: string): ApiAnswer | undefined;
}

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** A document of S3. */
export function s3Document(top: string, content: Xml): ApiAnswer {
  return xmlAnswer(200, xmlDocument(top, content, namespace), {
    "content-type": "application/xml",
  });
}

/** What of S3 the API imitates: objects of whole buckets, and what a bucket's settings are. Paths hold the bucket. */
export function s3Service(buckets: BucketStore): ApiService {
  return {
    answer(request) {
      const [, name = "", key = ""] = /^\/([^/]*)\/?(.*)$/s.exec(request.path) ?? [];
      const bucket = buckets.bucket(name);
      if (bucket === undefined) {
        throw new AwsError("NoSuchBucket", "The specified bucket does not exist", 404);
      }
      const asked: Asked = { request, bucket, key, objects: buckets.objects };
      return Promise.resolve(key === "" ? answerBucket(asked, buckets) : answerObject(asked));
    },
    refusal: s3Refusal,
  };
}

/** An error in S3's protocol. */
export function s3Refusal({ code, message, status }: AwsError): ApiAnswer {
  return xmlAnswer(status, xmlDocument("Error", { Code: code, Message: message }), {
    "content-type": "application/xml",
  });
}

interface Asked {
  readonly request: ApiRequest;
  readonly bucket: Bucket;
  readonly key: string;
  readonly objects: Objects;
}

/** A parameter by which the SDK says which operation it means. */
const operationParameter = "x-id";

function answerBucket({ request, bucket, objects }: Asked, buckets: BucketStore): ApiAnswer {
  const { method, query } = request;
  if (method === "GET" && query.get("list-type") === "2") return list(bucket, objects, query);
  const asked = [...query.keys()].find((name) => name !== operationParameter) ?? "";
  const setting = method === "GET" ? buckets.setting(bucket.name, asked) : undefined;
  if (setting !== undefined) return setting;
  throw notImitated(`s3: ${method} of a bucket${asked === "" ? "" : `, ?${asked}`}`);
}

const listParameters: readonly string[] = [
  "list-type",
  "prefix",
  "max-keys",
  "continuation-token",
  "start-after",
  "delimiter",
  operationParameter,
];

const mostKeys = 1000;

function list(bucket: Bucket, objects: Objects, query: URLSearchParams): ApiAnswer {
  const unknown = [...query.keys()].filter((name) => !listParameters.includes(name));
  if (unknown.length > 0) throw notImitated(`${unknown.join(", ")} of s3:ListObjectsV2`);
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const token = query.get("continuation-token");
  const after = token === null ? (query.get("start-after") ?? "") : decoded(token);
  const size = Math.min(Number(query.get("max-keys") ?? mostKeys), mostKeys);
  const grouped = new Map<string, ObjectVersion | undefined>();
  for (const [key, version] of objects.list(bucket, prefix)) {
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (end === -1) grouped.set(key, version);
    else grouped.set(key.slice(0, end + delimiter.length), undefined);
  }
  const rest = [...grouped].filter(
    ([key]) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0,
  );
  const page = rest.slice(0, size);
  const isTruncated = rest.length > page.length;
  return s3Document("ListBucketResult", {
    Name: bucket.name,
    Prefix: prefix,
    Delimiter: delimiter === "" ? undefined : delimiter,
    MaxKeys: size,
    KeyCount: page.length,
    IsTruncated: isTruncated,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: isTruncated ? encoded(page.at(-1)?.[0] ?? after) : undefined,
    Contents: page.flatMap(([key, version]) =>
      version?.content === undefined
        ? []
        : [
            {
              Key: key,
              LastModified: version.at,
              ETag: `"${version.content.etag}"`,
              Size: version.content.size,
              StorageClass: "STANDARD",
            },
          ],
    ),
    CommonPrefixes: page.flatMap(([key, version]) =>
      version === undefined ? [{ Prefix: key }] : [],
    ),
  });
}

function encoded(key: string): string {
  return Buffer.from(key).toString("base64url");
}

function decoded(token: string): string {
  return Buffer.from(token, "base64url").toString();
}

function answerObject(asked: Asked): ApiAnswer {
  const { request } = asked;
  const unknown = [...request.query.keys()].filter(
    (name) => name !== operationParameter && name !== "versionId",
  );
  const act = unknown.length > 0 ? undefined : objectActions[request.method];
  if (act !== undefined) return act(asked);
  throw notImitated(
    `s3: ${request.method} of an object${unknown.length === 0 ? "" : `, ?${unknown.join("&")}`}`,
  );
}

const objectActions: Readonly<Record<string, (asked: Asked) => ApiAnswer>> = {
  GET(asked) {
    const { bucket, key, objects } = asked;
    const version = found(asked);
    return { ...head(asked, version), body: objects.read(bucket, key, version) };
  },
  HEAD: (asked) => head(asked, found(asked)),
  PUT: put,
  DELETE({ request: { query }, bucket, key, objects }) {
    const marker = objects.remove(bucket, key, query.get("versionId") ?? undefined);
    const headers =
      marker === undefined ? {} : { "x-amz-delete-marker": "true", "x-amz-version-id": marker.id };
    return { status: 204, headers, body: "" };
  },
};

function found({ request: { headers, query }, bucket, key, objects }: Asked): ObjectVersion {
  if (headers["range"] !== undefined) throw notImitated("a range of s3:GetObject");
  return objects.find(bucket, key, query.get("versionId") ?? undefined);
}

function head({ bucket, request }: Asked, version: ObjectVersion): ApiAnswer {
  const { content } = version;
  // The SDK asks for them whenever it can compare them.
  const checksum =
    request.headers["x-amz-checksum-mode"] === "ENABLED"
      ? { "x-amz-checksum-sha256": content?.sha256 ?? "", "x-amz-checksum-type": "FULL_OBJECT" }
      : {};
  return {
    status: 200,
    headers: {
      "content-type": content?.type ?? "binary/octet-stream",
      "content-length": String(content?.size ?? 0),
      etag: `"${content?.etag ?? ""}"`,
      "last-modified": new Date(version.at).toUTCString(),
      ...checksum,
      ...(bucket.versioned ? { "x-amz-version-id": version.id } : {}),
      ...Object.fromEntries(
        Object.entries(content?.metadata ?? {}).map(([name, value]) => [
          `${metadata}${name}`,
          value,
        ]),
      ),
    },
    body: "",
  };
}

const metadata = "x-amz-meta-";

/** Headers of AWS that a write may have. Others would change what is kept, or how. */
const putHeaders =
  /^x-amz-(meta-.+|content-sha256|date|security-token|checksum-.+|sdk-checksum-algorithm|trailer|decoded-content-length|user-agent|server-side-encryption(-aws-kms-key-id)?|object-lock-(mode|retain-until-date))$/;

function put(asked: Asked): ApiAnswer {
  const { request, bucket, key, objects } = asked;
  const { headers, body } = request;
  const unknown = Object.keys(headers).filter(
    (name) => name.startsWith("x-amz-") && !putHeaders.test(name),
  );
  if (unknown.length > 0) throw notImitated(`${unknown.join(", ")} of s3:PutObject`);
  refuseWrongChecksum(request);
  if (headers["if-none-match"] !== undefined) refuseExisting(asked);
  const own = Object.entries(headers)
    .filter(([name]) => name.startsWith(metadata))
    .map(([name, value]) => [name.slice(metadata.length), value] as const);
  const version = objects.put(bucket, key, body, {
    type: headers["content-type"],
    metadata: Object.fromEntries(own),
    lockedUntil: lockAsked(asked),
  });
  return {
    status: 200,
    headers: {
      etag: `"${version.content?.etag ?? ""}"`,
      ...(headers["x-amz-checksum-sha256"] === undefined
        ? {}
        : { "x-amz-checksum-sha256": version.content?.sha256 ?? "" }),
      ...(bucket.versioned ? { "x-amz-version-id": version.id } : {}),
    },
    body: "",
  };
}

/** Until when the writer wants the version locked; only a bucket with object lock can. */
function lockAsked({ request: { headers }, bucket }: Asked): string | undefined {
  const [mode, until] = ["mode", "retain-until-date"].map(
    (name) => headers[`x-amz-object-lock-${name}`],
  );
  if (mode === undefined && until === undefined) return undefined;
  if (!bucket.lockable) {
    throw new AwsError("InvalidRequest", "Bucket is missing Object Lock Configuration");
  }
  if (until === undefined || !(Date.parse(until) > Date.now())) {
    throw new AwsError("InvalidArgument", "The retain until date must be in the future!");
  }
  return until;
}

/** `If-None-Match: *`: write only where nothing is. */
function refuseExisting({ request, bucket, key, objects }: Asked): void {
  if (request.headers["if-none-match"] !== "*") throw notImitated("If-None-Match with an ETag");
  const exists = objects.list(bucket, key).some(([other]) => other === key);
  if (!exists) return;
  throw new AwsError(
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    412,
  );
}
