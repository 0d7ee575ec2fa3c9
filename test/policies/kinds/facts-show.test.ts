import { expect, test } from "vitest";
import { nothingAttested } from "../../../policies/evidence/attested.ts";
import { judgeBy, kindNamed, testKind, type KindSample } from "../../support/kind-tester.ts";
import { readyFacts, secretText } from "../../support/samples.ts";

const { before, release } = readyFacts;

/** A checklist that asks something of one fact, and the stack config. */
function asks(path: string, wanted: unknown, declared: Record<string, string> = {}): KindSample {
  return {
    requires: { fields: { [path]: wanted } },
    facts: { declared: { ...readyFacts.declared, ...declared } },
  };
}

testKind("facts-show", {
  requires: {
    fields: {
      "release.version": { matches: "v1\\.\\d+\\.\\d+" },
      "declared.services.web.port": { is: 8080 },
      ttlSeconds: { atMost: "60s" },
    },
  },
  required:
    "release.version matches v1\\.\\d+\\.\\d+, declared.services.web.port is 8080 and ttlSeconds is 60s or less",
  given: { ...nothingAttested },
  passes: {
    "a number of the stack config as a text": asks("declared.services.web.port", { is: "8080" }),
    "a number of the stack config with a limit": asks("declared.services.web.port", {
      atLeast: 8080,
      below: 8081,
    }),
    "a length of time with a limit": asks("declared.ttl", { atMost: "5m" }, { ttl: "300" }),
    "true in the stack config": asks("declared.enabled", { is: true }, { enabled: "true" }),
    "true in the stack config, as a text": asks(
      "declared.enabled",
      { is: "true" },
      { enabled: "true" },
    ),
    "one of several types": asks("declared.services.web.port", { oneOf: ["none", 8080] }),
    "one entry of a list in the stack config": asks(
      "declared.names",
      { includes: ["app.example.com"] },
      { names: "app.example.com, api.example.com" },
    ),
    "the only entry of a list in the stack config": asks(
      "declared.names",
      { includes: "app.example.com" },
      { names: "app.example.com" },
    ),
    "a text that says something": asks("declared.names", { empty: false }, { names: "x" }),
    "an empty list in the stack config": asks("declared.names", { empty: true }, { names: "" }),
    "a key of the stack config in two parts that are one": asks(
      "declared.readings.dns",
      { is: "on" },
      { "readings.dns": "on" },
    ),
    "the same as another fact": asks(
      "declared.release",
      { sameAs: "release.version" },
      {
        release: "v1.1.0",
      },
    ),
    "another one than another fact": asks("before.serving", { differsFrom: "release.version" }),
    "a list": asks("steps", { includes: ["freeze", "lift"] }),
    "an empty list": {
      requires: { fields: { "covers.buckets": { empty: true } } },
      facts: { covers: { ...readyFacts.covers, buckets: [] } },
    },
    "what the record says of a gate": asks("before.record.verdicts.phase-in-order", { is: "pass" }),
    "when a phase ended": asks("before.times.lower-ttl", { within: "2h" }),
    "an image by its digest": asks(
      "declared.image",
      { sameAs: "release.images.api" },
      { image: `mirror.example.com/api@${release.images["api"]?.split("@")[1] ?? ""}` },
    ),
    "who is assigned": asks("owners.rollback", { matches: ".+@example\\.com" }),
  },
  fails: {
    "another version": [
      asks("release.version", { is: "v2.0.0" }),
      "fail",
      "release.version is another text",
    ],
    "answers that live too long": [
      asks("ttlSeconds", { atMost: "59s" }),
      "fail",
      "ttlSeconds is 60",
    ],
    "another number in the stack config": [
      asks("declared.services.web.port", { is: 8081 }),
      "fail",
      "declared.services.web.port is 8080",
    ],
    "a number over its limit in the stack config": [
      asks("declared.services.web.port", { atMost: 8079 }),
      "fail",
      "declared.services.web.port is 8080",
    ],
    "false in the stack config": [
      asks("declared.enabled", { is: true }, { enabled: "false" }),
      "fail",
      "declared.enabled is false",
    ],
    "a text for a number": [
      asks("declared.services.web.port", { atLeast: 1 }, { "services.web.port": secretText }),
      "inconclusive",
      "declared.services.web.port is a text, where a number is required",
    ],
    "a number in another form": [
      asks("declared.services.web.port", { atLeast: 1 }, { "services.web.port": "8e3" }),
      "inconclusive",
      "declared.services.web.port is a text, where a number is required",
    ],
    "a number with a space": [
      asks("declared.services.web.port", { is: 8080 }, { "services.web.port": " 8080" }),
      "inconclusive",
      "declared.services.web.port is a text, where a number is required",
    ],
    "no number": [
      asks("declared.services.web.port", { atLeast: 0 }, { "services.web.port": "NaN" }),
      "inconclusive",
      "declared.services.web.port is a text, where a number is required",
    ],
    "a number beyond all": [
      asks("declared.services.web.port", { atLeast: 0 }, { "services.web.port": "Infinity" }),
      "inconclusive",
      "declared.services.web.port is a text, where a number is required",
    ],
    "a number below zero": [
      asks("declared.services.web.port", { atLeast: 0 }, { "services.web.port": "-1" }),
      "inconclusive",
      "declared.services.web.port is a text, where a number is required",
    ],
    "an empty text for a number": [
      asks("declared.services.web.port", { atMost: 1 }, { "services.web.port": "" }),
      "inconclusive",
      "declared.services.web.port is empty, where a number is required",
    ],
    "a list without an entry": [
      asks("declared.names", { includes: "app" }, { names: "app.example.com" }),
      "fail",
      "declared.names does not include app",
    ],
    "a text that says nothing": [
      asks("declared.names", { empty: false }, { names: " " }),
      "fail",
      "declared.names is empty",
    ],
    "one of two checks": [
      asks("declared.services.web.port", { atLeast: 1, atMost: 2 }),
      "fail",
      "declared.services.web.port is 8080",
    ],
    "a key that the stack config does not have": [
      asks("declared.services.host", { is: "x" }),
      "inconclusive",
      "the stack config declares no services.host",
    ],
    "a part of a key of the stack config": [
      asks("declared.services", { empty: false }),
      "inconclusive",
      "the stack config declares no services",
    ],
    "a key that every object has": [
      asks("declared.constructor.name", { is: "Object" }),
      "inconclusive",
      "the stack config declares no constructor.name",
    ],
    "another key that every object has": [
      asks("declared.toString", { empty: false }),
      "inconclusive",
      "the stack config declares no toString",
    ],
    "nobody assigned": [
      asks("owners.communication", { empty: false }),
      "inconclusive",
      "nobody owns communication",
    ],
    "no time of the cutover": [
      {
        requires: { fields: { plannedCutover: { within: "1d" } } },
        facts: { plannedCutover: null },
      },
      "inconclusive",
      "the stack config declares no time of the cutover",
    ],
    "a cutover in the future": [
      asks("plannedCutover", { within: "1d" }),
      "inconclusive",
      "plannedCutover is in the future",
    ],
    "a stack that never ran": [
      {
        requires: { fields: { "before.release": { sameAs: "release.version" } } },
        facts: { before: { ...before, release: null } },
      },
      "inconclusive",
      "before.release is not known in this run",
    ],
    "a record that there is not": [
      {
        requires: { fields: { "before.record.release": { sameAs: "release.version" } } },
        facts: { before: { ...before, record: null } },
      },
      "inconclusive",
      "before.record.release is not known in this run",
    ],
    "a phase that has not ended": [
      asks("before.times.cutover", { within: "1d" }),
      "inconclusive",
      "before.times.cutover is not known in this run",
    ],
    "the record of another release": [
      asks("before.record.release", { sameAs: "release.version" }),
      "fail",
      "before.record.release is another one than release.version",
    ],
    "nothing to compare with": [
      asks("release.version", { differsFrom: "declared.version" }),
      "inconclusive",
      "release.version has nothing to be compared with: declared.version is not known",
    ],
  },
  refuses: {
    "no fact": { fields: { "release.verison": { is: "v1.1.0" } } },
    "a fact as a whole": { fields: { release: { empty: false } } },
    "the whole stack config": { fields: { declared: { empty: false } } },
    "a fact of an unknown part": { fields: { "declared.": { empty: false } } },
    "a phase that is none": { fields: { "before.times.launch": { within: "1d" } } },
    "what the stack covers of something else": { fields: { "covers.queues": { empty: true } } },
    "the scale of the clock": { fields: { clockScale: { is: 1 } } },
    "a comparison with no fact": { fields: { ttlSeconds: { sameAs: "release.ttl" } } },
    "nothing of a fact": { fields: { ttlSeconds: {} } },
    "an unknown check": { fields: { ttlSeconds: { equals: 60 } } },
  },
  hostile: (name) => {
    const key = name.trim() === "" ? "key" : name.slice(0, 500);
    return {
      requires: {
        fields: {
          [`declared.${key}`]: { is: key },
          "declared.value": { is: key, matches: "x", sameAs: `declared.${key.slice(0, 200)}` },
          [`owners.${key}`]: { is: key },
        },
      },
      facts: { declared: { value: name }, owners: { [key]: "x" } },
    };
  },
});

test.each([
  ["declared.dns.ttl.lowered", "pulumi config set --path cutover:dns.ttl.lowered <value>"],
  ["owners.rollback", "pulumi config set --path cutover:owners.rollback <principal>"],
  ["plannedCutover", "pulumi config set cutover:cutoverAt <time>"],
  ["declared.key $(rm)", "declare it in the stack config"],
  ["declared.dns.names.app.example.com.service", "declare it in the stack config"],
])("of an absent %s, it says which command sets it", (path, remedy) => {
  const kind = kindNamed("facts-show");
  const facts = { ...readyFacts, declared: {}, owners: {}, plannedCutover: null };
  const requires = kind.requires.parse({ fields: { [path]: { empty: false } } });
  expect(judgeBy(kind, { ...nothingAttested }, requires, facts)).toEqual([
    expect.objectContaining({ verdict: "inconclusive", remedy }),
  ]);
});
