import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PolicyPack } from "@pulumi/policy";
import { judgeHere } from "./gate.ts";
import { checklistPolicy, gatePolicy, type Judging } from "./gate-policy.ts";
import { releaseGates } from "./release-gates.ts";
import { Run } from "./run.ts";
import { sealPolicy } from "./seal-policy.ts";
import { readTrust } from "./signatures/trust.ts";
import { systemOf } from "./system.ts";

const folder = import.meta.dirname;
const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
  version: string;
};
const name = "cutover";
const judging: Judging = {
  run: new Run(),
  judge: judgeHere,
  systemOf,
  readTrust: () => readTrust(join(folder, "trust")),
};

// The seal stands first: it starts each run afresh before the gates mark themselves as switched on.
new PolicyPack(name, {
  displayName: "Cutover",
  description: "Release gates, judged before anything changes",
  enforcementLevel: "mandatory",
  policies: [
    sealPolicy({
      ...judging,
      gates: releaseGates,
      pack: `${name}@${version}`,
    }),
    ...releaseGates.map((gate) => gatePolicy(gate, judging)),
    checklistPolicy(judging),
  ],
});
