import { createHash } from "node:crypto";
import { z } from "zod";
import { parseJson, signedLimits, UnreadableError } from "./json.ts";

/** The payload type of every statement. */
export const payloadType = "application/vnd.in-toto+json";

/** One signature of an envelope. */
export interface Signature {
  readonly keyid?: string | undefined;
  /** Base64. */
  readonly sig: string;
}

/** A DSSE envelope: https://github.com/secure-systems-lab/dsse/blob/master/envelope.md */
export interface Envelope {
  readonly payloadType: string;
  /** Base64. */
  readonly payload: string;
  readonly signatures: readonly Signature[];
}

/** A document as it lies in the evidence location: a DSSE envelope, or one within a sigstore bundle. */
export interface Document {
  readonly envelope: Envelope;
  /** The parsed bundle, when it is one. */
  readonly bundle?: unknown;
}

const base64 = z.base64().or(z.base64url());

const envelopeSchema = z.strictObject({
  payloadType: z.literal(payloadType),
  payload: base64,
  signatures: z
    .array(z.strictObject({ keyid: z.string().optional(), sig: base64 }))
    .min(1)
    .max(8),
});

const bundleSchema = z.looseObject({
  mediaType: z.string().startsWith("application/vnd.dev.sigstore.bundle"),
  verificationMaterial: z.looseObject({}),
  dsseEnvelope: envelopeSchema,
});

/**
 * Parses an envelope or a sigstore bundle; verifies nothing.
 *
 * @throws UnreadableError
 */
export function parseDocument(text: string): Document {
  const value = parseJson(text, signedLimits);
  const isBundle = typeof value === "object" && value !== null && "mediaType" in value;
  const result = isBundle ? bundleSchema.safeParse(value) : envelopeSchema.safeParse(value);
  if (!result.success) {
    const where = result.error.issues[0]?.path.join(".") ?? "";
    const what = isBundle ? "sigstore bundle" : "DSSE envelope";
    throw new UnreadableError(`it is no ${what}${where === "" ? "" : `, see ${where}`}`);
  }
  return "dsseEnvelope" in result.data
    ? { envelope: result.data.dsseEnvelope, bundle: value }
    : { envelope: result.data };
}

/** The bytes that are signed: DSSE's pre-authentication encoding. */
export function signedBytes(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Decodes standard or URL-safe base64. */
export function fromBase64(text: string): Buffer {
  return Buffer.from(text, "base64");
}

/** SHA-256 of bytes or of a text, hex. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
