import * as pulumi from "@pulumi/pulumi";
import type { GuardFacts, GuardName, UnitTestFacts } from "../../policies/contract/facts.ts";
import { digestOf } from "../../policies/contract/seal.ts";
import type { Config } from "../config.ts";
import { servingVersion, slots } from "./ledger.ts";
import type { Plan } from "./plan.ts";
import { serviceNames, type ServiceName } from "./release.ts";
import type { Guard } from "./resources.ts";

/** What every guard of a run is told, but for its own name. */
export type RunFacts = Omit<GuardFacts, "guard">;

/** The facts of a run, all known before anything is registered. */
export function runFacts(
  config: Config,
  plan: Plan,
  unitTests: UnitTestFacts,
  stack: string,
): RunFacts {
  const { databasePassword: _secret, ...open } = config;
  const { version, commit, digest } = plan.release;
  return {
    system: config.system,
    stack,
    phase: plan.phase,
    direction: plan.direction,
    release: { version, commit, digest },
    before: {
      phase: plan.before.phase,
      release: plan.before.release,
      serving: servingVersion(plan.before),
      recorded: plan.recorded,
      ttl: plan.before.ttl,
    },
    ttlSeconds: plan.ttlSeconds,
    unitTests,
    covers: {
      databases: [config.database.identifier],
      backups: [config.backups.vault],
      buckets: [config.bucket.name],
      archives: [config.archive.name],
      services: coveredServices(config, plan),
    },
    clockScale: config.clockScale,
    configDigest: digestOf(open),
  };
}

/** Name of the container of a service in a slot, or of the legacy system. */
export function containerName(system: string, place: string, service?: ServiceName): string {
  return service === undefined ? `${system}-${place}` : `${system}-${place}-${service}`;
}

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

function coveredServices(config: Config, plan: Plan): string[] {
  const inSlots = slots.flatMap((slot) =>
    plan.slots[slot] === null
      ? []
      : serviceNames.map((service) => containerName(config.system, slot, service)),
  );
  return plan.legacy ? [containerName(config.system, "legacy"), ...inSlots] : inSlots;
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
