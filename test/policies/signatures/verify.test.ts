import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { payloadType } from "../../../policies/contract/envelope.ts";
import { predicates } from "../../../policies/contract/predicates.ts";
import { readTrust } from "../../../policies/signatures/trust.ts";
import { verifyDocument } from "../../../policies/signatures/verify.ts";
import {
  approvalStatement,
  bytesOf,
  developer,
  ed25519,
  envelope,
  evidenceStatement,
  keySigns,
  makeSshKey,
  now,
  p256,
  pem,
  personSigns,
  refusal,
  releaseManager,
  role,
  sshSign,
  waiverStatement,
  writeTrust,
} from "./support.ts";

const namespace = `${role}@cutover`;
const waiving = "waiver@cutover";

const ciKeys = ed25519();
const scannerKeys = ed25519();
const nistKeys = p256();
const ci = keySigns(ciKeys.privateKey);
const scanner = keySigns(scannerKeys.privateKey);
const nist = keySigns(nistKeys.privateKey);
const unknown = keySigns(ed25519().privateKey);

const managerKey = makeSshKey("ed25519");
const developerKey = makeSshKey("ecdsa");
const strangerKey = makeSshKey("ed25519");
const expiredKey = makeSshKey("ed25519");

const trust = readTrust(
  writeTrust({
    allowed_signers: [
      `${releaseManager} namespaces="${namespace},${waiving}" ${managerKey.line}`,
      `${developer},developer namespaces="qa-lead@cutover" ${developerKey.line}`,
      `${releaseManager} namespaces="${namespace}",valid-before="20261121Z" ${expiredKey.line}`,
      "",
    ].join("\n"),
    "ci.pem": pem(ciKeys.publicKey),
    "scanner.pem": pem(scannerKeys.publicKey),
    "nist.pem": pem(nistKeys.publicKey),
    "signers.yaml": `signers:
  - { name: ci, publicKey: ci.pem, evidence: [unit-tests, load-test] }
  - { name: scanner, publicKey: scanner.pem, evidence: [image-scan] }
  - { name: nist, publicKey: nist.pem, evidence: "*" }
`,
  }),
);
const nobody = readTrust(writeTrust({}));

const manager = personSigns(managerKey, namespace);
const waiver = personSigns(managerKey, waiving);
const approved = envelope(approvalStatement(), manager);
const proven = envelope(evidenceStatement(), ci);

interface Parts {
  payloadType: string;
  payload: string;
  signatures: { keyid?: string; sig: string }[];
}

function changed(text: string, change: (parts: Parts) => void): string {
  const parts = JSON.parse(text) as Parts;
  change(parts);
  return JSON.stringify(parts);
}

function reasonOf(text: string): string {
  return refusal(text, trust);
}

