import { evidenceVerified } from "../../../../policies/gates/evidence/evidence-verified.ts";
import { set, testGate } from "../../../support/gate-tester.ts";

const refused = { document: "unit-tests.intoto.jsonl", claims: "unit-tests", why: "it is no JSON" };

testGate(evidenceVerified, {
  needs: ["facts.evidenceDigest"],
  passes: {
    "nothing that was refused": [set("told.attested.refused", [])],
  },
  fails: {
    "a document that cannot be trusted": [
      [set("told.attested.refused", [refused])],
      "inconclusive",
      "release v1.1.0: unit-tests.intoto.jsonl: it is no JSON",
    ],
    "two of them": [
      [set("told.attested.refused", [refused, { ...refused, document: "other.sigstore.json" }])],
      "inconclusive",
      "release v1.1.0: other.sigstore.json: it is no JSON",
    ],
    "trusted signers that cannot be read": [
      [set("told.attested.trustProblem", "trust/signers.yaml: it is no YAML")],
      "inconclusive",
      "release v1.1.0: the pack's trusted signers cannot be read: trust/signers.yaml: it is no YAML",
    ],
    "other documents than the facts are about": [
      [set("told.attested.digest", "0".repeat(64))],
      "inconclusive",
      "release v1.1.0: the documents are not those that the facts are about",
    ],
  },
});
