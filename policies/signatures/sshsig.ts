import { createHash } from "node:crypto";
import { UnreadableError } from "../contract/json.ts";
import { WireReader, wireString } from "./wire.ts";

const magic = Buffer.from("SSHSIG");

/** The hashes that the format allows. */
const hashes: readonly string[] = ["sha256", "sha512"];

/** A signature as `ssh-keygen -Y sign` makes it: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig */
export interface SshSignature {
  /** The signer's key in SSH's wire format; trusted only once it was found among the trusted ones. */
  readonly key: Buffer;
  /** What it was signed for. */
  readonly namespace: string;
  /** Name of the hash that the signed bytes carry in their place. */
  readonly hash: string;
  /** In SSH's wire format. */
  readonly signature: Buffer;
}

/** Whether bytes begin as an SSH signature does. */
export function isSshSignature(bytes: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}

/**
 * Reads the content of an armored SSH signature; verifies nothing.
 *
 * @throws UnreadableError
 */
export function readSshSignature(bytes: Buffer): SshSignature {
  const fields = new WireReader(bytes);
  if (!fields.bytes(magic.length).equals(magic) || fields.uint32() !== 1) {
    throw new UnreadableError("it is no SSH signature of version 1");
  }
  const key = fields.string();
  const namespace = fields.text();
  const reserved = fields.string();
  const hash = fields.text();
  const signature = fields.string();
  fields.end();
  if (reserved.length > 0) throw new UnreadableError("it uses a reserved field");
  if (!hashes.includes(hash)) {
    throw new UnreadableError(`its hash is not accepted; required is ${hashes.join(" or ")}`);
  }
  return { key, namespace, hash, signature };
}

/** The bytes that an SSH key signs for a message. */
export function sshSignedBytes(
  { namespace, hash }: Pick<SshSignature, "namespace" | "hash">,
  message: Buffer,
): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([magic, ...[namespace, "", hash, digest].map(wireString)]);
}
