import { testKind } from "../../support/kind-tester.ts";
import { secretText } from "../../support/samples.ts";

testKind("run-passed", {
  requires: { properties: ["CI_RUN_SUCCEEDED", "CI_JOB_SUCCEEDED:lint"] },
  required: "CI_RUN_SUCCEEDED and CI_JOB_SUCCEEDED:lint",
  given: {
    verifier: { id: `https://user:${secretText}@ci.example.com` },
    timeCreated: "2026-03-02T11:00:00Z",
    properties: ["CI_RUN_SUCCEEDED", "CI_JOB_SUCCEEDED:lint", "CI_BRANCH:main"],
  },
  passes: {
    "the verifier that is asked for": {
      requires: { verifier: "https://ci.example.com" },
      given: { verifier: { id: "https://ci.example.com" } },
    },
  },
  fails: {
    "a job that is not there": [
      { requires: { properties: ["CI_RUN_SUCCEEDED", "CI_JOB_SUCCEEDED:types"] } },
      "fail",
      "1 property is not in the report: CI_JOB_SUCCEEDED:types",
    ],
    "no properties": [
      { given: { properties: [] } },
      "fail",
      "2 properties are not in the report: CI_RUN_SUCCEEDED and CI_JOB_SUCCEEDED:lint",
    ],
    "another branch": [
      { requires: { properties: ["CI_BRANCH:main"] }, given: { properties: ["CI_BRANCH:main-2"] } },
      "fail",
      "1 property is not in the report: CI_BRANCH:main",
    ],
    "a property in other letters": [
      { requires: { properties: ["CI_BRANCH:Main"] } },
      "fail",
      "1 property is not in the report: CI_BRANCH:Main",
    ],
    "another verifier": [
      { requires: { verifier: "https://ci.example.com" } },
      "fail",
      "another one verified it",
    ],
    "a verifier that only begins so": [
      {
        requires: { verifier: "https://ci.example.com" },
        given: { verifier: { id: "https://ci.example.com.example.org" } },
      },
      "fail",
      "another one verified it",
    ],
  },
  refuses: {
    "a property twice": { properties: ["CI_RUN_SUCCEEDED", "CI_RUN_SUCCEEDED"] },
    "a text for a list": { properties: "CI_RUN_SUCCEEDED" },
    "nobody as verifier": { verifier: "" },
    "a number as verifier": { verifier: 1 },
    "no properties": { properties: undefined },
  },
  hostile: (name) => ({
    requires: {
      properties: ["CI_RUN_FAILED", name.trim() === "" ? "property" : name],
      verifier: name.trim() === "" ? "verifier" : name,
    },
    given: { verifier: { id: `${name}${secretText}` } },
  }),
});
