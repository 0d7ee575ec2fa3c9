import { createHash, sign, type KeyObject } from "node:crypto";
import { initializeCA, initializeCTLog, initializeTLog, initializeTSA } from "@sigstore/mock";
import { payloadType } from "../../../policies/contract/envelope.ts";
import { bytesOf, p256 } from "./support.ts";

/** The identity of a workflow, as its certificate says it. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** A sigstore bundle as its JSON says it, as far as tests change it. */
export interface Bundle {
  mediaType: string;
  verificationMaterial: {
    certificate?: { rawBytes: string };
    publicKey?: { hint: string };
    tlogEntries: LogEntry[];
    timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  dsseEnvelope: { payloadType: string; payload: string; signatures: { sig: string }[] };
}

/** An entry of a transparency log, as far as tests change it. */
export interface LogEntry {
  logIndex: string;
  logId: { keyId: string };
  kindVersion: { kind: string; version: string };
  integratedTime?: string;
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof: {
    logIndex: string;
    rootHash: string;
    treeSize: string;
    hashes: string[];
    checkpoint: { envelope: string };
  };
  canonicalizedBody: string;
}

/** A whole sigstore of its own: authority, logs, timestamps. */
export interface Sigstore {
  /** Its trusted root, JSON. */
  readonly trustedRoot: string;
  /** Signs a statement with a certificate, as a workflow does. */
  sign(statement: object, identity: Identity): Promise<Bundle>;
  /** Adds the timestamp of an authority. */
  timestamp(bundle: Bundle): Promise<void>;
  /** Signs a statement with a key, logged or not. */
  signWithKey(statement: object, key: KeyObject, logged?: boolean): Promise<Bundle>;
}

const issuerOid = "1.3.6.1.4.1.57264.1.8";
const start = { start: "2020-01-01T00:00:00Z" };

/**
 * @param options `issuedAt` stands still the clock of its authority; with `unlogged` no certificate log knows of its
 *   certificates
 */
export async function makeSigstore(
  options: { readonly issuedAt?: Date; readonly unlogged?: boolean } = {},
): Promise<Sigstore> {
  const { issuedAt, unlogged = false } = options;
  const url = "https://rekor.example.com";
  const ctLog = await initializeCTLog(p256());
  const ca = await initializeCA(p256(), unlogged ? undefined : ctLog, issuedAt);
  const tlog = await initializeTLog(url, p256());
  // A whole second, as real authorities say it: the library reads no part of one with fewer than three digits. Ahead
  // of now, so that it falls within the ten minutes of every certificate that is still to be issued.
  const stampedAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 5 * 60_000);
  const tsa = await initializeTSA(p256(), stampedAt);

  const authority = (...chain: readonly ArrayBufferView[]): object => ({
    subject: { organization: "example.com", commonName: "test" },
    uri: "https://fulcio.example.com",
    certChain: { certificates: chain.map((one) => ({ rawBytes: base64(one) })) },
    validFor: start,
  });
  const log = (baseUrl: string, publicKey: Buffer): object => ({
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: {
      rawBytes: base64(publicKey),
      keyDetails: "PKIX_ECDSA_P256_SHA_256",
      validFor: start,
    },
    logId: { keyId: createHash("sha256").update(publicKey).digest("base64") },
  });

  const issue = async (key: KeyObject, { issuer, subject }: Identity): Promise<string> =>
    base64(
      await ca.issueCertificate({
        publicKey: key.export({ type: "spki", format: "der" }),
        subjectAltName: subject,
        extensions: [{ oid: issuerOid, value: issuer }],
      }),
    );
  const logged = async (statement: object, signature: Buffer): Promise<LogEntry> => {
    const payload = JSON.stringify(statement);
    const spec = {
      payloadHash: {
        algorithm: "sha256",
        value: createHash("sha256").update(payload).digest("hex"),
      },
      signatures: [{ signature: base64(signature) }],
    };
    const made = (await tlog.log({ apiVersion: "0.0.1", kind: "dsse", spec })) as Readonly<
      Record<string, RekorEntry>
    >;
    const [entry] = Object.values(made);
    if (entry === undefined) throw new Error("the log made no entry");
    const { body, integratedTime, logID, logIndex, verification } = entry;
    const { inclusionProof, signedEntryTimestamp } = verification;
    return {
      logIndex: String(logIndex),
      logId: { keyId: Buffer.from(logID, "hex").toString("base64") },
      kindVersion: { kind: "dsse", version: "0.0.1" },
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp },
      inclusionProof: {
        logIndex: String(inclusionProof.logIndex),
        rootHash: Buffer.from(inclusionProof.rootHash, "hex").toString("base64"),
        treeSize: String(inclusionProof.treeSize),
        hashes: inclusionProof.hashes,
        checkpoint: { envelope: inclusionProof.checkpoint },
      },
      canonicalizedBody: body,
    };
  };
  const bundle = (
    statement: object,
    signature: Buffer,
    material: Bundle["verificationMaterial"],
  ): Bundle => ({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: material,
    dsseEnvelope: {
      payloadType,
      payload: base64(Buffer.from(JSON.stringify(statement))),
      signatures: [{ sig: base64(signature) }],
    },
  });

  return {
    trustedRoot: JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [log(url, tlog.publicKey)],
      certificateAuthorities: [authority(ca.rootCertificate)],
      ctlogs: [log("https://ctfe.example.com", ctLog.publicKey)],
      timestampAuthorities: [authority(tsa.intCertificate, tsa.rootCertificate)],
    }),
    sign: async (statement, identity) => {
      const { publicKey, privateKey } = p256();
      const rawBytes = await issue(publicKey, identity);
      const signature = sign("sha256", bytesOf(statement), privateKey);
      const tlogEntries = [await logged(statement, signature)];
      return bundle(statement, signature, { certificate: { rawBytes }, tlogEntries });
    },
    timestamp: async (made) => {
      const signature = Buffer.from(made.dsseEnvelope.signatures[0]?.sig ?? "", "base64");
      const timestamp = await tsa.timestamp({
        artifactHash: createHash("sha256").update(signature).digest(),
        hashAlgorithmOID: "2.16.840.1.101.3.4.2.1",
        nonce: 1,
        policyOID: "1.3.6.1.4.1.57264.2",
      });
      made.verificationMaterial.timestampVerificationData = {
        rfc3161Timestamps: [{ signedTimestamp: base64(timestamp) }],
      };
    },
    signWithKey: async (statement, key, isLogged = false) => {
      const ed25519 = key.asymmetricKeyType === "ed25519";
      const signature = sign(ed25519 ? null : "sha256", bytesOf(statement), key);
      const tlogEntries = isLogged ? [await logged(statement, signature)] : [];
      return bundle(statement, signature, { publicKey: { hint: "any" }, tlogEntries });
    },
  };
}

/** Rekor's answer, as the mock gives it. */
interface RekorEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly inclusionProof: {
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
      readonly hashes: string[];
      readonly checkpoint: string;
    };
    readonly signedEntryTimestamp: string;
  };
}

function base64(bytes: ArrayBufferView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
