import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { AwsError, notImitated } from "./error.ts";
import type { ApiRequest } from "./request.ts";

/** How each checksum that a client may send is computed, in Base64. */
const checksums: Readonly<Record<string, (body: Buffer) => string>> = {
  "x-amz-checksum-sha256": (body) => createHash("sha256").update(body).digest("base64"),
  "x-amz-checksum-sha1": (body) => createHash("sha1").update(body).digest("base64"),
  "x-amz-checksum-crc32"(body) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(body));
    return bytes.toString("base64");
  },
  "content-md5": (body) => createHash("md5").update(body).digest("base64"),
};

/**
 * Compares what came with what the client says that it sent.
 *
 * @throws AwsError when they differ, or the checksum is of a kind that is not computed here
 */
export function refuseWrongChecksum({ headers, trailers, body }: ApiRequest): void {
  for (const [name, value] of Object.entries({ ...headers, ...trailers })) {
    const isChecksum = name.startsWith("x-amz-checksum-") || name === "content-md5";
    if (!isChecksum || value === "") continue;
    const compute = checksums[name];
    if (compute === undefined) throw notImitated(`${name} of s3:PutObject`);
    if (compute(body) === value) continue;
    throw new AwsError(
      "BadDigest",
      `The ${name.replace("x-amz-checksum-", "").toUpperCase()} you specified did not match the calculated checksum.`,
    );
  }
}
