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

/**
 * The hooks of everything behind these guards. A run that leaves a guard out (`--target`, `--exclude`) would find its
 * old outputs here: sealed for other facts, and so the change is refused.
 */
export function sealedHooks(
  guards: Readonly<Partial<Record<GuardName, Guard>>>,
  facts: RunFacts,
): pulumi.ResourceHookBinding {
  const names = Object.keys(guards);
  const last = names.at(-1) ?? "none";
  const expected = digestOf(facts);
  const sealed = Object.entries(guards).map(([name, guard]) => ({
    name,
    sealed: current(guard.sealed),
  }));
  const hook = new pulumi.ResourceHook(`behind-${last}-guard`, async (args) => {
    for (const guard of sealed) {
      const found = await guard.sealed;
      if (found !== expected) {
        throw new Error(
          [
            `${args.name} stands behind the ${guard.name} guard,`,
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
