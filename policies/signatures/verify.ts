import { verify } from "node:crypto";
import { z } from "zod";
import {
  fromBase64,
  parseDocument,
  signedBytes,
  type Envelope,
  type Signature,
} from "../contract/envelope.ts";
import { UnreadableError } from "../contract/json.ts";
import { predicates, type Predicate } from "../contract/predicates.ts";
import {
  evidenceMetaSchema,
  parseStatement,
  type EvidenceMeta,
  type Statement,
} from "../contract/statement.ts";
import type { Person } from "./allowed-signers.ts";
import { verifyBundle } from "./bundle.ts";
import { namespaceOf, waiverNamespace } from "./roles.ts";
import { fingerprintOf } from "./ssh-key.ts";
import { isSshSignature, readSshSignature, sshSignedBytes } from "./sshsig.ts";
import type { IdentitySigner, KeySigner, Trust } from "./trust.ts";
import { UntrustedError } from "./untrusted.ts";

/** Who signed a document. */
export type Signer =
  | {
      /** Signed with a key of its own, or with a sigstore certificate. */
      readonly kind: "key" | "identity";
      /** Its name in trust/signers.yaml. */
      readonly name: string;
    }
  | {
      /** Signed with an SSH key. */
      readonly kind: "person";
      /** The principal: release-manager@example.com */
      readonly name: string;
      /** The key, `SHA256:...`. People are counted by it: one person may have several principals. */
      readonly fingerprint: string;
    };

/** A document that is signed by those who may sign it. Its age, subject and requirement are judged elsewhere. */
export type Verified = { readonly statement: Statement; readonly signers: readonly Signer[] } & (
  | { readonly claims: "evidence"; readonly meta: EvidenceMeta }
  | { readonly claims: "approval"; readonly predicate: Predicate<"approval"> }
  | { readonly claims: "waiver"; readonly predicate: Predicate<"waiver"> }
);

/** A signature that fits a trusted key; what it counts for is still open. */
type Proof = KeySigner | IdentitySigner | PersonalSignature;

interface PersonalSignature {
  readonly kind: "person";
  /** The key's fingerprint. */
  readonly name: string;
  /** The lines that list the key. */
  readonly lines: readonly Person[];
  /** What it was made for. */
  readonly namespace: string;
}

/**
 * Verifies an envelope or a sigstore bundle for what its statement claims to be: first every signature, then whether
 * its signers may sign this, as https://github.com/in-toto/attestation/blob/main/docs/validation.md orders it.
 *
 * @param now milliseconds since 1970; a person's key must be valid then
 * @throws UnreadableError when it is no document; UntrustedError when not everyone who signed it may
 */
export function verifyDocument(text: string, trust: Trust, now: number): Verified {
  const { envelope, bundle } = parseDocument(text);
  if (bundle === undefined) {
    const proofs = verifyEnvelope(envelope, trust);
    return authorise(parseStatement(envelope), proofs, now);
  }
  const { payload, signer } = verifyBundle(bundle, trust);
  return authorise(parseStatement({ ...envelope, payload }), [signer], now);
}

function verifyEnvelope({ payloadType, payload, signatures }: Envelope, trust: Trust): Proof[] {
  const signed = signedBytes(payloadType, fromBase64(payload));
  const proofs = signatures.map((signature, index) => {
    try {
      return verifySignature(signature, signed, trust);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      throw new UntrustedError(`signature ${index + 1} of ${signatures.length}: ${error.message}`);
    }
  });
  if (new Set(proofs.map(({ kind, name }) => `${kind} ${name}`)).size < proofs.length) {
    throw new UntrustedError("one key signed it twice");
  }
  return proofs;
}

/** The signature's `keyid` is not asked: it is not signed. */
function verifySignature({ sig }: Signature, signed: Buffer, trust: Trust): Proof {
  const bytes = fromBase64(sig);
  if (!isSshSignature(bytes)) {
    const signer = trust.keys.find(({ publicKey }) => {
      const hash = publicKey.asymmetricKeyType === "ed25519" ? null : "sha256";
      return verify(hash, signed, publicKey, bytes);
    });
    if (signer !== undefined) return signer;
    throw new UntrustedError(
      "it fits no key of trust/signers.yaml and this payload; it was altered, or its signer is not trusted",
    );
  }
  const { key, namespace, hash, signature } = readSshSignature(bytes);
  const lines = trust.people.filter((person) => person.key.blob.equals(key));
  const [first] = lines;
  if (first === undefined) {
    throw new UntrustedError(
      `trust/allowed_signers does not list its key, ${fingerprintOf(key)}; it must be added there first`,
    );
  }
  if (!first.key.verify(sshSignedBytes({ namespace, hash }, signed), signature)) {
    throw new UntrustedError(
      `it does not fit its key, ${first.key.fingerprint}, and this payload; it was altered`,
    );
  }
  return { kind: "person", name: first.key.fingerprint, lines, namespace };
}

