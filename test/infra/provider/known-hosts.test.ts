import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  algorithmsOf,
  fingerprint,
  judgeKey,
  knownName,
  linesOf,
} from "../../../infra/provider/known-hosts.ts";

const key = Buffer.from("the key of a host");
const other = Buffer.from("the key of another");

function line(names: string, of: Buffer = key): string {
  return `${names} ssh-ed25519 ${of.toString("base64")} comment`;
}

function judge(text: string, host = "web.example.com", port = 22): string {
  return judgeKey(linesOf(text, host, port), key);
}

describe("a known_hosts file", () => {
  test.each([
    ["its name", line("web.example.com"), "known"],
    ["one of several names", line("10.0.0.1,web.example.com"), "known"],
    ["a pattern", line("*.example.com"), "known"],
    ["a pattern of one character", line("we?.example.com"), "known"],
    ["a name in capitals", line("WEB.example.com"), "known"],
    [
      "a second key of the host",
      `${line("web.example.com", other)}\n${line("web.example.com")}`,
      "known",
    ],
    ["a comment and an empty line", `# hosts\n\n${line("web.example.com")}`, "known"],
    ["nothing", "", "unknown"],
    ["another host", line("api.example.com"), "unknown"],
    ["a longer name", line("web.example.com.evil.net"), "unknown"],
    ["a dot that is none", line("webxexample.com"), "unknown"],
    ["an exception", line("*.example.com,!web.example.com"), "unknown"],
    ["the key under a port", line("[web.example.com]:2222"), "unknown"],
    ["a certificate authority", `@cert-authority ${line("web.example.com")}`, "unknown"],
    ["another key", line("web.example.com", other), "changed"],
    ["a revoked key", `@revoked ${line("web.example.com")}\n${line("web.example.com")}`, "revoked"],
  ])("with %s", (_what, text, says) => {
    expect(judge(text)).toBe(says);
  });

  test("knows a host by another port only with it", () => {
    expect(judge(line("[web.example.com]:2222"), "web.example.com", 2222)).toBe("known");
    expect(judge(line("web.example.com"), "web.example.com", 2222)).toBe("unknown");
  });

  test("knows hashed names", () => {
    const salt = Buffer.from("some salt");
    const hash = createHmac("sha1", salt).update("web.example.com").digest("base64");
    const text = line(`|1|${salt.toString("base64")}|${hash}`);
    expect(judge(text)).toBe("known");
    expect(judge(text, "api.example.com")).toBe("unknown");
  });
});

test("an RSA key is asked for SHA-2", () => {
  const text = `a ssh-rsa AAAA\na ssh-ed25519 BBBB\n@revoked a ecdsa-sha2-nistp256 CCCC`;
  expect(algorithmsOf(linesOf(text, "a", 22))).toEqual([
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-ed25519",
  ]);
});

test("names and fingerprints are those of OpenSSH", () => {
  expect(knownName("a", 22)).toBe("a");
  expect(knownName("a", 23)).toBe("[a]:23");
  expect(fingerprint(Buffer.from(""))).toBe("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
});
