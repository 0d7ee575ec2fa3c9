import { createRequire } from "node:module";
import type * as SigstoreBundle from "@sigstore/bundle";
import type * as SigstoreVerify from "@sigstore/verify";
import type { IdentitySigner, KeySigner, Trust } from "./trust.ts";
import type { TrustedRoot } from "./trusted-root.ts";
import { UntrustedError } from "./untrusted.ts";

/**
 * How long the JSON of what a bundle holds beside its envelope may be: a bundle of the public sigstore has 10,000
 * characters there, and the library takes seconds for millions.
 */
const maxMaterial = 64 * 1024;

type Entity = ReturnType<typeof SigstoreVerify.toSignedEntity>;
type FindKey = Extract<
  Parameters<typeof SigstoreVerify.toTrustMaterial>[1],
  (hint: string) => unknown
>;

/** The payload of a verified bundle, and who signed it. */
export interface VerifiedBundle {
  /** Base64. */
  readonly payload: string;
  readonly signer: KeySigner | IdentitySigner;
}

/** What the library's error codes mean for a bundle. */
const meanings: ReadonlyMap<unknown, string> = new Map([
  [
    "CERTIFICATE_ERROR",
    "no authority or certificate log of the trusted root vouches for its certificate",
  ],
  [
    "TIMESTAMP_ERROR",
    "no log or timestamp authority of the trusted root vouches for its time, or one does twice",
  ],
  ["TLOG_ERROR", "it has no entry in a transparency log, or one twice"],
  ["TLOG_BODY_ERROR", "its entry in the transparency log is about something else"],
  ["TLOG_INCLUSION_PROOF_ERROR", "no transparency log of the trusted root has its entry"],
  ["TLOG_INCLUSION_PROMISE_ERROR", "no transparency log of the trusted root has its entry"],
  ["TLOG_MISSING_INCLUSION_ERROR", "nothing shows that a transparency log has its entry"],
  ["SIGNATURE_ERROR", "its signature does not fit its payload"],
]);

/**
 * Verifies a parsed sigstore bundle, offline.
 *
 * @throws UntrustedError
 */
export function verifyBundle(value: unknown, trust: Trust): VerifiedBundle {
  const { verificationMaterial: material } = value as { verificationMaterial: object };
  if (JSON.stringify(material).length > maxMaterial) {
    throw new UntrustedError(`its verificationMaterial is larger than ${maxMaterial / 1024} KiB`);
  }
  const sigstore = loadSigstore();
  const bundle = read(() => sigstore.bundleFromJSON(value));
  const { content, verificationMaterial } = bundle;
  if (content.$case !== "dsseEnvelope") {
    throw new UntrustedError("its bundle holds something beside the envelope");
  }
  for (const { inclusionProof } of verificationMaterial.tlogEntries) {
    checkLogNames(inclusionProof?.checkpoint?.envelope ?? "");
  }
  const entity = read(() => sigstore.toSignedEntity(bundle));
  const signer =
    entity.key.$case === "certificate"
      ? identityOf(sigstore, entity, trust.identities)
      : keyOf(sigstore, entity, trust.keys);
  return { payload: content.dsseEnvelope.payload.toString("base64"), signer };
}

/** Finds whose certificate it is, and verifies all that vouches for it. */
function identityOf(
  sigstore: Sigstore,
  entity: Entity,
  signers: readonly IdentitySigner[],
): IdentitySigner {
  const reasons = new Set<string>();
  for (const root of new Set(signers.map(({ trustedRoot }) => trustedRoot))) {
    try {
      // The library's defaults: one log entry, one certificate timestamp, one time of signing, at least.
      const { identity } = new sigstore.Verifier(sigstore.trustMaterial(root)).verify(entity);
      const signer = signers.find(
        ({ trustedRoot, issuer, subject }) =>
          trustedRoot === root &&
          issuer === identity?.extensions?.issuer &&
          subject === identity.subjectAlternativeName,
      );
      if (signer !== undefined) return signer;
      reasons.add("its certificate is issued to an identity that trust/signers.yaml does not name");
    } catch (error) {
      reasons.add(meaningOf(error));
    }
  }
  if (reasons.size === 0) reasons.add("trust/signers.yaml names no identity");
  throw new UntrustedError([...reasons].join("; "));
}

/** Finds whose key it is, and verifies what else the bundle holds; a key needs no log. A hint is not asked: it is not signed. */
function keyOf(sigstore: Sigstore, entity: Entity, signers: readonly KeySigner[]): KeySigner {
  const signer = signers.find(({ publicKey }) => entity.signature.verifySignature(publicKey));
  if (signer === undefined) {
    throw new UntrustedError("its signature fits no key of trust/signers.yaml and its payload");
  }
  const { publicKey, trustedRoot = {} } = signer;
  try {
    const material = sigstore.trustMaterial(trustedRoot, () => ({
      publicKey,
      validFor: () => true,
    }));
    new sigstore.Verifier(material, { tlogThreshold: 0, timestampThreshold: 0 }).verify(entity);
  } catch (error) {
    const remedy =
      signer.trustedRoot === undefined ? `; signer ${signer.name} has no trustedRoot` : "";
    throw new UntrustedError(`${meaningOf(error)}${remedy}`);
  }
  return signer;
}

/**
 * Refuses a log's signed note whose signers' names are not plain: the library searches by them as patterns, which one
 * could make endless.
 */
function checkLogNames(note: string): void {
  for (const [, name = ""] of note.matchAll(/\u2014 (\S+)/g)) {
    if (!/^[\w./:-]{1,256}$/.test(name)) {
      throw new UntrustedError("its entry in the transparency log names no log");
    }
  }
}

interface Sigstore
  extends
    Pick<typeof SigstoreBundle, "bundleFromJSON">,
    Pick<typeof SigstoreVerify, "toSignedEntity" | "Verifier"> {
  trustMaterial(
    root: Partial<TrustedRoot>,
    findKey?: FindKey,
  ): ReturnType<typeof SigstoreVerify.toTrustMaterial>;
}

/** Loads the libraries, 40 ms that a release without bundles need not wait. */
function loadSigstore(): Sigstore {
  const load = createRequire(import.meta.url);
  const { bundleFromJSON } = load("@sigstore/bundle") as typeof SigstoreBundle;
  const { toSignedEntity, toTrustMaterial, Verifier } = load(
    "@sigstore/verify",
  ) as typeof SigstoreVerify;
  // The very copy that @sigstore/verify itself works with.
  const { TrustedRoot: Root } = createRequire(load.resolve("@sigstore/verify"))(
    "@sigstore/protobuf-specs",
  ) as { TrustedRoot: { fromJSON(value: unknown): Parameters<typeof toTrustMaterial>[0] } };
  return {
    bundleFromJSON,
    toSignedEntity,
    Verifier,
    trustMaterial: (root, findKey) => toTrustMaterial(Root.fromJSON(root), findKey),
  };
}

function read<Value>(what: () => Value): Value {
  try {
    return what();
  } catch {
    // The library's own message may quote what it read.
    throw new UntrustedError("its sigstore bundle cannot be read");
  }
}

function meaningOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return meanings.get(code) ?? "its certificate or log entry cannot be read";
}