describe("accepts", () => {
  test("evidence by a signer who may sign it", () => {
    const verified = verifyDocument(proven, trust, now);
    expect(verified).toMatchObject({
      claims: "evidence",
      meta: { evidence: "unit-tests" },
      statement: evidenceStatement(),
      signers: [{ kind: "key", name: "ci" }],
    });
  });

  test("any evidence by a signer who may sign all", () => {
    for (const evidence of ["unit-tests", "image-scan"]) {
      const { signers } = verifyDocument(envelope(evidenceStatement(evidence), nist), trust, now);
      expect(signers).toEqual([{ kind: "key", name: "nist" }]);
    }
  });

  test("evidence by two signers who both may", () => {
    const { signers } = verifyDocument(envelope(evidenceStatement(), ci, nist), trust, now);
    expect(signers.map(({ name }) => name)).toEqual(["ci", "nist"]);
  });

  test("an approval by a person in the role", () => {
    expect(verifyDocument(approved, trust, now)).toEqual({
      claims: "approval",
      statement: approvalStatement(),
      predicate: (approvalStatement() as { predicate: unknown }).predicate,
      signers: [
        {
          kind: "person",
          name: releaseManager,
          fingerprint: expect.stringMatching(/^SHA256:[\w+/]{43}$/),
        },
      ],
    });
  });

  test("an approval under another name of the same person, and the same key", () => {
    const fingerprints = [developer, "developer"].map((approver) => {
      const statement = approvalStatement({ role: "qa-lead", approver });
      const text = envelope(statement, personSigns(developerKey, "qa-lead@cutover"));
      return verifyDocument(text, trust, now).signers;
    });
    expect(fingerprints.flat()).toMatchObject([{ name: developer }, { name: "developer" }]);
    expect(fingerprints[0]).not.toEqual(fingerprints[1]);
    const [one, other] = fingerprints.flat();
    expect(
      one?.kind === "person" && other?.kind === "person" && one.fingerprint === other.fingerprint,
    ).toBe(true);
  });

  test("a waiver by a person who may waive", () => {
    expect(verifyDocument(envelope(waiverStatement(), waiver), trust, now)).toMatchObject({
      claims: "waiver",
      predicate: { gate: "orders/load-tested" },
      signers: [{ kind: "person", name: releaseManager }],
    });
  });

  test("whatever a keyid says", () => {
    for (const keyid of ["scanner", "", "SHA256:none", "__proto__"]) {
      const text = changed(proven, ({ signatures }) => {
        for (const signature of signatures) signature.keyid = keyid;
      });
      expect(verifyDocument(text, trust, now).signers).toEqual([{ kind: "key", name: "ci" }]);
    }
  });

  test("URL-safe base64", () => {
    const text = changed(proven, (parts) => {
      parts.payload = Buffer.from(parts.payload, "base64").toString("base64url");
      for (const one of parts.signatures)
        one.sig = Buffer.from(one.sig, "base64").toString("base64url");
    });
    expect(verifyDocument(text, trust, now).claims).toBe("evidence");
  });

  test("evidence in an envelope without loading sigstore", () => {
    const module = join(import.meta.dirname, "../../../policies/signatures/verify.ts");
    const script = `
      import { createRequire } from "node:module";
      import { verifyDocument } from ${JSON.stringify(module)};
      try { verifyDocument(process.argv[1], { keys: [], identities: [], people: [] }, 0); }
      catch (error) { console.log(error.constructor.name); }
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(loaded.filter((path) => path.includes("sigstore")).length > 0);
    `;
    const run = (text: string): string =>
      execFileSync(process.execPath, ["--input-type=module", "-e", script, text], {
        encoding: "utf8",
      });
    expect(run(proven)).toBe("UntrustedError\nfalse\n");
    const parts = JSON.parse(proven) as Parts;
    const mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
    const bundle = { mediaType, verificationMaterial: {}, dsseEnvelope: parts };
    expect(run(JSON.stringify(bundle))).toBe("UntrustedError\ntrue\n");
  });

  test("predicate types of others as evidence", () => {
    const statement = { ...evidenceStatement(), predicateType: "https://example.com/v1" };
    expect(verifyDocument(envelope(statement, ci), trust, now).claims).toBe("evidence");
  });
});

const notListed =
  /trust\/allowed_signers does not list its key, SHA256:[\w+/]{43}; it must be added/;
const fitsNoKey = /it fits no key of trust\/signers.yaml and this payload; it was altered, or/;

