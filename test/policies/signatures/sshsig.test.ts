import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { UnreadableError } from "../../../policies/contract/json.ts";
import { readSshKey } from "../../../policies/signatures/ssh-key.ts";
import { readSshSignature } from "../../../policies/signatures/sshsig.ts";
import { readTrust, type Trust } from "../../../policies/signatures/trust.ts";
import { verifyDocument } from "../../../policies/signatures/verify.ts";
import {
  approvalStatement,
  bytesOf,
  developer,
  envelope,
  makeAuthenticator,
  makeSshKey,
  mpint,
  now,
  refusal,
  releaseManager,
  role,
  sshSign,
  sshSignature,
  sshVerify,
  type SshKeyFile,
  wire,
  writeTrust,
} from "./support.ts";

const namespace = `${role}@cutover`;
const statement = approvalStatement();
const message = bytesOf(statement);

const ed25519 = makeSshKey("ed25519");
const stranger = makeSshKey("ed25519");
const ecdsa = makeSshKey("ecdsa", "-b", "256");
const rsa = makeSshKey("rsa", "-b", "2048", "-m", "PEM");
const authenticator = makeAuthenticator("ed25519");
const signature = sshSign(ed25519, namespace, message);

function listed(line: string, options = `namespaces="${namespace}"`): string {
  return `${releaseManager} ${options} ${line}\n`;
}

function trusting(allowedSigners: string): Trust {
  return readTrust(writeTrust({ allowed_signers: allowedSigners }));
}

/** Whether both accept a signature of the approval. */
function accepted(
  allowedSigners: string,
  made: Buffer,
  at = now,
): { ours: boolean; theirs: boolean } {
  const text = envelope(statement, () => made);
  const trust = trusting(allowedSigners);
  let ours = true;
  try {
    verifyDocument(text, trust, at);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    ours = false;
  }
  return { ours, theirs: sshVerify(allowedSigners, made, message, { at }) };
}

const both = { ours: true, theirs: true };
const neither = { ours: false, theirs: false };

/** A signature with a value of SSH's wire format that is chosen freely. */
function withValue(key: SshKeyFile, ...value: readonly (Buffer | string)[]): Buffer {
  const [algorithm = "", ...rest] = value;
  const whole = Buffer.concat([wire(algorithm), ...rest.map((one) => Buffer.from(one))]);
  return sshSignature({ key: key.blob, namespace, hash: "sha512", signature: whole });
}

/** An RSA signature whose algorithm is chosen freely. */
function rsaSignature(algorithm: string, hash: string): Buffer {
  const key = createPrivateKey(readFileSync(rsa.file));
  const digest = createHash("sha512").update(message).digest();
  const inner = Buffer.concat([
    Buffer.from("SSHSIG"),
    ...[namespace, "", "sha512", digest].map(wire),
  ]);
  const value = Buffer.concat([wire(algorithm), wire(sign(hash, inner, key))]);
  return sshSignature({ key: rsa.blob, namespace, hash: "sha512", signature: value });
}

