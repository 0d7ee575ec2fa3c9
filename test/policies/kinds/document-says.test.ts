import { expect, test } from "vitest";
import { kindNamed, testKind } from "../../support/kind-tester.ts";
import { readyFacts, secretText } from "../../support/samples.ts";

const imageDigest = readyFacts.release.images["api"]?.split("@")[1] ?? "";

testKind("document-says", {
  requires: {
    sections: ["Rollback", "On call"],
    values: { Port: { declared: "services.port" }, Region: { is: "eu-central-1" } },
  },
  required:
    "the sections Rollback and On call, Port as services.port of the stack config and " +
    "Region as eu-central-1",
  given: {
    format: "markdown",
    title: secretText,
    version: null,
    sections: ["Overview", "Rollback", "On call"],
    values: { Port: "8080", Region: "eu-central-1", Password: secretText },
    operations: [],
  },
  facts: { declared: { "services.port": "8080", empty: "", quotes: '""' } },
  passes: {
    "headings in other letters": { given: { sections: [" ROLLBACK ", "on call"] } },
    "headings asked for in other letters": { requires: { sections: ["rollback", "ON CALL"] } },
    "values in backticks and quotes": {
      given: { values: { Port: " `8080` ", Region: '` "eu-central-1" `' } },
    },
    "values asked for in quotes": {
      requires: { values: { Port: { is: "'8080'" }, Region: { is: " eu-central-1" } } },
    },
    "sections only": { requires: { values: undefined }, given: { values: {} } },
    "the value of a fact": {
      requires: { values: { Release: { sameAs: "release.version" } } },
      given: { values: { Release: "`v1.1.0`" } },
    },
    "the number of a fact": {
      requires: { values: { TTL: { sameAs: "ttlSeconds" } } },
      given: { values: { TTL: "60" } },
    },
    "an image of another registry by the same digest": {
      requires: { values: { Image: { sameAs: "release.images.api" } } },
      given: { values: { Image: `mirror.example.com/api@${imageDigest}` } },
    },
    "values only": { requires: { sections: undefined }, given: { sections: [] } },
  },
  fails: {
    "a section that is missing": [
      { given: { sections: ["Overview", "Rollback"] } },
      "fail",
      "1 section is not in the document: On call",
    ],
    "sections that only begin so": [
      { given: { sections: ["Rollback of tables", "On callers"] } },
      "fail",
      "2 sections are not in the document: Rollback and On call",
    ],
    "no sections": [
      { given: { sections: [] } },
      "fail",
      "2 sections are not in the document: Rollback and On call",
    ],
    "a value that is missing": [
      { given: { values: { Port: "8080" } } },
      "fail",
      "it does not say Region",
    ],
    "a value under a name in other letters": [
      { given: { values: { port: "8080", Region: "eu-central-1" } } },
      "fail",
      "it does not say Port",
    ],
    "another value than the declared one": [
      { given: { values: { Port: secretText, Region: "eu-central-1" } } },
      "fail",
      "its Port is not the declared one",
    ],
    "another value than the required one": [
      { given: { values: { Port: "8080", Region: secretText } } },
      "fail",
      "its Region is not the required one",
    ],
    "a value that contains the right one": [
      { given: { values: { Port: "18080", Region: "eu-central-1 or eu-west-1" } } },
      "fail",
      "its Port is not the declared one",
    ],
    "a value in other letters": [
      { given: { values: { Port: "8080", Region: "EU-CENTRAL-1" } } },
      "fail",
      "its Region is not the required one",
    ],
    "a value with one quote": [
      { given: { values: { Port: "`8080", Region: "eu-central-1" } } },
      "fail",
      "its Port is not the declared one",
    ],
    "an empty value": [
      { given: { values: { Port: "", Region: "eu-central-1" } } },
      "fail",
      "its Port is not the declared one",
    ],
    "a path that the stack config does not declare": [
      { requires: { values: { Port: { declared: "services.ports" } } } },
      "inconclusive",
      "the stack config declares no services.ports",
    ],
    "a path that every object has": [
      { requires: { values: { Port: { declared: "constructor" } } } },
      "inconclusive",
      "the stack config declares no constructor",
    ],
    "a declared value that says nothing": [
      { requires: { values: { Port: { declared: "empty" } } }, given: { values: { Port: "" } } },
      "inconclusive",
      "the stack config declares no empty",
    ],
    "a declared value of quotes": [
      { requires: { values: { Port: { declared: "quotes" } } }, given: { values: { Port: "" } } },
      "inconclusive",
      "the stack config declares no quotes",
    ],
    "a stack config that declares nothing": [
      { facts: { declared: {} } },
      "inconclusive",
      "the stack config declares no services.port",
    ],
    "another value than that of a fact": [
      {
        requires: { values: { Release: { sameAs: "release.version" } } },
        given: { values: { Release: secretText } },
      },
      "fail",
      "its Release is not the one of release.version",
    ],
    "a value that a fact begins with": [
      {
        requires: { values: { Release: { sameAs: "release.version" } } },
        given: { values: { Release: "v1.1" } },
      },
      "fail",
      "its Release is not the one of release.version",
    ],
    "the digest of an image for another one": [
      {
        requires: { values: { Image: { is: "registry.example.com/web@" + imageDigest } } },
        given: { values: { Image: "registry.example.com/api@" + imageDigest } },
      },
      "fail",
      "its Image is not the required one",
    ],
    "a fact that is not there": [
      { requires: { values: { Image: { sameAs: "release.images.web" } } } },
      "inconclusive",
      "release.images.web is no single value that is known",
    ],
    "a fact that is a list": [
      {
        requires: { values: { Authors: { sameAs: "release.authors" } } },
        given: { values: { Authors: "developer@example.com" } },
      },
      "inconclusive",
      "release.authors is no single value that is known",
    ],
    "a value that every object has": [
      { requires: { values: { toString: { is: "1" } } } },
      "fail",
      "it does not say toString",
    ],
  },
  refuses: {
    "neither sections nor values": { sections: undefined, values: undefined },
    "a section twice": { sections: ["Rollback", "Rollback"] },
    "a value that says nothing": { values: { Port: { is: " `` " } } },
    "a value that is both": { values: { Port: { is: "1", declared: "services.port" } } },
    "a value that is neither": { values: { Port: {} } },
    "a value like no fact": { values: { Port: { sameAs: "release.verison" } } },
    "a value like another one of the document": { values: { Port: { sameAs: "row.Region" } } },
    "a number for a text": { values: { Port: { is: 8080 } } },
    "a text for a record": { values: { Port: "8080" } },
    "an empty path": { values: { Port: { declared: "" } } },
    "the one key that a record cannot have": { values: JSON.parse('{"__proto__":{"is":"1"}}') },
  },
  hostile: (name) => {
    const key = name.trim() === "" || name === "__proto__" ? "key" : name;
    return {
      requires: {
        sections: ["Missing", key],
        values: { [key]: { is: key }, Port: { declared: `${key}.x` } },
      },
      given: { values: { [key]: secretText } },
    };
  },
});

test("document-says requires values alone in a sentence of its own", () => {
  const kind = kindNamed("document-says");
  const requires = kind.requires.parse({ values: { Port: { is: "`8080`" } } });
  expect(kind.required(requires)).toBe("Port as 8080");
});

test("document-says names the fact that a value must be the same as", () => {
  const kind = kindNamed("document-says");
  const requires = kind.requires.parse({ values: { Release: { sameAs: "release.version" } } });
  expect(kind.required(requires)).toBe("Release as release.version");
});
