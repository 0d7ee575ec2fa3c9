import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCa } from "../../../infra/databases/ca.ts";

const folder = mkdtempSync(join(tmpdir(), "ca-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("no file is no encryption, and a certificate is handed on as it is", () => {
  const pem = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
  writeFileSync(join(folder, "ca.pem"), pem);
  expect(readCa(undefined, folder)).toBeUndefined();
  expect(readCa("ca.pem", folder)).toBe(pem);
});

test.each([
  ["absent.pem", /absent\.pem, which cannot be read/],
  ["empty.pem", /empty\.pem, without a certificate/],
])("%s is refused", (file, message) => {
  writeFileSync(join(folder, "empty.pem"), "");
  expect(() => readCa(file, folder)).toThrow(message);
});
