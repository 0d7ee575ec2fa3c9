import { nothingAttested } from "../../../policies/evidence/attested.ts";
import { stepIds } from "../../../policies/contract/steps.ts";
import { testKind } from "../../support/kind-tester.ts";

testKind("steps-in-order", {
  requires: { order: ["freeze", "snapshot", "migrate", "switch"] },
  required: "a run that does freeze, snapshot, migrate and switch, in this order",
  given: { ...nothingAttested },
  passes: {
    "one step": { requires: { order: ["freeze"] } },
    "all steps": { requires: { order: [...stepIds] }, facts: { steps: [...stepIds] } },
    "services, each a step of its own": {
      requires: { order: ["migrate", "api", "web", "switch"] },
    },
    "no other step": { facts: { steps: ["freeze", "snapshot", "migrate", "switch"] } },
  },
  fails: {
    "a run that leaves a step out": [
      { facts: { steps: ["freeze", "migrate", "switch"] } },
      "fail",
      "this run does not do snapshot",
    ],
    "a run that leaves a service out": [
      { requires: { order: ["migrate", "mailer", "switch"] } },
      "fail",
      "this run does not do mailer",
    ],
    "a run that does other things": [
      { facts: { steps: ["enter", "data"] } },
      "fail",
      "this run does not do freeze, snapshot, migrate and switch",
    ],
    "a run that does nothing": [
      { facts: { steps: [] } },
      "fail",
      "this run does not do freeze, snapshot, migrate and switch",
    ],
    "a run in another order": [
      { facts: { steps: ["freeze", "migrate", "snapshot", "switch"] } },
      "fail",
      "this run does migrate before snapshot",
    ],
    "a run whose last is first": [
      { facts: { steps: ["switch", "freeze", "snapshot", "migrate"] } },
      "fail",
      "this run does switch before migrate",
    ],
    "a run that does a step again too late": [
      { facts: { steps: ["freeze", "snapshot", "migrate", "snapshot", "switch"] } },
      "fail",
      "this run does migrate before snapshot",
    ],
  },
  refuses: {
    "no step": { order: [] },
    "a name that no step can have": { order: ["freeze", "Melt it"] },
    "a step twice": { order: ["freeze", "freeze"] },
    "a text": { order: "freeze" },
  },
  hostile: (name) => ({ facts: { steps: [name] } }),
});
