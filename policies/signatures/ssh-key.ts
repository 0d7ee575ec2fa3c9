import { createHash, createPublicKey, verify, type JsonWebKey, type KeyObject } from "node:crypto";
import { UnreadableError } from "../contract/json.ts";
import { WireReader } from "./wire.ts";

/** A person's public key. */
export interface SshKey {
  /** As in the first field of a `.pub` file. */
  readonly type: string;
  /** The key in SSH's wire format. */
  readonly blob: Buffer;
  /** As `ssh-keygen -l` shows it: `SHA256:...` */
  readonly fingerprint: string;
  /**
   * Whether a signature in SSH's wire format is this key's over these bytes.
   *
   * @throws UnreadableError when the signature is malformed or of a kind that is not accepted
   */
  verify(signed: Buffer, signature: Buffer): boolean;
}

/** An RSA key with fewer bits is refused: NIST SP 800-131A, table 2, disallows it. */
const minRsaBits = 2048;

/** OpenSSH reads no number with more bits. */
const maxRsaBits = 16_384;

/** The authenticator was touched: flag UP of https://www.w3.org/TR/webauthn-2/#sctn-authenticator-data */
const userPresent = 0x01;

type Verify = (key: KeyObject, signed: Buffer, signature: Buffer) => boolean;

interface KeyType {
  /** Reads what follows the type in the key's blob. */
  readonly read: (fields: WireReader) => JsonWebKey;
  /** The signature algorithms that are accepted, by name. */
  readonly algorithms: ReadonlyMap<string, Verify>;
  /** Whether the key lives in a FIDO authenticator, which signs more than it is given. */
  readonly authenticator: boolean;
}

/** How keys of one sort are read, and how their signatures are verified. */
interface Scheme {
  readonly read: KeyType["read"];
  readonly verify: Verify;
}

const ed25519: Scheme = {
  read: (fields) => ({ kty: "OKP", crv: "Ed25519", x: base64url(fields.string()) }),
  verify: (key, signed, signature) => verify(null, signed, key, signature),
};

function ecdsa(curve: string, jwkCurve: string, bytes: number, hash: string): Scheme {
  return {
    read: (fields) => {
      const named = fields.text();
      const point = fields.string();
      // 4 marks a point that is not compressed; OpenSSH writes no other.
      if (named !== curve || point.length !== 1 + 2 * bytes || point[0] !== 4) {
        throw new UnreadableError(`it holds no point of ${curve}`);
      }
      const x = base64url(point.subarray(1, 1 + bytes));
      return { kty: "EC", crv: jwkCurve, x, y: base64url(point.subarray(1 + bytes)) };
    },
    verify: (key, signed, signature) => {
      const numbers = new WireReader(signature);
      const halves = [numbers.mpint(), numbers.mpint()];
      numbers.end();
      if (halves.some((half) => half.length > bytes)) return false;
      const padded = halves.map((half) => Buffer.concat([Buffer.alloc(bytes - half.length), half]));
      return verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.concat(padded));
    },
  };
}

const p256 = ecdsa("nistp256", "P-256", 32, "sha256");

function readRsa(fields: WireReader): JsonWebKey {
  const e = fields.mpint();
  const n = fields.mpint();
  const bits = 8 * n.length - Math.clz32(n[0] ?? 0) + 24;
  if (bits < minRsaBits || bits > maxRsaBits) {
    throw new UnreadableError(
      `it has ${bits} bits; an RSA key needs ${minRsaBits} to ${maxRsaBits}`,
    );
  }
  return { kty: "RSA", n: base64url(n), e: base64url(e) };
}

function rsa(hash: string): Verify {
  return (key, signed, signature) => verify(hash, signed, key, signature);
}

function one(name: string, scheme: Scheme, authenticator = false): readonly [string, KeyType] {
  return [name, { read: scheme.read, algorithms: new Map([[name, scheme.verify]]), authenticator }];
}

const keyTypes: ReadonlyMap<string, KeyType> = new Map([
  one("ssh-ed25519", ed25519),
  one("ecdsa-sha2-nistp256", p256),
  one("ecdsa-sha2-nistp384", ecdsa("nistp384", "P-384", 48, "sha384")),
  one("ecdsa-sha2-nistp521", ecdsa("nistp521", "P-521", 66, "sha512")),
  one("sk-ssh-ed25519@openssh.com", ed25519, true),
  one("sk-ecdsa-sha2-nistp256@openssh.com", p256, true),
  [
    "ssh-rsa",
    {
      read: readRsa,
      // Never the algorithm ssh-rsa: that is SHA-1.
      algorithms: new Map([
        ["rsa-sha2-256", rsa("sha256")],
        ["rsa-sha2-512", rsa("sha512")],
      ]),
      authenticator: false,
    },
  ],
]);

/** The key types that a person may sign with. */
export const sshKeyTypes: readonly string[] = [...keyTypes.keys()];

/**
 * Reads a public key from SSH's wire format.
 *
 * @throws UnreadableError when it is malformed, too weak or of a type that is not accepted
 */
export function readSshKey(blob: Buffer): SshKey {
  const fields = new WireReader(blob);
  const type = fields.text();
  const known = keyTypes.get(type);
  if (known === undefined) throw new UnreadableError("its key type is not accepted");
  const jwk = known.read(fields);
  const application = known.authenticator ? fields.string() : undefined;
  fields.end();
  const key = publicKey(jwk);
  return {
    type,
    blob,
    fingerprint: fingerprintOf(blob),
    verify: (signed, signature) => {
      const parts = new WireReader(signature);
      const check = known.algorithms.get(parts.text());
      if (check === undefined) {
        const accepted = [...known.algorithms.keys()].join(" or ");
        throw new UnreadableError(`its algorithm is not accepted; required is ${accepted}`);
      }
      const value = parts.string();
      const bytes = application === undefined ? signed : touched(parts, application, signed);
      parts.end();
      return check(key, bytes, value);
    },
  };
}

/** A key's fingerprint as `ssh-keygen -l` shows it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${hashOf(blob).toString("base64").replace(/=$/, "")}`;
}

/**
 * What a FIDO authenticator signed: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.u2f
 */
function touched(parts: WireReader, application: Buffer, signed: Buffer): Buffer {
  const flagsAndCounter = parts.bytes(1 + 4);
  if (((flagsAndCounter[0] ?? 0) & userPresent) === 0) {
    throw new UnreadableError("it was made without a touch of the authenticator");
  }
  return Buffer.concat([hashOf(application), flagsAndCounter, hashOf(signed)]);
}

function publicKey(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    throw new UnreadableError("it holds no valid key");
  }
}

function hashOf(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function base64url(bytes: Buffer): string {
  return bytes.toString("base64url");
}
