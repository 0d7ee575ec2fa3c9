import { testKind } from "../../support/kind-tester.ts";
import { readyFacts, secretText } from "../../support/samples.ts";

testKind("operations-documented", {
  requires: { operations: ["GET /orders", "POST /orders/{id}/refund"], version: "release" },
  required:
    "an OpenAPI document with GET /orders and POST /orders/{id}/refund, " +
    "of the version of the release",
  given: {
    format: "openapi",
    title: secretText,
    version: "1.1.0",
    sections: [],
    values: {},
    operations: ["GET /orders", "POST /orders", "POST /orders/{id}/refund"],
  },
  passes: {
    "a version of its own": { requires: { version: "3" }, given: { version: "3" } },
    "no version that matters": { requires: { version: undefined }, given: { version: secretText } },
    "a release without a v": {
      facts: { release: { ...readyFacts.release, version: "1.1.0" } },
    },
  },
  fails: {
    "an operation that is missing": [
      { requires: { operations: ["GET /orders", "DELETE /orders"] } },
      "fail",
      "1 operation is not in the document: DELETE /orders",
    ],
    "no operations": [
      { given: { operations: [] } },
      "fail",
      "2 operations are not in the document: GET /orders and POST /orders/{id}/refund",
    ],
    "a path that goes on": [
      { requires: { operations: ["GET /order"] } },
      "fail",
      "1 operation is not in the document: GET /order",
    ],
    "a parameter of another name": [
      { requires: { operations: ["POST /orders/{order}/refund"] } },
      "fail",
      "1 operation is not in the document: POST /orders/{order}/refund",
    ],
    "the version of another release": [
      { given: { version: secretText } },
      "fail",
      "its version is not 1.1.0",
    ],
    "the version with its v": [
      { given: { version: "v1.1.0" } },
      "fail",
      "its version is not 1.1.0",
    ],
    "no version": [{ given: { version: null } }, "fail", "its version is not 1.1.0"],
    "another version than its own": [
      { requires: { version: "3" } },
      "fail",
      "its version is not 3",
    ],
    "another kind of document": [
      { given: { format: "markdown" } },
      "inconclusive",
      "it is no OpenAPI document",
    ],
  },
  refuses: {
    "an operation twice": { operations: ["GET /orders", "GET /orders"] },
    "a path without a method": { operations: ["/orders"] },
    "a method that is none": { operations: ["FETCH /orders"] },
    "a method in small letters": { operations: ["get /orders"] },
    "a path with a space": { operations: ["GET /orders "] },
    "an empty version": { version: "" },
    "a version that is a number": { version: 3 },
    "no operations": { operations: undefined },
  },
  hostile: (name) => ({
    requires: {
      operations: ["PUT /orders", `GET /${name.replaceAll(/\s/g, "")}`.slice(0, 512)],
      version: name.trim() === "" ? "2" : name.slice(0, 128).trim(),
    },
  }),
});
