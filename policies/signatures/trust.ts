import { createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { decodeUtf8, UnreadableError } from "../contract/json.ts";
import { parseAllowedSigners, type Person } from "./allowed-signers.ts";
import { parseSigners, type SignerEntry } from "./signers.ts";
import { parseTrustedRoot, trustLimits, type TrustedRoot } from "./trusted-root.ts";

/** Something that signs evidence with a key of its own. */
export interface KeySigner extends Pick<SignerEntry, "name" | "evidence"> {
  readonly kind: "key";
  /** Ed25519, or ECDSA over P-256. */
  readonly publicKey: KeyObject;
  /** Verifies what a bundle holds beside its signature. */
  readonly trustedRoot: TrustedRoot | undefined;
}

/** Something that signs evidence with sigstore certificates. */
export interface IdentitySigner extends Pick<SignerEntry, "name" | "evidence"> {
  readonly kind: "identity";
  /** Who vouched for the identity, as a certificate must say it. */
  readonly issuer: string;
  /** Whom the certificate must be issued to: its subject alternative name. */
  readonly subject: string;
  /** One object for all signers that name one file. */
  readonly trustedRoot: TrustedRoot;
}

/** Who may sign what, as the pack's own files say. */
export interface Trust {
  readonly keys: readonly KeySigner[];
  readonly identities: readonly IdentitySigner[];
  readonly people: readonly Person[];
}

/** The files that say who is trusted cannot be used: one line for each thing that is wrong with them. */
export class TrustError extends Error {}

type Report = (problem: string) => void;

/**
 * Reads `allowed_signers` and `signers.yaml` of a folder, and the files that these name.
 *
 * @throws TrustError with everything that is wrong with them
 */
export function readTrust(folder: string): Trust {
  const problems: string[] = [];
  const people = readPeople(folder, problems);
  const signers = readSigners(folder, problems);
  if (problems.length > 0) throw new TrustError([...new Set(problems)].join("\n"));
  return { people, ...signers };
}

function readPeople(folder: string, problems: string[]): readonly Person[] {
  const file = "trust/allowed_signers";
  const read = attempt(
    () => parseAllowedSigners(readInside(folder, "allowed_signers")),
    (problem) => problems.push(`${file}: ${problem}`),
  );
  for (const { line, problem } of read?.problems ?? []) {
    problems.push(`${file}:${line}: ${problem}`);
  }
  return read?.people ?? [];
}

function readSigners(folder: string, problems: string[]): Pick<Trust, "keys" | "identities"> {
  const file = "trust/signers.yaml";
  const keys: KeySigner[] = [];
  const identities: IdentitySigner[] = [];
  const roots = new Map<string, TrustedRoot | undefined>();
  const read = attempt(
    () => parseSigners(readInside(folder, "signers.yaml")),
    (problem) => problems.push(`${file}: ${problem}`),
  );
  for (const { line, problem } of read?.problems ?? []) {
    problems.push(`${file}:${line}: ${problem}`);
  }
  for (const { line, signer } of read?.entries ?? []) {
    const { name, evidence, identity } = signer;
    const report: Report = (problem) => {
      problems.push(`${file}:${line}: signer ${name}: ${problem}`);
    };
    if ([...keys, ...identities].some((other) => other.name === name)) {
      report("another signer has this name");
    }
    const publicKey = named(signer.publicKey, report, (path) => readPublicKey(folder, path));
    const trustedRoot = named(signer.trustedRoot, report, (path) => {
      const root = roots.get(path) ?? parseTrustedRoot(readInside(folder, path));
      roots.set(path, root);
      return root;
    });
    if (publicKey !== undefined) {
      if (keys.some((other) => other.publicKey.equals(publicKey))) {
        report("another signer has this key");
      }
      keys.push({ kind: "key", name, evidence, publicKey, trustedRoot });
    }
    if (identity !== undefined && trustedRoot !== undefined) {
      const { issuer, subject } = identity;
      if (identities.some((other) => other.issuer === issuer && other.subject === subject)) {
        report("another signer has this identity");
      }
      identities.push({ kind: "identity", name, evidence, issuer, subject, trustedRoot });
    }
  }
  return { keys, identities };
}

/** Reads a file that an entry names, if it does. */
function named<Value>(
  path: string | undefined,
  report: Report,
  read: (path: string) => Value,
): Value | undefined {
  if (path === undefined) return undefined;
  return attempt(
    () => read(path),
    (problem) => {
      report(`${path}: ${problem}`);
    },
  );
}

function readPublicKey(folder: string, path: string): KeyObject {
  const text = readInside(folder, path).trim();
  if (text.includes("PRIVATE KEY")) {
    throw new UnreadableError("it holds a private key; remove it, and make a new key");
  }
  const key = /^-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----$/.test(text)
    ? attempt(
        () => createPublicKey(text),
        () => undefined,
      )
    : undefined;
  if (
    key?.asymmetricKeyType === "ed25519" ||
    key?.asymmetricKeyDetails?.namedCurve === "prime256v1"
  ) {
    return key;
  }
  throw new UnreadableError("it is no public key in PEM, Ed25519 or ECDSA P-256");
}

/** Reads a text file that lies in the folder and nowhere else, whatever links there are. */
function readInside(folder: string, path: string): string {
  const found = attempt(
    () => ({ root: realpathSync(folder) + sep, place: realpathSync(join(folder, path)) }),
    () => undefined,
  );
  if (found === undefined) throw new UnreadableError("there is no such file");
  const { root, place } = found;
  if (!place.startsWith(root)) {
    throw new UnreadableError("it is a link that leads out of policies/trust");
  }
  // Before it is opened: a pipe would never end.
  if (!statSync(place).isFile()) throw new UnreadableError("it is no plain file");
  return decodeUtf8(readFileSync(place), trustLimits.bytes);
}

/** Tries something; undefined when it failed. An error that is not ours stays untold: it may quote what was read. */
function attempt<Value>(
  what: () => Value,
  report: (problem: string) => unknown,
): Value | undefined {
  try {
    return what();
  } catch (error) {
    report(error instanceof UnreadableError ? error.message : "it cannot be read");
    return undefined;
  }
}
