import type { GuardName } from "../../../policies/contract/facts.ts";
import { guardPassage } from "../guards.ts";
import { Guard } from "../resources.ts";
import { stand, type Declare } from "../run.ts";

/** The gates that stand at a point of the release: from here on everything must have passed them. */
export function guard(name: GuardName): Declare {
  return (run, step) => {
    const told = name === "entry" ? run.evidence : {};
    const declared = new Guard(name, { facts: { guard: name, ...run.facts }, ...told }, step);
    run.guards = [...run.guards, declared];
    stand(run, guardPassage(name, declared, run.facts));
    return [declared];
  };
}
