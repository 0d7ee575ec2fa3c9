import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { readTrust, type Trust } from "../../../policies/signatures/trust.ts";
import { verifyDocument } from "../../../policies/signatures/verify.ts";
import { makeSigstore, type Bundle, type LogEntry } from "./sigstore.ts";
import {
  approvalStatement,
  developer,
  ed25519,
  evidenceStatement,
  now,
  p256,
  pem,
  refusal,
  releaseManager,
  writeTrust,
} from "./support.ts";

const workflow = {
  issuer: "https://token.actions.githubusercontent.com",
  subject: "https://github.com/OWNER/REPO/.github/workflows/release.yml@refs/heads/main",
};
const sigstore = await makeSigstore();
const elsewhere = await makeSigstore();
const edwards = ed25519();
const nist = p256();
const logged = p256();

function trusting(trustedRoot: string): Trust {
  return readTrust(
    writeTrust({
      "root.json": trustedRoot,
      "ed25519.pem": pem(edwards.publicKey),
      "p256.pem": pem(nist.publicKey),
      "logged.pem": pem(logged.publicKey),
      "signers.yaml": `signers:
  - { name: edwards, publicKey: ed25519.pem, evidence: "*" }
  - { name: nist, publicKey: p256.pem, evidence: [unit-tests] }
  - { name: logged, publicKey: logged.pem, trustedRoot: root.json, evidence: "*" }
  - name: workflow
    identity: { issuer: "${workflow.issuer}", subject: "${workflow.subject}" }
    trustedRoot: root.json
    evidence: [unit-tests]
`,
    }),
  );
}

const trust = trusting(sigstore.trustedRoot);
const nobody = readTrust(writeTrust({}));

const statement = evidenceStatement();
const bundle = await sigstore.sign(statement, workflow);
const otherBundle = await sigstore.sign(evidenceStatement("image-scan"), workflow);

function signersOf(made: Bundle, time = now): readonly object[] {
  return verifyDocument(JSON.stringify(made), trust, time).signers;
}

function reasonOf(made: object): string {
  return refusal(JSON.stringify(made), trust);
}

/** A copy of a bundle with a change. */
function changed(made: Bundle, change: (copy: Bundle) => void): Bundle {
  const copy = structuredClone(made);
  change(copy);
  return copy;
}

function entryOf(made: Bundle): LogEntry {
  const [entry] = made.verificationMaterial.tlogEntries;
  if (entry === undefined) throw new Error("the bundle has no log entry");
  return entry;
}

/** Another first byte of what is in base64. */
function altered(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes.toString("base64");
}

/** A bundle of Rekor 2: its log says no time, a timestamp authority does. */
async function timestamped(): Promise<Bundle> {
  const made = await sigstore.sign(statement, workflow);
  await sigstore.timestamp(made);
  delete entryOf(made).integratedTime;
  delete entryOf(made).inclusionPromise;
  return made;
}

describe("accepts a bundle", () => {
  test("by a certificate of a trusted identity", () => {
    expect(signersOf(bundle)).toEqual([{ kind: "identity", name: "workflow" }]);
  });

  test("long after its certificate has expired", () => {
    expect(signersOf(bundle, now + 10 * 365 * 86_400_000)).toHaveLength(1);
  });

  test("whose time a timestamp authority says", async () => {
    expect(signersOf(await timestamped())).toEqual([{ kind: "identity", name: "workflow" }]);
  });

  test.each([
    ["edwards", edwards, false],
    ["nist", nist, false],
    ["logged", logged, false],
    ["logged", logged, true],
  ])("by the key of signer %s", async (name, { privateKey }, isLogged) => {
    const made = await sigstore.signWithKey(statement, privateKey, isLogged);
    expect(signersOf(made)).toEqual([{ kind: "key", name }]);
  });
});

