import { sampleMeta, testKind } from "../../support/kind-tester.ts";
import { readyFacts, secretText } from "../../support/samples.ts";

function found(...entries: (readonly [id: string, ...scores: string[]])[]) {
  return {
    given: {
      scanner: {
        uri: secretText,
        db: { lastUpdate: "2026-03-02T06:00:00Z" },
        result: entries.map(([id, ...scores]) => ({
          id,
          severity: scores.map((score) => ({ method: "scanner", score })),
        })),
      },
    },
  };
}

const noLimits = {
  critical: undefined,
  high: undefined,
  medium: undefined,
  low: undefined,
  negligible: undefined,
};

testKind("vulnerabilities-within", {
  requires: { critical: 0, high: 2, medium: 1, low: 1, negligible: 1, unknown: 1 },
  required:
    "no more than 0 critical, 2 high, 1 medium, 1 low, 1 negligible and 1 unknown vulnerabilities",
  given: {
    ...found(["CVE-2026-1", "high"], ["CVE-2026-2", "high"], ["CVE-2026-3", "unknown"]).given,
    metadata: { scanStartedOn: "2026-03-02T11:00:00Z", scanFinishedOn: "2026-03-02T11:01:00Z" },
  },
  passes: {
    "nothing found": found(),
    "as many as are allowed of each": found(
      ["CVE-2026-1", "high"],
      ["CVE-2026-2", "high"],
      ["CVE-2026-3", "medium"],
      ["CVE-2026-4", "low"],
      ["CVE-2026-5", "negligible"],
      ["CVE-2026-6", "unknown"],
    ),
    "many where there is no limit": {
      requires: { medium: undefined, low: undefined, negligible: undefined },
      ...found(
        ["CVE-2026-1", "medium"],
        ["CVE-2026-2", "medium"],
        ["CVE-2026-3", "low"],
        ["CVE-2026-4", "low"],
        ["CVE-2026-5", "negligible"],
        ["CVE-2026-6", "negligible"],
      ),
    },
    "critical ones where only high ones have a limit": {
      requires: { ...noLimits, high: 0, unknown: undefined },
      ...found(["CVE-2026-1", "critical"], ["CVE-2026-2", "medium"]),
    },
    "the image that is asked for": {
      requires: { image: "api" },
      given: { cutover: { ...sampleMeta, images: ["0b".repeat(32), "4f".repeat(32)] } },
    },
    "a second rating that is worse": found(["CVE-2026-1", "low", "critical"]),
  },
  fails: {
    "the image of another service": [
      {
        requires: { image: "api" },
        given: { cutover: { ...sampleMeta, images: ["0b".repeat(32)] } },
      },
      "fail",
      "it is not about the image of api",
    ],
    "no word of an image": [
      { requires: { image: "api" } },
      "inconclusive",
      "it does not say which image was scanned",
    ],
    "an image that the release does not have": [
      {
        requires: { image: "constructor" },
        given: { cutover: { ...sampleMeta, images: ["4f".repeat(32)] } },
      },
      "inconclusive",
      "the release has no image of constructor that is given by its digest",
    ],
    "an image that the release names by a tag": [
      {
        requires: { image: "api" },
        given: { cutover: { ...sampleMeta, images: ["4f".repeat(32)] } },
        facts: { release: { ...readyFacts.release, images: { api: "example.com/api:1" } } },
      },
      "inconclusive",
      "the release has no image of api that is given by its digest",
    ],
    "one that is high where only high ones have a limit": [
      { requires: { ...noLimits, high: 0 }, ...found(["CVE-2026-1", "high"]) },
      "fail",
      "1 high vulnerability: CVE-2026-1",
    ],
    "one unrated where only negligible ones have a limit": [
      {
        requires: { ...noLimits, negligible: 0, unknown: undefined },
        ...found(["CVE-2026-1", "other"]),
      },
      "fail",
      "1 unknown vulnerability: CVE-2026-1",
    ],
    "one that is critical": [
      found(["CVE-2026-1", "critical"]),
      "fail",
      "1 critical vulnerability: CVE-2026-1",
    ],
    "one too many": [
      found(["CVE-2026-1", "high"], ["CVE-2026-2", "high"], ["CVE-2026-3", "high"]),
      "fail",
      "3 high vulnerabilities: CVE-2026-1, CVE-2026-2 and CVE-2026-3",
    ],
    "one in three packages": [
      found(["CVE-2026-1", "high"], ["CVE-2026-1", "high"], ["CVE-2026-1", "high"]),
      "fail",
      "3 high vulnerabilities: CVE-2026-1",
    ],
    "one medium too many": [
      found(["CVE-2026-1", "medium"], ["CVE-2026-2", "medium"]),
      "fail",
      "2 medium vulnerabilities: CVE-2026-1 and CVE-2026-2",
    ],
    "a rating that is no known word": [
      found(["CVE-2026-1", "9.8"], ["CVE-2026-2", "CRITICAL"]),
      "fail",
      "2 unknown vulnerabilities: CVE-2026-1 and CVE-2026-2",
    ],
    "a rating that every object has": [
      { requires: { unknown: 0 }, ...found(["CVE-2026-1", "constructor"]) },
      "fail",
      "1 unknown vulnerability: CVE-2026-1",
    ],
    "one unrated where nothing is said of it": [
      { requires: { unknown: undefined } },
      "fail",
      "1 unknown vulnerability: CVE-2026-3",
    ],
    "a milder second rating": [
      found(["CVE-2026-1", "critical", "low"]),
      "fail",
      "1 critical vulnerability: CVE-2026-1",
    ],
  },
  refuses: {
    "no limit": { ...noLimits, unknown: undefined },
    "no limit but of unknown ones": noLimits,
    "half a one": { high: 0.5 },
    "a severity in other letters": { Critical: 0 },
  },
  hostile: (name) => found([name, "critical"], [`${name}2`.slice(-512), "critical"]),
});
