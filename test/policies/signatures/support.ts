import { execFileSync, spawnSync } from "node:child_process";
import {
  createHash,
  generateKeyPairSync,
  sign,
  type KeyObject,
  type KeyPairKeyObjectResult,
} from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { payloadType, signedBytes } from "../../../policies/contract/envelope.ts";
import { UnreadableError } from "../../../policies/contract/json.ts";
import { predicates } from "../../../policies/contract/predicates.ts";
import { statementType } from "../../../policies/contract/statement.ts";
import type { Trust } from "../../../policies/signatures/trust.ts";
import { verifyDocument } from "../../../policies/signatures/verify.ts";

export const releaseManager = "release-manager@example.com";
export const developer = "developer@example.com";
export const role = "release-manager";
export const now = Date.parse("2026-11-21T12:00:00Z");

const root = mkdtempSync(join(tmpdir(), "signatures-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** A folder that ends with its test file. */
export function makeFolder(): string {
  return mkdtempSync(join(root, "folder-"));
}

/** Writes files of a folder by their paths; returns the folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Writes a trust folder; what is left out trusts nobody. */
export function writeTrust(files: Readonly<Record<string, string>>): string {
  return writeFiles(makeFolder(), {
    allowed_signers: "",
    "signers.yaml": "signers: []\n",
    ...files,
  });
}

/** A key that ssh-keygen made. */
export interface SshKeyFile {
  readonly file: string;
  /** Type and base64, as in a `.pub` file. */
  readonly line: string;
  readonly blob: Buffer;
}

export function makeSshKey(type: string, ...args: readonly string[]): SshKeyFile {
  const file = join(makeFolder(), "key");
  execFileSync("ssh-keygen", ["-q", "-t", type, ...args, "-N", "", "-C", "", "-f", file]);
  const line = readFileSync(`${file}.pub`, "utf8").trim();
  return { file, line, blob: Buffer.from(line.split(" ")[1] ?? "", "base64") };
}

/** What `ssh-keygen -Y sign` makes, without its armor. */
export function sshSign(
  key: SshKeyFile,
  namespace: string,
  message: Buffer,
  ...args: readonly string[]
): Buffer {
  const made = execFileSync(
    "ssh-keygen",
    ["-q", "-Y", "sign", "-f", key.file, "-n", namespace, ...args],
    {
      input: message,
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  const lines = made.toString().trim().split("\n");
  return Buffer.from(lines.slice(1, -1).join(""), "base64");
}

/** Whether `ssh-keygen -Y verify` accepts a signature. */
export function sshVerify(
  allowedSigners: string,
  signature: Buffer,
  message: Buffer,
  { principal = releaseManager, namespace = `${role}@cutover`, at = now } = {},
): boolean {
  const armored = `-----BEGIN SSH SIGNATURE-----\n${signature.toString("base64")}\n-----END SSH SIGNATURE-----\n`;
  const folder = writeFiles(makeFolder(), { allowedSigners, signature: armored });
  const time = `${new Date(at).toISOString().replaceAll(/\D/g, "").slice(0, 14)}Z`;
  const files = ["-f", join(folder, "allowedSigners"), "-s", join(folder, "signature")];
  const { status } = spawnSync(
    "ssh-keygen",
    ["-Y", "verify", ...files, "-I", principal, "-n", namespace, "-O", `verify-time=${time}`],
    { input: message },
  );
  return status === 0;
}

const subject = [{ name: "v1.2.0", digest: { sha256: "a".repeat(64) } }];

export function evidenceStatement(evidence = "unit-tests"): object {
  const report = { name: "junit.xml", format: "junit", digest: { sha256: "b".repeat(64) } };
  const cutover = { evidence, producedAt: "2026-11-21T11:00:00Z", report };
  const predicateType = predicates.tests.type;
  return { _type: statementType, subject, predicateType, predicate: { result: "PASSED", cutover } };
}

export function approvalStatement(changes: Readonly<Record<string, unknown>> = {}): object {
  const predicate = {
    stack: "production",
    phase: "cutover",
    role,
    approver: releaseManager,
    evidenceDigest: "c".repeat(64),
    checklistDigest: "d".repeat(64),
    signedAt: "2026-11-21T11:30:00Z",
    ...changes,
  };
  return { _type: statementType, subject, predicateType: predicates.approval.type, predicate };
}

export function waiverStatement(changes: Readonly<Record<string, unknown>> = {}): object {
  const predicate = {
    stack: "production",
    gate: "orders/load-tested",
    reason: "the load test runs again tonight",
    approver: releaseManager,
    expires: "2026-11-22T00:00:00Z",
    signedAt: "2026-11-21T11:30:00Z",
    ...changes,
  };
  return { _type: statementType, subject, predicateType: predicates.waiver.type, predicate };
}

/** The bytes that are signed for a statement. */
export function bytesOf(statement: object): Buffer {
  return signedBytes(payloadType, Buffer.from(JSON.stringify(statement)));
}

/** Makes the text of an envelope; each of `signers` signs its bytes. */
export function envelope(
  statement: object,
  ...signers: readonly ((signed: Buffer) => Buffer)[]
): string {
  const signatures = signers.map((one) => ({ sig: one(bytesOf(statement)).toString("base64") }));
  const payload = Buffer.from(JSON.stringify(statement)).toString("base64");
  return JSON.stringify({ payloadType, payload, signatures });
}

export function ed25519(): KeyPairKeyObjectResult {
  return generateKeyPairSync("ed25519");
}

export function p256(): KeyPairKeyObjectResult {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

export function pem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

/** Signs as a signer with a key of its own does. */
export function keySigns(key: KeyObject): (signed: Buffer) => Buffer {
  return (signed) => sign(key.asymmetricKeyType === "ed25519" ? null : "sha256", signed, key);
}

/** Signs as a person does. */
export function personSigns(
  key: SshKeyFile,
  namespace = `${role}@cutover`,
  ...args: readonly string[]
): (signed: Buffer) => Buffer {
  return (signed) => sshSign(key, namespace, signed, ...args);
}

/** A string of SSH's wire format. */
export function wire(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A positive number of SSH's wire format. */
export function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = bytes.subarray(first);
  return wire((shortest[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.alloc(1), shortest]) : shortest);
}

export function sha256(bytes: Buffer | string): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** A FIDO authenticator's key, made by hand; signs what it is given as an SSH signature. */
export interface Authenticator {
  readonly line: string;
  sign(namespace: string, message: Buffer, flags?: number): Buffer;
}

export function makeAuthenticator(curve: "ed25519" | "nistp256"): Authenticator {
  const application = "ssh:";
  const type =
    curve === "ed25519" ? "sk-ssh-ed25519@openssh.com" : "sk-ecdsa-sha2-nistp256@openssh.com";
  const { publicKey, privateKey } = curve === "ed25519" ? ed25519() : p256();
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const coordinates = [x, y].map((one) => Buffer.from(one, "base64url"));
  const point =
    curve === "ed25519"
      ? [wire(coordinates[0] ?? "")]
      : [wire(curve), wire(Buffer.concat([Buffer.from([4]), ...coordinates]))];
  const blob = Buffer.concat([wire(type), ...point, wire(application)]);
  return {
    line: `${type} ${blob.toString("base64")}`,
    sign: (namespace, message, flags = 1) => {
      const digest = createHash("sha512").update(message).digest();
      const inner = Buffer.concat([
        Buffer.from("SSHSIG"),
        ...[wire(namespace), wire(""), wire("sha512"), wire(digest)],
      ]);
      const flagsAndCounter = Buffer.from([flags, 0, 0, 0, 7]);
      const signed = Buffer.concat([sha256(application), flagsAndCounter, sha256(inner)]);
      const value =
        curve === "ed25519"
          ? sign(null, signed, privateKey)
          : halves(sign("sha256", signed, { key: privateKey, dsaEncoding: "ieee-p1363" }));
      const signature = Buffer.concat([wire(type), wire(value), flagsAndCounter]);
      return sshSignature({ key: blob, namespace, hash: "sha512", signature });
    },
  };
}

function halves(signature: Buffer): Buffer {
  return Buffer.concat([mpint(signature.subarray(0, 32)), mpint(signature.subarray(32))]);
}

/** Assembles an SSH signature from its parts. */
export function sshSignature(parts: {
  readonly key: Buffer;
  readonly namespace: string;
  readonly hash: string;
  readonly signature: Buffer;
  readonly reserved?: string;
  readonly version?: number;
}): Buffer {
  const { key, namespace, hash, signature, reserved = "", version = 1 } = parts;
  return Buffer.concat([
    Buffer.from("SSHSIG"),
    Buffer.from([0, 0, 0, version]),
    ...[key, namespace, reserved, hash, signature].map(wire),
  ]);
}

/** Why a document is refused; throws when it is not, when the error is no named one, or when it quotes the document. */
export function refusal(text: string, trust: Trust, at = now): string {
  let message: string;
  try {
    verifyDocument(text, trust, at);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    ({ message } = error);
    for (const secret of text.match(/[\w+/=-]{24,}/g) ?? []) {
      if (message.includes(secret))
        throw new Error("the message quotes the document", { cause: error });
    }
    return `${error.constructor.name}: ${message}`;
  }
  throw new Error("it was accepted");
}
