import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTrust, TrustError } from "../../../policies/signatures/trust.ts";
import { makeSigstore } from "./sigstore.ts";
import {
  ed25519,
  makeFolder,
  makeSshKey,
  p256,
  pem,
  releaseManager,
  writeFiles,
  writeTrust,
} from "./support.ts";

const key = pem(ed25519().publicKey);
const person = `${releaseManager} namespaces="waiver@cutover" ${makeSshKey("ed25519").line}\n`;
const { trustedRoot } = await makeSigstore();
const issuer = "https://token.actions.githubusercontent.com";
const subject = "https://github.com/OWNER/REPO/.github/workflows/release.yml@refs/heads/main";
const identity = `{ issuer: "${issuer}", subject: "${subject}" }`;

function signers(...entries: readonly string[]): string {
  return ["signers:", ...entries.map((entry) => `  - ${entry}`), ""].join("\n");
}

/** What is wrong with a folder, by line. */
function problems(folder: string): string[] {
  try {
    readTrust(folder);
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    return error.message.split("\n");
  }
  return [];
}

/** What is wrong with a signers.yaml beside good files. */
function problemsOf(yaml: string, files: Readonly<Record<string, string>> = {}): string[] {
  const beside = { "keys/ci.pem": key, "root.json": trustedRoot, ...files };
  return problems(writeTrust({ ...beside, "signers.yaml": yaml }));
}

const ci = "{ name: ci, publicKey: keys/ci.pem, evidence: [unit-tests] }";