describe("refuses a bundle", () => {
  test.each([
    ["another subject", { ...workflow, subject: workflow.subject.replace("main", "next") }],
    ["a subject that goes on", { ...workflow, subject: `${workflow.subject}2` }],
    [
      "a subject that begins earlier",
      { ...workflow, subject: `https://example.com/${workflow.subject}` },
    ],
    [
      "a subject that fits as a pattern",
      { ...workflow, subject: workflow.subject.replace("github.com", "githubxcom") },
    ],
    ["a subject in capitals", { ...workflow, subject: workflow.subject.replace("OWNER", "owner") }],
    ["another issuer", { ...workflow, issuer: "https://accounts.example.com" }],
    ["an issuer that goes on", { ...workflow, issuer: `${workflow.issuer}/` }],
  ])("of %s", async (_, identity) => {
    const made = await sigstore.sign(statement, identity);
    expect(reasonOf(made)).toBe(
      "UntrustedError: its certificate is issued to an identity that trust/signers.yaml does not name",
    );
  });

  test("of another sigstore", async () => {
    const made = await elsewhere.sign(statement, workflow);
    expect(reasonOf(made)).toBe(
      "UntrustedError: no authority or certificate log of the trusted root vouches for its certificate",
    );
  });

  test.each([
    ["expired before it was logged", { issuedAt: new Date(Date.now() - 3_600_000) }],
    ["is issued after it was logged", { issuedAt: new Date(Date.now() + 3_600_000) }],
    ["is in no certificate log", { unlogged: true }],
  ])("whose certificate %s", async (_, options) => {
    const other = await makeSigstore(options);
    const made = await other.sign(statement, workflow);
    expect(refusal(JSON.stringify(made), trusting(other.trustedRoot))).toBe(
      "UntrustedError: no authority or certificate log of the trusted root vouches for its certificate",
    );
  });

  test("when no identity is trusted", () => {
    expect(refusal(JSON.stringify(bundle), nobody)).toBe(
      "UntrustedError: trust/signers.yaml names no identity",
    );
  });

  test.each<readonly [string, (copy: Bundle) => void, RegExp]>([
    [
      "with another payload",
      (copy) => {
        copy.dsseEnvelope.payload = Buffer.from(
          JSON.stringify(evidenceStatement("image-scan")),
        ).toString("base64");
      },
      /its entry in the transparency log is about something else/,
    ],
    [
      "with another signature",
      (copy) => {
        copy.dsseEnvelope.signatures = [
          { sig: altered(copy.dsseEnvelope.signatures[0]?.sig ?? "") },
        ];
      },
      /its entry in the transparency log is about something else/,
    ],
    [
      "without a log entry",
      (copy) => {
        copy.verificationMaterial.tlogEntries = [];
      },
      /no log or timestamp authority of the trusted root vouches for its time/,
    ],
    [
      "without a time",
      (copy) => {
        delete entryOf(copy).inclusionPromise;
      },
      /no log or timestamp authority of the trusted root vouches for its time/,
    ],
    [
      "with another time",
      (copy) => {
        entryOf(copy).integratedTime = String(Number(entryOf(copy).integratedTime) + 1);
      },
      /no transparency log of the trusted root has its entry/,
    ],
    [
      "with the entry of another document",
      (copy) => {
        entryOf(copy).canonicalizedBody = entryOf(otherBundle).canonicalizedBody;
      },
      /no transparency log of the trusted root has its entry/,
    ],
    [
      "with a whole entry of another document",
      (copy) => {
        copy.verificationMaterial.tlogEntries = otherBundle.verificationMaterial.tlogEntries;
      },
      /its entry in the transparency log is about something else/,
    ],
    [
      "with an altered promise",
      (copy) => {
        const signedEntryTimestamp = altered(
          entryOf(copy).inclusionPromise?.signedEntryTimestamp ?? "",
        );
        entryOf(copy).inclusionPromise = { signedEntryTimestamp };
      },
      /no transparency log of the trusted root has its entry/,
    ],
    [
      "with an altered checkpoint",
      (copy) => {
        const { checkpoint } = entryOf(copy).inclusionProof;
        checkpoint.envelope = checkpoint.envelope.replace("\n1\n", "\n2\n");
      },
      /no transparency log of the trusted root has its entry/,
    ],
    [
      "with the certificate of another document",
      (copy) => {
        copy.verificationMaterial.certificate = otherBundle.verificationMaterial.certificate ?? {
          rawBytes: "",
        };
      },
      /its signature does not fit its payload/,
    ],
    [
      "with two signatures",
      (copy) => {
        copy.dsseEnvelope.signatures.push(...copy.dsseEnvelope.signatures);
      },
      /its sigstore bundle cannot be read/,
    ],
    [
      "with a log's name that is an endless pattern",
      (copy) => {
        const { checkpoint } = entryOf(copy).inclusionProof;
        checkpoint.envelope = checkpoint.envelope.replace(/\u2014 \S+/, "\u2014 (([^!]+)+)+!");
      },
      /its entry in the transparency log names no log/,
    ],
    [
      "with an entry twice",
      (copy) => {
        copy.verificationMaterial.tlogEntries.push(entryOf(copy));
      },
      /vouches for its time, or one does twice/,
    ],
    [
      "with more beside its envelope than any",
      (copy) => {
        entryOf(copy).inclusionProof.hashes = ["A".repeat(64 * 1024)];
      },
      /its verificationMaterial is larger than 64 KiB/,
    ],
    [
      "with the key of nobody",
      (copy) => {
        delete copy.verificationMaterial.certificate;
        copy.verificationMaterial.publicKey = { hint: "edwards" };
      },
      /its signature fits no key of trust\/signers.yaml/,
    ],
    [
      "without a key",
      (copy) => {
        delete copy.verificationMaterial.certificate;
      },
      /its sigstore bundle cannot be read/,
    ],
    [
      "with a certificate that is none",
      (copy) => {
        copy.verificationMaterial.certificate = { rawBytes: "MIIB" };
      },
      /its sigstore bundle cannot be read/,
    ],
    [
      "of another media type",
      (copy) => {
        copy.mediaType = "application/vnd.dev.sigstore.bundle";
      },
      /its sigstore bundle cannot be read/,
    ],
    [
      "of another payload type",
      (copy) => {
        copy.dsseEnvelope.payloadType = "text/plain";
      },
      /it is no sigstore bundle, see dsseEnvelope.payloadType/,
    ],
    [
      "without an envelope",
      (copy) => {
        Object.assign(copy, { dsseEnvelope: undefined });
      },
      /it is no sigstore bundle, see dsseEnvelope/,
    ],
    [
      "that signs something else as well",
      (copy) => {
        const messageDigest = { algorithm: "SHA2_256", digest: "AAAA" };
        Object.assign(copy, { messageSignature: { messageDigest, signature: "AAAA" } });
      },
      /its bundle holds something beside the envelope/,
    ],
  ])("%s", (_, change, reason) => {
    expect(reasonOf(changed(bundle, change))).toMatch(reason);
  });

  test.each<readonly [string, (copy: Bundle) => void, RegExp]>([
    [
      "an altered timestamp",
      (copy) => {
        const [stamp] =
          copy.verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
        const bytes = Buffer.from(stamp?.signedTimestamp ?? "", "base64");
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        if (stamp !== undefined) stamp.signedTimestamp = bytes.toString("base64");
      },
      /vouches for its time/,
    ],
    [
      "a timestamp that is none",
      (copy) => {
        copy.verificationMaterial.timestampVerificationData = {
          rfc3161Timestamps: [{ signedTimestamp: "AAAA" }],
        };
      },
      /its sigstore bundle cannot be read/,
    ],
    [
      "a timestamp and no log entry",
      (copy) => {
        copy.verificationMaterial.tlogEntries = [];
      },
      /it has no entry in a transparency log/,
    ],
  ])("with %s", async (_, change, reason) => {
    expect(reasonOf(changed(await timestamped(), change))).toMatch(reason);
  });

  test("by a key that signed something else", async () => {
    const made = await sigstore.signWithKey(statement, edwards.privateKey);
    const other = await sigstore.signWithKey(evidenceStatement("image-scan"), edwards.privateKey);
    made.dsseEnvelope.payload = other.dsseEnvelope.payload;
    expect(reasonOf(made)).toBe(
      "UntrustedError: its signature fits no key of trust/signers.yaml and its payload",
    );
  });

  test("by a key, logged, when there is no root to verify the log with", async () => {
    const made = await sigstore.signWithKey(statement, edwards.privateKey, true);
    expect(reasonOf(made)).toBe(
      "UntrustedError: no transparency log of the trusted root has its entry; signer edwards has no trustedRoot",
    );
  });

  test("by a key, logged elsewhere", async () => {
    const made = await elsewhere.signWithKey(statement, logged.privateKey, true);
    expect(reasonOf(made)).toBe(
      "UntrustedError: no transparency log of the trusted root has its entry",
    );
  });

  test("of evidence that its signer may not sign", async () => {
    const scan = evidenceStatement("image-scan");
    const reason = /may not sign evidence image-scan; trust\/signers.yaml lets it sign unit-tests$/;
    expect(reasonOf(await sigstore.sign(scan, workflow))).toMatch(reason);
    expect(reasonOf(await sigstore.signWithKey(scan, nist.privateKey))).toMatch(reason);
  });

  test("of an approval", async () => {
    for (const approver of [releaseManager, developer, "workflow"]) {
      const made = await sigstore.sign(approvalStatement({ approver }), workflow);
      expect(reasonOf(made)).toBe(
        "UntrustedError: it is signed by workflow of trust/signers.yaml; a person signs approvals and waivers",
      );
    }
  });

  const paths = pathsOf(bundle);

  property.prop([
    fc.constantFrom(...paths),
    fc.oneof(
      fc.constant(undefined),
      fc.jsonValue(),
      fc.base64String(),
      fc.string().map((text) => `\u2014 ${text} ${text}\n`),
    ),
  ])("that is changed anywhere, or it is still the same document", (path, value) => {
    const copy = structuredClone(bundle) as unknown;
    replaceAt(copy, path, value);
    const text = JSON.stringify(copy);
    try {
      expect(verifyDocument(text, trust, now).statement).toEqual(statement);
    } catch {
      expect(refusal(text, trust)).toMatch(/^(?:UntrustedError|UnreadableError): /);
    }
  });
});

/** Every place in a JSON value. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, entry]) => pathsOf(entry, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function replaceAt(value: unknown, path: readonly string[], replacement: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce<Record<string, unknown>>(
      (at, key) => at[key] as Record<string, unknown>,
      value as Record<string, unknown>,
    );
  const last = path.at(-1);
  if (last !== undefined) parent[last] = replacement;
}
