import { expect, test } from "vitest";
import { nothingReplaced } from "../../../../policies/gates/release/nothing-replaced.ts";
import { judgeWorld, set, testGate } from "../../../support/gate-tester.ts";

const renamed = {
  resource: "bucket documents",
  property: "bucket",
  key: "buckets.documents.name",
};
const dropped = { resource: "secret jwt-secret", property: null, key: null };

testGate(nothingReplaced, {
  needs: [],
  mayRead: ["facts.replaced"],
  passes: {
    "nothing that would go": [set("facts.replaced", [])],
  },
  fails: {
    "a bucket that would get another name": [
      [set("facts.replaced", [renamed])],
      "fail",
      "release v1.1.0: bucket of bucket documents would replace it",
    ],
    "a secret that is no longer declared": [
      [set("facts.replaced", [dropped])],
      "fail",
      "release v1.1.0: secret jwt-secret is no longer declared",
    ],
    "one whose nulls the engine dropped": [
      [set("facts.replaced", [{ resource: "secret jwt-secret" }])],
      "fail",
      "release v1.1.0: secret jwt-secret is no longer declared",
    ],
    "a way back that would drop it": [
      [set("facts.direction", "rollback"), set("facts.replaced", [dropped])],
      "fail",
      "release v1.1.0: secret jwt-secret is no longer declared",
    ],
    "a list that is none": [
      [set("facts.replaced", "nothing")],
      "inconclusive",
      "facts: facts.replaced is not a list of what is replaced",
    ],
    "an entry that names nothing": [
      [set("facts.replaced", [{ property: "bucket" }])],
      "inconclusive",
      "facts: facts.replaced is not a list of what is replaced",
    ],
  },
});

test("names everything, each with the key to set back", () => {
  expect(judgeWorld(nothingReplaced, [set("facts.replaced", [renamed, dropped])])).toMatchObject([
    { remedy: "set cutover:buckets.documents.name back to what it was" },
    { remedy: "set the key back to what it was, and make such a change as a project of its own" },
  ]);
});
