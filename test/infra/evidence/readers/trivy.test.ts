import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { trivy } from "../../../../infra/evidence/readers/trivy.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const good = sample("trivy/image.json");
const digest = "b1c5a500182b21d0bfa5a584a8526b56d8be316f89e87d951be04abed2446e60";
const commit = "9f2c1e7b4a6d8035c1e2f3a4b5c6d7e8f9012345";
const packages = { Target: "alpine", Class: "os-pkgs" };

const report = (rest: object): object => ({
  SchemaVersion: 2,
  CreatedAt: "2026-01-31T12:00:00Z",
  ArtifactType: "filesystem",
  Results: [packages],
  ...rest,
});

const image = (RepoDigests: unknown): object =>
  report({ ArtifactType: "container_image", Metadata: { RepoDigests } });

/** The identifiers and scores that come of one result. */
const found = (result: object): string[] =>
  readWith(trivy, report({ Results: [packages, result] })).facts.scanner.result.map(
    ({ id, severity }) => `${id} ${severity[0]?.score}`,
  );

describe("trivy", () => {
  test("reads the scan of an image: vulnerabilities, secrets and failed checks", () => {
    const time = "2026-01-31T12:00:00.123Z";
    const severity = (score: string) => [{ method: "trivy", score }];
    expect(readWith(trivy, good)).toEqual({
      facts: {
        scanner: {
          uri: "https://github.com/aquasecurity/trivy",
          version: "0.69.1",
          db: { lastUpdate: time },
          result: [
            { id: "CVE-2025-9230", severity: severity("high") },
            { id: "CVE-2025-9999", severity: severity("unknown") },
            { id: "aws-access-key-id", severity: severity("critical") },
            { id: "DS026", severity: severity("low") },
          ],
        },
        metadata: { scanStartedOn: time, scanFinishedOn: time },
      },
      producedAt: time,
      about: { images: [digest] },
    });
  });

  test("reads the scan of a repository, which is about its commit", () => {
    const read = readWith(trivy, sample("trivy/repository.json"));
    expect(read.facts.scanner.result).toEqual([]);
    expect(read.about).toEqual({ commit });
  });

  test.each([
    ["CRITICAL", "critical"],
    ["HIGH", "high"],
    ["MEDIUM", "medium"],
    ["LOW", "low"],
    ["UNKNOWN", "unknown"],
    [undefined, "unknown"],
  ])("a severity of %s counts as %s", (Severity, score) => {
    const one = { VulnerabilityID: "CVE-1", ...(Severity === undefined ? {} : { Severity }) };
    expect(found({ Class: "lang-pkgs", Vulnerabilities: [one] })).toEqual([`CVE-1 ${score}`]);
  });

  test.each([
    ["FAIL", 1],
    ["PASS", 0],
    ["EXCEPTION", 0],
    ["something new", 1],
    [undefined, 1],
  ])("a check of a configuration with status %s counts %i", (Status, count) => {
    const one = { ID: "DS002", Severity: "HIGH", ...(Status === undefined ? {} : { Status }) };
    expect(found({ Class: "config", Misconfigurations: [one] })).toHaveLength(count);
  });

  test("what is null or left out counts nothing, and a licence neither", () => {
    const none = { Vulnerabilities: null, Secrets: null, Misconfigurations: null };
    expect(found({ ...none, Class: "license", Licenses: [{ Severity: "HIGH" }] })).toEqual([]);
  });

  test("an image that has one digest in two registries names it once", () => {
    const read = readWith(trivy, image([`a.example.com/x@sha256:${digest}`, `y@sha256:${digest}`]));
    expect(read.about).toEqual({ images: [digest] });
  });

  test.each([
    ["an older schema", report({ SchemaVersion: 1 }), /see SchemaVersion/],
    ["no schema", report({ SchemaVersion: undefined }), /see SchemaVersion/],
    ["no time", report({ CreatedAt: undefined }), /see CreatedAt/],
    ["a time that is none", report({ CreatedAt: "now" }), /time that is none/],
    ["the zero of times", report({ CreatedAt: "0001-01-01T00:00:00Z" }), /time that is none/],
    ["no kind of artifact", report({ ArtifactType: undefined }), /see ArtifactType/],
    ["no results", report({ Results: undefined }), /looked at no packages/],
    ["null for results", report({ Results: null }), /looked at no packages/],
    ["an empty list of results", report({ Results: [] }), /looked at no packages/],
    [
      "results about other things than packages",
      report({ Results: [{ Target: "Dockerfile", Class: "config" }, { Target: "x" }] }),
      /looked at no packages/,
    ],
    [
      "an operating system without updates",
      report({ Metadata: { OS: { Family: "alpine", Name: "3.10.2", EOSL: true } } }),
      /gets no more updates/,
    ],
    ["an image without digests", image(undefined), /which image/],
    ["an image with an empty list of digests", image([]), /which image/],
    ["an image with null for digests", image(null), /which image/],
    ["an image with a short digest", image([`x@sha256:${digest.slice(1)}`]), /which image/],
    ["an image by its tag", image([`x@sha256:${digest}`, "x:latest"]), /which image/],
    [
      "an unknown severity",
      report({
        Results: [{ ...packages, Vulnerabilities: [{ VulnerabilityID: "a", Severity: "BAD" }] }],
      }),
      /see Results\.0\.Vulnerabilities\.0\.Severity/,
    ],
    [
      "a vulnerability without a name",
      report({ Results: [{ ...packages, Vulnerabilities: [{ Severity: "LOW" }] }] }),
      /see Results\.0\.Vulnerabilities\.0\.VulnerabilityID/,
    ],
    [
      "a list that is none",
      report({ Results: [{ ...packages, Vulnerabilities: {} }] }),
      /see Results\.0\.Vulnerabilities/,
    ],
    [
      "more vulnerabilities than evidence holds",
      report({
        Results: [
          {
            ...packages,
            Vulnerabilities: Array.from({ length: 50_001 }, () => ({ VulnerabilityID: "CVE-1" })),
          },
        ],
      }),
      /see scanner\.result: .*50000/,
    ],
  ])("%s is refused", (_, value, message) => {
    expect(refusal(trivy, value)).toMatch(message);
  });

  property.prop([
    fc.array(fc.array(fc.constantFrom("CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN"))),
  ])("no vulnerability of any result is lost", (lists) => {
    const Results = lists.map((severities) => ({
      ...packages,
      Vulnerabilities: severities.map((Severity) => ({ VulnerabilityID: "CVE-1", Severity })),
    }));
    const { result } = readWith(trivy, report({ Results: [packages, ...Results] })).facts.scanner;
    expect(result.map(({ severity }) => severity[0]?.score.toUpperCase())).toEqual(lists.flat());
  });

  describeBadBytes(trivy, good);
  describeBadJson(trivy, good);
});
