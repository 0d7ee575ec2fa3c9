import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  ENGINE_VERSION,
  isAccepted,
  readGoVersion,
  readVersion,
} from "../../../tools/engine/version.ts";

describe("the version of the CLI", () => {
  it.each([
    ["v3.259.0", true],
    ["3.259.1", true],
    ["v3.270.0", true],
    ["v3.260.0-alpha.1790000000", true],
    ["v3.258.9", false],
    ["v3.259.0-alpha.1", false],
    ["v4.0.0", false],
    ["v4.0.0-beta.1", false],
    ["v2.300.0", false],
  ])("%s is accepted: %s", (text, accepted) => {
    const version = readVersion(text);
    expect(version && isAccepted(version)).toBe(accepted);
  });

  it.each(["", "dev", "warning: no version"])("is not read from %j", (text) => {
    expect(readVersion(text)).toBeUndefined();
  });

  it("is the one that go.mod builds", () => {
    const goMod = readFileSync(join(import.meta.dirname, "../../../tools/engine/go.mod"), "utf8");
    expect(goMod).toContain(`github.com/pulumi/pulumi/pkg/v3 v${ENGINE_VERSION} `);
  });
});

describe("the version of Go", () => {
  it.each([
    ["go version go1.26.8 linux/amd64", "1.26.8"],
    ["go version devel go1.27-5f4a7e2 linux/arm64", "1.27.0"],
    ["go 1.25.11", "1.25.11"],
  ])("is read from %j", (text, version) => {
    expect(readGoVersion(text)?.version).toBe(version);
  });
});
