import { readFileSync } from "node:fs";
import { PolicyPack } from "@pulumi/policy";
import { judgeHere } from "./gate.ts";
import { gatePolicy } from "./gate-policy.ts";
import { releaseGates } from "./release-gates.ts";
import { Run } from "./run.ts";
import { sealPolicy } from "./seal-policy.ts";

const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as {
  version: string;
};
const name = "cutover";
const run = new Run();

// The seal stands first: it starts each run afresh before the gates mark themselves as switched on.
new PolicyPack(name, {
  displayName: "Cutover",
  description: "Release gates, judged before anything changes",
  enforcementLevel: "mandatory",
  policies: [
    sealPolicy({ gates: releaseGates, run, judge: judgeHere, pack: `${name}@${version}` }),
    ...releaseGates.map((gate) => gatePolicy(gate, run, judgeHere)),
  ],
});