describe("agrees with ssh-keygen", () => {
  test.each([
    ["ed25519", []],
    ["ecdsa", ["-b", "256"]],
    ["ecdsa", ["-b", "384"]],
    ["ecdsa", ["-b", "521"]],
    ["rsa", ["-b", "2048"]],
    ["rsa", ["-b", "3072"]],
  ])("on a key of type %s %j", (type, args) => {
    const key = makeSshKey(type, ...args);
    for (const hash of ["sha256", "sha512"]) {
      const made = sshSign(key, namespace, message, "-O", `hashalg=${hash}`);
      expect(accepted(listed(key.line), made)).toEqual(both);
      expect(accepted(listed(stranger.line), made)).toEqual(neither);
    }
  });

  test.each(["ed25519", "nistp256"] as const)("on an authenticator's key over %s", (curve) => {
    const key = makeAuthenticator(curve);
    expect(accepted(listed(key.line), key.sign(namespace, message))).toEqual(both);
    expect(accepted(listed(key.line), key.sign(namespace, Buffer.from("other")))).toEqual(neither);
    expect(accepted(listed(authenticator.line), key.sign(namespace, message))).toEqual(neither);
  });

  test.each([
    ["rsa-sha2-256", "sha256", both],
    ["rsa-sha2-512", "sha512", both],
    ["rsa-sha2-512", "sha256", neither],
    ["ssh-rsa", "sha1", neither],
    ["ssh-ed25519", "sha512", neither],
  ])("on an RSA signature %s with %s", (algorithm, hash, expected) => {
    expect(accepted(listed(rsa.line), rsaSignature(algorithm, hash))).toEqual(expected);
  });

  test.each([
    ["of another role", () => sshSign(ed25519, "qa-lead@cutover", message)],
    ["of no role", () => sshSign(ed25519, "file", message)],
    [
      "of another statement",
      () => sshSign(ed25519, namespace, bytesOf(approvalStatement({ phase: "prepare" }))),
    ],
    [
      "of the payload alone",
      () => sshSign(ed25519, namespace, Buffer.from(JSON.stringify(statement))),
    ],
    [
      "with the key of another",
      () =>
        Buffer.from(
          signature
            .toString("latin1")
            .replace(ed25519.blob.toString("latin1"), stranger.blob.toString("latin1")),
          "latin1",
        ),
    ],
  ])("on a signature %s", (_, make) => {
    expect(
      accepted(
        listed(ed25519.line) + listed(stranger.line).replace(releaseManager, developer),
        make(),
      ),
    ).toEqual(neither);
  });

  test.each([
    ["a key without the role", listed(ed25519.line, 'namespaces="qa-lead@cutover"'), neither],
    [
      "a key with several roles",
      listed(ed25519.line, `namespaces="qa-lead@cutover,${namespace}"`),
      both,
    ],
    ["another's key", listed(ed25519.line).replace(releaseManager, developer), neither],
    ["the second name of a person", `${developer},${listed(ed25519.line)}`, both],
    [
      "a role on the second line of a key",
      listed(ed25519.line, 'namespaces="qa-lead@cutover"') + listed(ed25519.line),
      both,
    ],
    ["a name in quotes", listed(ed25519.line).replace(releaseManager, `"${releaseManager}"`), both],
    [
      "options in capitals",
      listed(ed25519.line, `NameSpaces="${namespace}",VALID-BEFORE="20991231Z"`),
      both,
    ],
    [
      "tabs and spaces",
      `\t ${releaseManager}\t\tnamespaces="${namespace}" \t ${ed25519.line}  a comment "here\n`,
      both,
    ],
    ["lines that end as on Windows", `# people\r\n\r\n${listed(ed25519.line).trim()}\r\n`, both],
    ["a last line without an end", listed(ed25519.line).trim(), both],
    ["a comment", `# ${listed(ed25519.line)}`, neither],
    ["an indented comment", ` \t# ${listed(ed25519.line)}`, neither],
    ["an empty file", "", neither],
  ])("on %s", (_, allowedSigners, expected) => {
    expect(accepted(allowedSigners, signature)).toEqual(expected);
  });

  const noon = Date.parse("2026-11-21T12:00:00Z");
  test.each([
    ["valid-before", "20261121120000Z", noon, both],
    ["valid-before", "20261121120000Z", noon + 1000, neither],
    ["valid-before", "202611211200Z", noon, both],
    ["valid-before", "202611211200Z", noon + 1000, neither],
    ["valid-before", "20261121Z", noon, neither],
    ["valid-before", "20261122Z", noon, both],
    ["valid-after", "20261121120000Z", noon, both],
    ["valid-after", "20261121120000Z", noon - 1000, neither],
    ["valid-after", "20261121Z", noon, both],
    ["valid-after", "20261122Z", noon, neither],
  ])('on %s="%s" at %i', (option, time, at, expected) => {
    const line = listed(ed25519.line, `namespaces="${namespace}",${option}="${time}"`);
    expect(accepted(line, signature, at)).toEqual(expected);
  });

  test("on times of this machine's zone", () => {
    const zone = process.env["TZ"];
    try {
      // 9 hours before UTC, the whole year.
      process.env["TZ"] = "Asia/Tokyo";
      const line = listed(ed25519.line, `namespaces="${namespace}",valid-before="202611212100"`);
      expect(accepted(line, signature, noon)).toEqual(both);
      expect(accepted(line, signature, noon + 1000)).toEqual(neither);
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  property.prop(
    [
      fc.shuffledSubarray(['valid-after="20250101Z"', 'valid-before="203001312359Z"']),
      fc.subarray(["qa-lead@cutover", "waiver@cutover", namespace]),
      fc.constantFrom(releaseManager, developer, `${developer},${releaseManager}`),
      fc.constantFrom(" ", "\t", "  ", " \t "),
      fc.constantFrom("", " a comment", " ", "\r"),
    ],
    { numRuns: 25 },
  )("on any line of allowed signers", (options, namespaces, names, space, end) => {
    fc.pre(namespaces.length > 0);
    const all = [`namespaces="${namespaces.join(",")}"`, ...options].join(",");
    const line = `${names}${space}${all}${space}${ed25519.line}${end}\n`;
    const may = names.includes(releaseManager) && namespaces.includes(namespace);
    expect(accepted(line, signature)).toEqual(may ? both : neither);
  });
});

describe("refuses an SSH signature", () => {
  const trust = trusting(
    [ed25519, ecdsa, rsa, authenticator].map(({ line }) => listed(line)).join(""),
  );
  const value = wire("ssh-ed25519");
  const one = mpint(Buffer.from([1]));
  const parts = { key: ed25519.blob, namespace, hash: "sha512", signature: value };

  test.each([
    ["without a touch", authenticator.sign(namespace, message, 0), /without a touch/],
    [
      "that was only verified by the user, without a touch",
      authenticator.sign(namespace, message, 4),
      /without a touch/,
    ],
    ["with SHA-1", rsaSignature("ssh-rsa", "sha1"), /rsa-sha2-256 or rsa-sha2-512/],
    ["of another version", sshSignature({ ...parts, version: 2 }), /no SSH signature of version 1/],
    ["with a reserved field", sshSignature({ ...parts, reserved: "x" }), /reserved field/],
    ["with another hash", sshSignature({ ...parts, hash: "md5" }), /sha256 or sha512/],
    ["with a hash of Object", sshSignature({ ...parts, hash: "constructor" }), /sha256 or sha512/],
    ["with a namespace that is no text", sshSignature({ ...parts, namespace: "a\0b" }), /no text/],
    ["that goes on", Buffer.concat([signature, Buffer.alloc(1)]), /goes on after its end/],
    ["without a value", sshSignature(parts), /cut short/],
    [
      "with the algorithm __proto__",
      sshSignature({ ...parts, signature: Buffer.concat([wire("__proto__"), wire("")]) }),
      /algorithm is not accepted; required is ssh-ed25519/,
    ],
    [
      "whose value goes on",
      withValue(ed25519, "ssh-ed25519", wire(Buffer.alloc(64)), "more"),
      /goes on after its end/,
    ],
    [
      "of ECDSA with three numbers",
      withValue(ecdsa, "ecdsa-sha2-nistp256", wire(Buffer.concat([one, one, one]))),
      /goes on after its end/,
    ],
    [
      "of ECDSA with a number beyond its curve",
      withValue(
        ecdsa,
        "ecdsa-sha2-nistp256",
        wire(Buffer.concat([one, mpint(Buffer.alloc(33, 1))])),
      ),
      /does not fit its key/,
    ],
    [
      "of ECDSA with ones",
      withValue(ecdsa, "ecdsa-sha2-nistp256", wire(Buffer.concat([one, one]))),
      /does not fit its key/,
    ],
    [
      "of ECDSA with a zero",
      withValue(ecdsa, "ecdsa-sha2-nistp256", wire(Buffer.concat([one, wire("")]))),
      /not positive/,
    ],
    [
      "by an unknown key",
      sshSign(stranger, namespace, message),
      /allowed_signers does not list its key, SHA256:/,
    ],
  ])("%s", (_, made, reason) => {
    const found = refusal(
      envelope(statement, () => made),
      trust,
    );
    expect(found).toMatch(/^UntrustedError: signature 1 of 1: /);
    expect(found).toMatch(reason);
  });

  test.each([
    ["ed25519", signature],
    ["authenticator", authenticator.sign(namespace, message)],
  ])("that is cut short anywhere (%s)", (_, whole) => {
    for (let length = 0; length < whole.length; length += 1) {
      const found = refusal(
        envelope(statement, () => whole.subarray(0, length)),
        trust,
      );
      expect(found, `${length} bytes`).toMatch(/^UntrustedError: /);
    }
  });

  const good = [
    signature,
    sshSign(ecdsa, namespace, message),
    authenticator.sign(namespace, message),
    sshSign(rsa, namespace, message),
  ];
  property.prop([fc.constantFrom(...good), fc.nat(), fc.integer({ min: 1, max: 255 })])(
    "of which any byte is altered",
    (whole, position, change) => {
      const altered = Buffer.from(whole);
      const index = position % whole.length;
      altered[index] = (whole[index] ?? 0) ^ change;
      const found = refusal(
        envelope(statement, () => altered),
        trust,
      );
      expect(found).toMatch(/^UntrustedError: /);
    },
  );

  test("that ssh-keygen accepts without a touch", () => {
    const made = authenticator.sign(namespace, message, 0);
    expect(sshVerify(listed(authenticator.line), made, message)).toBe(true);
  });

  property.prop([fc.uint8Array({ maxLength: 512 })])("that is any other bytes", (bytes) => {
    const made = Buffer.concat([Buffer.from("SSHSIG"), bytes]);
    expect(
      refusal(
        envelope(statement, () => made),
        trust,
      ),
    ).toMatch(/^UntrustedError: /);
  });
});

describe("readSshKey", () => {
  const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]);
  const e = mpint(Buffer.from([1, 0, 1]));
  const n = (bits: number): Buffer => {
    const bytes = Buffer.alloc(Math.ceil(bits / 8), 0xff);
    bytes[0] = 0xff >> ((8 - (bits % 8)) % 8);
    return mpint(bytes);
  };

  test.each([
    ["of an unknown type", [wire("ssh-dss")], /key type is not accepted/],
    ["of the type __proto__", [wire("__proto__")], /key type is not accepted/],
    ["that is a certificate", [wire("ssh-ed25519-cert-v01@openssh.com")], /not accepted/],
    ["of Ed25519 with 31 bytes", [wire("ssh-ed25519"), wire(Buffer.alloc(31))], /no valid key/],
    ["of Ed25519 with 33 bytes", [wire("ssh-ed25519"), wire(Buffer.alloc(33))], /no valid key/],
    ["that goes on", [ed25519.blob, Buffer.alloc(1)], /goes on after its end/],
    ["that is cut short", [ed25519.blob.subarray(0, -1)], /cut short/],
    ["that is empty", [], /cut short/],
    [
      "of another curve than its type",
      [wire("ecdsa-sha2-nistp256"), wire("nistp384"), wire(point)],
      /no point of nistp256/,
    ],
    [
      "that is compressed",
      [wire("ecdsa-sha2-nistp256"), wire("nistp256"), wire(Buffer.alloc(33, 2))],
      /no point of nistp256/,
    ],
    [
      "beside its curve",
      [wire("ecdsa-sha2-nistp256"), wire("nistp256"), wire(point)],
      /no valid key/,
    ],
    ["of RSA with 2047 bits", [wire("ssh-rsa"), e, n(2047)], /2047 bits; .* 2048 to 16384/],
    ["of RSA with 16385 bits", [wire("ssh-rsa"), e, n(16_385)], /16385 bits/],
    ["of RSA with nothing", [wire("ssh-rsa"), e, wire("")], /not positive/],
    [
      "of RSA with a negative number",
      [wire("ssh-rsa"), e, wire(Buffer.alloc(256, 0xff))],
      /not positive/,
    ],
    [
      "of RSA with zeros before its number",
      [wire("ssh-rsa"), e, wire(Buffer.concat([Buffer.alloc(1), Buffer.alloc(256, 0x7f)]))],
      /shortest form/,
    ],
    [
      "without an application",
      [wire("sk-ssh-ed25519@openssh.com"), wire(Buffer.alloc(32))],
      /cut short/,
    ],
  ])("refuses a key %s", (_, fields, reason) => {
    const read = (): unknown => readSshKey(Buffer.concat(fields));
    expect(read).toThrow(UnreadableError);
    expect(read).toThrow(reason);
  });

  test("accepts an RSA key of 2048 bits", () => {
    expect(readSshKey(Buffer.concat([wire("ssh-rsa"), e, n(2048)])).type).toBe("ssh-rsa");
  });

  property.prop([fc.uint8Array({ maxLength: 256 })])("throws nothing but its error", (bytes) => {
    for (const read of [readSshKey, readSshSignature]) {
      expect(() => read(Buffer.from(bytes))).toThrow(UnreadableError);
    }
  });
});