describe("refuses a signature", () => {
  test.each([
    ["by an unknown key", envelope(evidenceStatement(), unknown), fitsNoKey],
    ["by an unknown person", envelope(approvalStatement(), personSigns(strangerKey)), notListed],
    ["that is empty", envelope(evidenceStatement(), () => Buffer.alloc(0)), fitsNoKey],
    [
      "that is cut short",
      envelope(evidenceStatement(), (bytes) => ci(bytes).subarray(0, 63)),
      fitsNoKey,
    ],
    [
      "that goes on",
      envelope(evidenceStatement(), (bytes) => Buffer.concat([ci(bytes), Buffer.alloc(1)])),
      fitsNoKey,
    ],
    [
      "over the payload alone",
      envelope(evidenceStatement(), () => ci(Buffer.from(JSON.stringify(evidenceStatement())))),
      fitsNoKey,
    ],
    [
      "over another statement",
      envelope(evidenceStatement("load-test"), () => ci(bytesOf(evidenceStatement()))),
      fitsNoKey,
    ],
    [
      "of a person over another statement",
      envelope(approvalStatement({ phase: "prepare" }), () =>
        manager(bytesOf(approvalStatement())),
      ),
      /it does not fit its key, SHA256:[\w+/]{43}, and this payload; it was altered/,
    ],
    [
      "beside a good one",
      envelope(evidenceStatement(), ci, unknown),
      /^UntrustedError: signature 2 of 2: it fits no key/,
    ],
    [
      "before a good one",
      envelope(evidenceStatement(), unknown, ci),
      /^UntrustedError: signature 1 of 2: it fits no key/,
    ],
    [
      "of an unknown person beside a good one",
      envelope(approvalStatement(), manager, personSigns(strangerKey)),
      /^UntrustedError: signature 2 of 2: trust\/allowed_signers does not list/,
    ],
    ["twice", envelope(evidenceStatement(), ci, ci), /one key signed it twice/],
    [
      "twice by ECDSA, which signs differently each time",
      envelope(evidenceStatement(), nist, ci, nist),
      /one key signed it twice/,
    ],
    [
      "twice by a person",
      envelope(approvalStatement(), manager, waiver),
      /one key signed it twice/,
    ],
  ])("%s", (_, text, reason) => {
    expect(reasonOf(text)).toMatch(/^UntrustedError: /);
    expect(reasonOf(text)).toMatch(reason);
  });

  test("of everyone when nobody is trusted", () => {
    expect(refusal(proven, nobody)).toMatch(fitsNoKey);
    expect(refusal(approved, nobody)).toMatch(notListed);
  });

  test("before it looks at the statement", () => {
    expect(reasonOf(envelope({ nonsense: 1 }, unknown))).toMatch(fitsNoKey);
    expect(reasonOf(envelope({ nonsense: 1 }, ci))).toMatch(
      /^UnreadableError: it holds no in-toto/,
    );
  });
});

