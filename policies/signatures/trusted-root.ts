import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { parseJson, UnreadableError, type JsonLimits } from "../contract/json.ts";

/** Limits of a file in the trust folder: the public sigstore's trusted root takes 7 KiB, a person's line less than 1. */
export const trustLimits: JsonLimits = { bytes: 1024 * 1024, depth: 32 };

/** A sigstore trusted root as its JSON says it. */
export type TrustedRoot = z.infer<typeof schema>;

const authority = z.looseObject({
  certChain: z.looseObject({
    certificates: z.array(z.looseObject({ rawBytes: z.string().refine(isCertificate) })).min(1),
  }),
});

const log = z.looseObject({
  publicKey: z.looseObject({ rawBytes: z.base64() }),
  logId: z.looseObject({ keyId: z.base64() }),
});

/** What is used of https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto */
const schema = z.looseObject({
  mediaType: z.string().startsWith("application/vnd.dev.sigstore.trustedroot"),
  certificateAuthorities: z.array(authority).min(1),
  tlogs: z.array(log).min(1),
  ctlogs: z.array(log).min(1),
});

/**
 * Parses a sigstore trusted root.
 *
 * @throws UnreadableError
 */
export function parseTrustedRoot(text: string): TrustedRoot {
  const result = schema.safeParse(parseJson(text, trustLimits));
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.map(String).join(".") ?? "";
  throw new UnreadableError(
    `it is no sigstore trusted root with authorities and logs${where === "" ? "" : `, see ${where}`}`,
  );
}

function isCertificate(base64: string): boolean {
  try {
    return new X509Certificate(Buffer.from(base64, "base64")).serialNumber !== "";
  } catch {
    return false;
  }
}