describe("readTrust", () => {
  test("trusts nobody in a fresh project", () => {
    const folder = join(import.meta.dirname, "../../../policies/trust");
    expect(readTrust(folder)).toEqual({ keys: [], identities: [], people: [] });
  });

  test("reads keys, identities and people", () => {
    const workflow = `{ name: workflow, identity: ${identity}, trustedRoot: root.json, evidence: "*" }`;
    const other = `{ name: other, identity: ${identity.replace("main", "next")}, trustedRoot: root.json, evidence: ["*"] }`;
    const scanner =
      "{ name: scanner, publicKey: p256.pem, trustedRoot: root.json, evidence: [scan] }";
    const trust = readTrust(
      writeTrust({
        allowed_signers: person,
        "keys/ci.pem": key,
        "p256.pem": pem(p256().publicKey),
        "root.json": trustedRoot,
        "signers.yaml": signers(ci, workflow, scanner, other.replace('["*"]', '"*"')),
      }),
    );
    expect(trust.keys).toMatchObject([
      { kind: "key", name: "ci", evidence: ["unit-tests"], trustedRoot: undefined },
      { kind: "key", name: "scanner", evidence: ["scan"] },
    ]);
    expect(trust.identities).toMatchObject([
      { kind: "identity", name: "workflow", evidence: "*", issuer, subject },
      { name: "other" },
    ]);
    expect(trust.identities[1]?.trustedRoot).toBe(trust.identities[0]?.trustedRoot);
    expect(trust.people).toMatchObject([{ principals: [releaseManager] }]);
  });

  test("lists everything that is wrong at once", () => {
    const folder = writeTrust({
      allowed_signers: `# people\n${person.replace("waiver@", "waiver@@")}nobody\n`,
      "signers.yaml": signers("{ name: CI, publicKey: ../ci.pem }", ci),
    });
    expect(problems(folder)).toEqual([
      "trust/allowed_signers:2: a namespace is not <role>@cutover with a role in kebab case",
      "trust/allowed_signers:3: it is no line of names, options and key",
      "trust/signers.yaml:2: signers.0.name: a name in kebab case is required",
      "trust/signers.yaml:2: signers.0.publicKey: the path of a file in policies/trust is required, such as keys/ci.pem",
      `trust/signers.yaml:2: signers.0.evidence: a list of names of evidence is required, or "*"`,
    ]);
    expect(
      problemsOf(signers(ci, ci.replace("ci.pem", "other.pem"), ci.replaceAll("ci", "gone"))),
    ).toEqual([
      "trust/signers.yaml:3: signer ci: another signer has this name",
      "trust/signers.yaml:3: signer ci: keys/other.pem: there is no such file",
      "trust/signers.yaml:4: signer gone: keys/gone.pem: there is no such file",
    ]);
  });

  test.each([
    ["no list", "signers: ci", "trust/signers.yaml:1: signers: "],
    ["nothing", "", "trust/signers.yaml:1: "],
    ["another document", "[]", "trust/signers.yaml:1: "],
    ["a key beside the list", "more: 1\nsigners: []", "trust/signers.yaml:1: "],
    ["a key named __proto__", "__proto__: 1\nsigners: []", "trust/signers.yaml:1: "],
    ["broken YAML", "signers: [\n", "trust/signers.yaml:2: it is no plain YAML (BAD_INDENT"],
    [
      "a key twice",
      "signers: []\nsigners: []",
      "trust/signers.yaml:2: it is no plain YAML (DUPLICATE_KEY",
    ],
    [
      "two documents",
      "signers: []\n---\nsigners: []",
      "trust/signers.yaml:2: it is no plain YAML (MULTIPLE_DOCS",
    ],
    ["a tag", "signers: !run []", "trust/signers.yaml:1: it is no plain YAML (TAG_RESOLVE"],
    ["an alias", "signers: &a []\nmore: *a", "trust/signers.yaml: it cannot be read"],
    [
      "evidence that is no list",
      signers(ci.replace("[unit-tests]", "unit-tests")),
      `trust/signers.yaml:2: signers.0.evidence: a list of names of evidence is required, or "*"`,
    ],
    [
      "a typo in an entry",
      signers(ci.replace("}", ", evidense: [] }")),
      "trust/signers.yaml:2: signers.0",
    ],
    [
      "no evidence",
      signers(ci.replace("[unit-tests]", "[]")),
      "trust/signers.yaml:2: signers.0.evidence: a name of evidence is required",
    ],
    [
      "a pattern of evidence",
      signers(ci.replace("unit-tests", '"unit-*"')),
      "trust/signers.yaml:2: signers.0.evidence.0: a name in kebab case is required",
    ],
    [
      "neither key nor identity",
      signers("{ name: ci, evidence: [a] }"),
      "trust/signers.yaml:2: signers.0: either publicKey or identity",
    ],
    [
      "both key and identity",
      signers(
        `{ name: ci, publicKey: keys/ci.pem, identity: ${identity}, trustedRoot: root.json, evidence: [a] }`,
      ),
      "trust/signers.yaml:2: signers.0: either publicKey or identity",
    ],
    [
      "an identity without a root",
      signers(`{ name: ci, identity: ${identity}, evidence: [a] }`),
      "trust/signers.yaml:2: signers.0: an identity requires trustedRoot",
    ],
    [
      "a pattern as subject",
      signers(
        `{ name: ci, identity: ${identity.replace("main", "*")}, trustedRoot: root.json, evidence: [a] }`,
      ),
      "trust/signers.yaml:2: signers.0.identity.subject: an exact value is required, without *",
    ],
    [
      "an absolute path",
      signers(ci.replace("keys/", "/etc/")),
      "trust/signers.yaml:2: signers.0.publicKey: the path",
    ],
    [
      "a path that leaves",
      signers(ci.replace("keys/", "keys/../../")),
      "trust/signers.yaml:2: signers.0.publicKey: the path",
    ],
    [
      "a folder",
      signers(ci.replace("keys/ci.pem", "keys")),
      "trust/signers.yaml:2: signer ci: keys: it is no plain file",
    ],
    [
      "a trusted root that is missing",
      signers(ci.replace("evidence", "trustedRoot: gone.json, evidence")),
      "trust/signers.yaml:2: signer ci: gone.json: there is no such file",
    ],
  ])("refuses a signers.yaml with %s", (_, yaml, start) => {
    const found = problemsOf(yaml);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(start);
  });

  test("refuses lists within lists without end", () => {
    const found = problemsOf(`signers: ${"[".repeat(10_000)}`);
    expect(found[0]).toMatch(/^trust\/signers.yaml:1: it is no plain YAML/);
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const privateKey = ed25519().privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  test.each([
    ["a private key", privateKey, "it holds a private key; remove it, and make a new key"],
    ["a private key after a public one", key + privateKey, "it holds a private key"],
    ["an RSA key", pem(rsa.publicKey), "it is no public key in PEM, Ed25519 or ECDSA P-256"],
    ["a key over P-384", pem(p384.publicKey), "it is no public key in PEM"],
    ["two keys", key + pem(ed25519().publicKey), "it is no public key in PEM"],
    ["half a key", key.slice(0, -30), "it is no public key in PEM"],
    ["a key without content", key.replace(/\n.+\n/, "\nAAAA\n"), "it is no public key in PEM"],
    ["nothing", "", "it is no public key in PEM"],
  ])("refuses a file of a key with %s", (_, content, reason) => {
    const found = problemsOf(signers(ci), { "keys/ci.pem": content });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`trust/signers.yaml:2: signer ci: keys/ci.pem: ${reason}`);
  });

  test("refuses a key and an identity of two signers", () => {
    const one = `{ name: one, identity: ${identity}, trustedRoot: root.json, evidence: "*" }`;
    expect(
      problemsOf(
        signers(ci, ci.replace("name: ci", "name: again"), one, one.replace("one", "two")),
      ),
    ).toEqual([
      "trust/signers.yaml:3: signer again: another signer has this key",
      "trust/signers.yaml:5: signer two: another signer has this identity",
    ]);
  });

  test.each([
    ["no JSON", "{", "it is no JSON, on line 1"],
    ["a key twice", '{"tlogs":[],"tlogs":[]}', "it has a key twice, on line 1"],
    ["another media type", trustedRoot.replace("trustedroot", "other"), "see mediaType"],
    ["no log", trustedRoot.replace(/"tlogs":\[.*?\}\}?\],/, '"tlogs":[],'), "see tlogs"],
    [
      "a broken certificate",
      trustedRoot.replace(
        /"certificates":\[\{"rawBytes":"..../,
        '"certificates":[{"rawBytes":"AAAA',
      ),
      "see certificateAuthorities.0.certChain.certificates.0.rawBytes",
    ],
  ])("refuses a trusted root with %s", (_, content, reason) => {
    const yaml = signers(ci.replace("evidence", "trustedRoot: root.json, evidence"));
    const found = problemsOf(yaml, { "root.json": content });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^trust\/signers.yaml:2: signer ci: root.json: it /);
    expect(found[0]).toContain(reason);
  });

  test("follows links within the folder only", () => {
    const outside = writeFiles(makeFolder(), { "ci.pem": key, "signers.yaml": "signers: []\n" });
    const folder = writeTrust({
      "real.pem": key,
      "signers.yaml": signers(ci.replace("keys/", "")),
    });
    symlinkSync("real.pem", join(folder, "ci.pem"));
    expect(problems(folder)).toEqual([]);

    const file = writeTrust({ "signers.yaml": signers(ci) });
    symlinkSync(outside, join(file, "keys"));
    expect(problems(file)).toEqual([
      "trust/signers.yaml:2: signer ci: keys/ci.pem: it is a link that leads out of policies/trust",
    ]);

    const whole = writeFiles(makeFolder(), { allowed_signers: "" });
    symlinkSync(join(outside, "signers.yaml"), join(whole, "signers.yaml"));
    expect(problems(whole)).toEqual([
      "trust/signers.yaml: it is a link that leads out of policies/trust",
    ]);
  });

  test("does not take a folder beside it for itself", () => {
    const folder = writeTrust({ "signers.yaml": signers(ci) });
    writeFiles(`${folder}-more`, { "ci.pem": key });
    symlinkSync(`${folder}-more`, join(folder, "keys"));
    expect(problems(folder)).toHaveLength(1);
  });

  test("lists as many problems as a file may have lines", () => {
    const folder = writeTrust({ allowed_signers: "x\n".repeat(200_000) });
    expect(problems(folder)).toHaveLength(200_000);
  });

  test("reads no pipe", () => {
    const folder = writeFiles(makeFolder(), { "signers.yaml": "signers: []\n" });
    execFileSync("mkfifo", [join(folder, "allowed_signers")]);
    expect(problems(folder)).toEqual(["trust/allowed_signers: it is no plain file"]);
  });

  test("refuses what is missing, huge or no UTF-8", () => {
    expect(problems(join(makeFolder(), "gone"))).toEqual([
      "trust/allowed_signers: there is no such file",
      "trust/signers.yaml: there is no such file",
    ]);
    const folder = writeTrust({});
    truncateSync(join(folder, "allowed_signers"), 1024 * 1024 + 1);
    writeFileSync(join(folder, "signers.yaml"), Buffer.from([0xff]));
    expect(problems(folder)).toEqual([
      expect.stringMatching(/^trust\/allowed_signers: it is larger than 1/),
      "trust/signers.yaml: it is no valid UTF-8",
    ]);
  });
});