describe("refuses a signer", () => {
  const shortWaiver = waiverStatement({ reason: "short" });
  test.each([
    [
      "of other evidence",
      envelope(evidenceStatement("image-scan"), ci),
      "signer ci may not sign evidence image-scan; trust/signers.yaml lets it sign unit-tests, load-test",
    ],
    [
      "of other evidence beside one who may",
      envelope(evidenceStatement(), ci, scanner),
      "signer scanner may not sign evidence unit-tests; trust/signers.yaml lets it sign image-scan",
    ],
    [
      "who is a person, of evidence",
      envelope(evidenceStatement(), manager),
      "it is signed by a person's key, SHA256:",
    ],
    [
      "who is a person beside one who may",
      envelope(evidenceStatement(), ci, manager),
      "it is signed by a person's key, SHA256:",
    ],
    [
      "who is no person, of an approval",
      envelope(approvalStatement(), nist),
      "it is signed by nist of trust/signers.yaml; a person signs approvals and waivers",
    ],
    [
      "who is no person, of a waiver",
      envelope(waiverStatement(), nist),
      "it is signed by nist of trust/signers.yaml; a person signs approvals and waivers",
    ],
    [
      "of an approval for another person",
      envelope(approvalStatement({ approver: developer }), manager),
      `it names another approver than ${releaseManager}, whose key SHA256:`,
    ],
    [
      "of an approval for a name that begins alike",
      envelope(approvalStatement({ approver: `${releaseManager}.org` }), manager),
      `it names another approver than ${releaseManager}, whose key SHA256:`,
    ],
    [
      "of an approval for a pattern",
      envelope(approvalStatement({ approver: "*" }), manager),
      `it names another approver than ${releaseManager}, whose key SHA256:`,
    ],
    [
      "without the role",
      envelope(
        approvalStatement({ role: "security" }),
        personSigns(managerKey, "security@cutover"),
      ),
      "its signer does not have its role; key SHA256:",
    ],
    [
      "with another role than the approval's",
      envelope(approvalStatement({ role: "qa-lead" }), manager),
      "it was signed for another purpose; the namespace is <role>@cutover for an approval",
    ],
    [
      "who signed a file",
      envelope(approvalStatement(), personSigns(managerKey, "file")),
      "it was signed for another purpose",
    ],
    [
      "of an approval as a waiver is signed",
      envelope(approvalStatement(), waiver),
      "it was signed for another purpose",
    ],
    [
      "of an approval in the role waiver",
      envelope(approvalStatement({ role: "waiver" }), waiver),
      "it is an approval in the role waiver, which is for waivers only",
    ],
    [
      "of a waiver in a role",
      envelope(waiverStatement(), manager),
      "it was signed for another purpose; the namespace is <role>@cutover for an approval, waiver@cutover for a waiver",
    ],
    [
      "of a waiver who may not waive",
      envelope(waiverStatement({ approver: developer }), personSigns(developerKey, waiving)),
      "its signer does not have its role; key SHA256:",
    ],
    [
      "of a waiver for another person",
      envelope(waiverStatement({ approver: developer }), waiver),
      `it names another approver than ${releaseManager}`,
    ],
    [
      "beside another, of an approval",
      envelope(approvalStatement(), manager, personSigns(developerKey, namespace)),
      "it has 2 signatures; required is one, by one person",
    ],
    [
      "beside a machine, of an approval",
      envelope(approvalStatement(), manager, ci),
      "it has 2 signatures; required is one, by one person",
    ],
    [
      "beside another, of a waiver",
      envelope(waiverStatement(), waiver, personSigns(developerKey, waiving)),
      "it has 2 signatures; required is one, by one person",
    ],
    [
      "whose key has expired",
      envelope(approvalStatement(), personSigns(expiredKey)),
      "is not valid now; see valid-after and valid-before in trust/allowed_signers:3",
    ],
    [
      "of a waiver without a reason",
      envelope(shortWaiver, waiver),
      "it is no waiver, see predicate.reason",
    ],
    [
      "of an approval with more than is known",
      envelope(approvalStatement({ more: 1 }), manager),
      "it is no approval, see predicate",
    ],
    [
      "of an approval without a role",
      envelope(approvalStatement({ role: undefined }), manager),
      "it is no approval, see predicate.role",
    ],
    [
      "of evidence that has no name",
      envelope({ ...evidenceStatement(), predicate: {} }, nist),
      "it is no evidence, see predicate.cutover",
    ],
    [
      "of evidence with a strange name",
      envelope(evidenceStatement("*"), nist),
      "it is no evidence, see predicate.cutover.evidence",
    ],
    [
      "of an approval that calls itself evidence",
      envelope({ ...approvalStatement(), predicateType: predicates.tests.type }, manager),
      "it is no evidence, see predicate.cutover",
    ],
  ])("%s", (_, text, reason) => {
    expect(reasonOf(text)).toContain(reason);
  });

  test("whose key expired a moment ago, and not the moment before", () => {
    const text = envelope(approvalStatement(), personSigns(expiredKey));
    const end = Date.parse("2026-11-21T00:00:00Z");
    expect(verifyDocument(text, trust, end).claims).toBe("approval");
    expect(refusal(text, trust, end + 1)).toMatch(/is not valid now/);
    expect(refusal(text, trust, Number.NaN)).toMatch(/is not valid now/);
  });
});

