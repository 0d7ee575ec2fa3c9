import * as pulumi from "@pulumi/pulumi";
import type { GuardName } from "../../policies/contract/facts.ts";
import { digestOf } from "../../policies/contract/digest.ts";
import type { Guard } from "./resources.ts";
import type { RunFacts } from "./run-facts.ts";

/** Something that a run must have passed before what stands behind it may change. */
export interface Passage {
  /** As an operator would call it. */
  readonly name: string;
  /** What the resource says of the run in which it was last passed. */
  readonly passed: pulumi.Output<string>;
  /** What it says once it was passed in this run. */
  readonly expected: string;
}

/** The passage through a guard. */
export function guardPassage(name: GuardName, guard: Guard, facts: RunFacts): Passage {
  return { name: `the ${name} guard`, passed: guard.sealed, expected: digestOf(facts) };
}

/**
 * The hooks of everything behind these passages. A run that leaves one out (`--target`, `--exclude`) would find its old
 * outputs here: it was passed for something else, and so the change is refused.
 */
export function passedHooks(
  passages: readonly Passage[],
  facts: RunFacts,
): pulumi.ResourceHookBinding {
  const watched = passages.map(({ name, passed, expected }) => ({
    name,
    expected,
    found: current(passed),
  }));
  const hook = new pulumi.ResourceHook(`behind ${passages.at(-1)?.name ?? ""}`, async (args) => {
    for (const { name, expected, found } of watched) {
      if ((await found) !== expected) {
        throw new Error(
          [
            `${args.name} stands behind ${name},`,
            `which was not passed in this run (${facts.phase} of ${facts.release.version}).`,
            "Nothing was changed here.",
            "To do: run pulumi up without --target and --exclude",
          ].join("\n"),
        );
      }
    }
  });
  return { beforeCreate: [hook], beforeUpdate: [hook] };
}

/** What an output holds in this run, or undefined when it is unknown. */
function current(output: pulumi.Output<string>): Promise<string | undefined> {
  return new Promise((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
    void (output as unknown as { isKnown: Promise<boolean> }).isKnown.then((known) => {
      if (!known) resolve(undefined);
    });
  });
}