/** Judges whether those who signed a statement may sign it. */
function authorise(statement: Statement, proofs: readonly Proof[], now: number): Verified {
  const { approval, waiver } = predicates;
  if (statement.predicateType === approval.type) {
    const predicate = read(approval.schema, statement, "approval");
    const namespace = namespaceOf(predicate.role);
    if (namespace === waiverNamespace) {
      throw new UntrustedError("it is an approval in the role waiver, which is for waivers only");
    }
    const signers = [personWho(proofs, { ...predicate, namespace, now })];
    return { claims: "approval", statement, predicate, signers };
  }
  if (statement.predicateType === waiver.type) {
    const predicate = read(waiver.schema, statement, "waiver");
    const namespace = waiverNamespace;
    const signers = [personWho(proofs, { ...predicate, namespace, now })];
    return { claims: "waiver", statement, predicate, signers };
  }
  const { cutover: meta } = read(evidenceSchema, statement, "evidence");
  const signers = proofs.map((proof) => machineWho(proof, meta.evidence));
  return { claims: "evidence", statement, meta, signers };
}

/** Evidence of any predicate, as far as it must be known to tell who may sign it. */
const evidenceSchema = z.looseObject({ cutover: evidenceMetaSchema });

function read<Schema extends z.ZodType>(
  schema: Schema,
  { predicate }: Statement,
  claim: string,
): z.infer<Schema> {
  const result = schema.safeParse(predicate);
  if (result.success) return result.data;
  const path = ["predicate", ...(result.error.issues[0]?.path ?? [])].map(String);
  throw new UnreadableError(`it is no ${claim}, see ${path.join(".")}`);
}

function machineWho(proof: Proof, evidence: string): Signer {
  if (proof.kind === "person") {
    throw new UntrustedError(
      `it is signed by a person's key, ${proof.name}; evidence is signed by a signer of trust/signers.yaml`,
    );
  }
  const { kind, name, evidence: may } = proof;
  if (may === "*" || may.includes(evidence)) return { kind, name };
  throw new UntrustedError(
    `signer ${name} may not sign evidence ${evidence}; trust/signers.yaml lets it sign ${may.join(", ")}`,
  );
}

interface Claim {
  /** The principal that the predicate names. */
  readonly approver: string;
  readonly namespace: string;
  readonly now: number;
}

/** The one person who signed it; each step says why the lines that are left do not suffice. */
function personWho(proofs: readonly Proof[], { approver, namespace, now }: Claim): Signer {
  const [proof] = proofs;
  if (proof === undefined || proofs.length > 1) {
    throw new UntrustedError(`it has ${proofs.length} signatures; required is one, by one person`);
  }
  if (proof.kind !== "person") {
    throw new UntrustedError(
      `it is signed by ${proof.name} of trust/signers.yaml; a person signs approvals and waivers`,
    );
  }
  if (proof.namespace !== namespace) {
    throw new UntrustedError(
      `it was signed for another purpose; the namespace is <role>@cutover for an approval, ${waiverNamespace} for a waiver`,
    );
  }
  const key = `key ${proof.name}`;
  const own = proof.lines.filter(({ principals }) => principals.includes(approver));
  if (own.length === 0) {
    const names = proof.lines[0]?.principals.join(", ") ?? "nobody";
    throw new UntrustedError(`it names another approver than ${names}, whose ${key} is`);
  }
  const permitted = own.filter(({ namespaces }) => namespaces.includes(namespace));
  if (permitted.length === 0) {
    const roles = own.flatMap(({ namespaces }) => namespaces).join(", ");
    throw new UntrustedError(`its signer does not have its role; ${key} is for ${roles}`);
  }
  const valid = permitted.some(
    ({ validAfter = -Infinity, validBefore = Infinity }) => validAfter <= now && now <= validBefore,
  );
  if (!valid) {
    const lines = permitted.map(({ line }) => line).join(", ");
    throw new UntrustedError(
      `${key} is not valid now; see valid-after and valid-before in trust/allowed_signers:${lines}`,
    );
  }
  return { kind: "person", name: approver, fingerprint: proof.name };
}