describe("refuses a document", () => {
  test.each([
    ["that is no JSON", "{"],
    ["that is nothing", ""],
    ["of another payload type", changed(proven, (parts) => (parts.payloadType = "text/plain"))],
    ["without signatures", changed(proven, (parts) => (parts.signatures = []))],
    [
      "with too many signatures",
      changed(
        proven,
        (parts) => (parts.signatures = Array.from({ length: 9 }, () => ({ sig: "" }))),
      ),
    ],
    ["with an unknown key", proven.replace("{", '{"more":1,')],
    ["with a key twice", proven.replace("{", `{"payloadType":"${payloadType}",`)],
    ["with a key __proto__", proven.replace("{", '{"__proto__":{},')],
    [
      "with a signature that is no base64",
      changed(proven, (parts) => (parts.signatures = [{ sig: "!" }])),
    ],
    ["that is huge", `${proven}${" ".repeat(16 * 1024 * 1024)}`],
    ["that nests without end", "[".repeat(100_000)],
    ["that is a list", `[${proven}]`],
  ])("%s", (_, text) => {
    expect(reasonOf(text)).toMatch(/^UnreadableError: /);
  });

  test.each([
    ["with a key twice", '{"_type":"a","_type":"b"}'],
    ["with a key __proto__", '{"__proto__":{}}'],
    ["that is no JSON", "payload"],
    ["that nests without end", "[".repeat(100_000)],
    ["that is no UTF-8", Buffer.from([0xff, 0xfe])],
  ])("whose signed payload is one %s", (_, payload) => {
    const bytes = Buffer.from(payload);
    const signed = Buffer.concat([
      Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} `),
      bytes,
    ]);
    const signatures = [{ sig: ci(signed).toString("base64") }];
    const text = JSON.stringify({ payloadType, payload: bytes.toString("base64"), signatures });
    expect(reasonOf(text)).toMatch(/^UnreadableError: /);
  });

  property.prop([fc.constantFrom(proven, approved), fc.nat(), fc.integer({ min: 1, max: 255 })])(
    "of whose payload any byte is altered",
    (text, position, change) => {
      const found = reasonOf(
        changed(text, (parts) => {
          const bytes = Buffer.from(parts.payload, "base64");
          const index = position % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ change;
          parts.payload = bytes.toString("base64");
        }),
      );
      expect(found).toMatch(/^UntrustedError: /);
    },
  );

  property.prop([fc.constantFrom(proven, approved), fc.nat()])(
    "that is cut short",
    (text, position) => {
      expect(reasonOf(text.slice(0, position % text.length))).toMatch(/^UnreadableError: /);
    },
  );

  const base64 = fc.base64String();
  const strange = fc.record({
    payloadType: fc.constantFrom(payloadType, "text/plain"),
    payload: fc.oneof(
      base64,
      fc.json().map((json) => Buffer.from(json).toString("base64")),
    ),
    signatures: fc.array(
      fc.record(
        { keyid: fc.string(), sig: fc.oneof(base64, fc.string()) },
        { requiredKeys: ["sig"] },
      ),
      { maxLength: 3 },
    ),
  });
  const bundle = fc.record({
    mediaType: fc.constantFrom(
      "application/vnd.dev.sigstore.bundle.v0.3+json",
      "application/vnd.dev.sigstore.bundle+json;version=0.1",
    ),
    verificationMaterial: fc.oneof(
      fc.dictionary(fc.constantFrom("certificate", "publicKey", "tlogEntries"), fc.jsonValue()),
      fc.record({ certificate: fc.record({ rawBytes: base64 }), tlogEntries: fc.constant([]) }),
      fc.record({ publicKey: fc.record({ hint: fc.string() }), tlogEntries: fc.constant([{}]) }),
    ),
    dsseEnvelope: strange,
  });
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    strange.map((value) => JSON.stringify(value)),
    bundle.map((value) => JSON.stringify(value)),
  );
  property.prop([text], { numRuns: 500 })("whatever it is, with its named error", (found) => {
    expect(refusal(found, trust)).toMatch(/^(?:UnreadableError|UntrustedError): /);
  });

  test("and quotes neither the payload nor a signature", () => {
    const secret = "correct horse battery staple";
    const signature = sshSign(
      strangerKey,
      namespace,
      bytesOf(approvalStatement({ stack: secret })),
    );
    const found = [
      envelope(approvalStatement({ stack: secret }), () => signature),
      envelope(approvalStatement({ approver: secret }), manager),
      envelope(approvalStatement({ role: secret }), manager),
      envelope(waiverStatement({ expires: secret }), waiver),
      envelope(
        { ...evidenceStatement(), predicateType: secret, predicate: { cutover: secret } },
        ci,
      ),
      envelope({ [secret]: secret }, ci),
      envelope(evidenceStatement(secret), ci),
      JSON.stringify({ payloadType: secret, payload: secret, signatures: secret }),
    ].map(reasonOf);
    for (const reason of found) {
      expect(reason).not.toContain(secret);
      expect(reason).not.toContain(signature.toString("base64").slice(0, 40));
      expect(reason).not.toContain(strangerKey.line.split(" ")[1]);
    }
  });
});
