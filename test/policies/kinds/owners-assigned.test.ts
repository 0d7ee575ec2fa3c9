import { nothingAttested } from "../../../policies/evidence/attested.ts";
import { testKind } from "../../support/kind-tester.ts";
import { samplePerson } from "../../support/samples.ts";

testKind("owners-assigned", {
  requires: { owners: ["rollback", "communication"] },
  required: "an owner of rollback and communication whom the allowed signers know",
  given: { ...nothingAttested, people: [samplePerson] },
  facts: { owners: { rollback: samplePerson, communication: samplePerson } },
  passes: {
    "another task without an owner": {
      facts: { owners: { rollback: samplePerson, communication: samplePerson, other: "" } },
    },
  },
  fails: {
    "nobody for one task": [
      { facts: { owners: { rollback: samplePerson } } },
      "inconclusive",
      "nobody owns communication",
    ],
    "nobody at all": [{ facts: { owners: {} } }, "inconclusive", "nobody owns rollback"],
    "somebody whom nobody knows": [
      { facts: { owners: { rollback: "tbd", communication: samplePerson } } },
      "fail",
      "rollback is owned by tbd, whom the allowed signers do not know",
    ],
    "an empty name": [
      { facts: { owners: { rollback: "", communication: samplePerson } } },
      "inconclusive",
      "nobody owns rollback",
    ],
    "nobody whom the pack knows": [
      { given: { people: [] } },
      "fail",
      "rollback is owned by release-manager@example.com, whom the allowed signers do not know",
    ],
  },
  refuses: {
    "no task": { owners: [] },
    "a task that is no name": { owners: ["Roll back"] },
  },
  hostile: (name) => ({ facts: { owners: { rollback: name, communication: samplePerson } } }),
});
