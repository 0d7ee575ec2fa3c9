import type { GuardFacts, RecordFacts } from "../../policies/contract/facts.ts";
import { digestOf } from "../../policies/contract/digest.ts";
import { openConfig, type Config } from "../config.ts";
import { servingVersion, slots, type LiveRecord } from "./ledger.ts";
import type { Plan } from "./plan.ts";
import { serviceNames, type ServiceName } from "./release.ts";

/** What every guard of a run is told, but for its own name. */
export type RunFacts = Omit<GuardFacts, "guard">;

/**
 * The facts of a run, all known before anything is registered.
 *
 * @param digests of the signed evidence, and of the checklist
 */
export function runFacts(
  config: Config,
  plan: Plan,
  stack: string,
  digests: Pick<GuardFacts, "evidenceDigest" | "checklistDigest">,
): RunFacts {
  const open = openConfig(config);
  const { version, commit, digest, images, authors, migrations } = plan.release;
  return {
    system: config.system,
    stack,
    phase: plan.phase,
    direction: plan.direction,
    release: {
      version,
      commit,
      digest,
      images,
      authors,
      migrations: migrations.map(({ name }) => name),
    },
    before: {
      phase: plan.before.phase,
      release: plan.before.release,
      serving: servingVersion(plan.before),
      recorded: plan.recorded,
      ttl: plan.before.ttl,
      times: plan.before.times,
      record: plan.ownRecord === null ? null : recordFacts(plan.ownRecord),
    },
    steps: plan.steps,
    plannedCutover: config.cutoverAt ?? null,
    ttlSeconds: plan.ttlSeconds,
    owners: config.owners,
    declared: declaredTexts(open),
    ...digests,
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

function recordFacts({ release, at, verdicts }: LiveRecord): RecordFacts {
  return { release: release.version, at, verdicts };
}

/** The stack config by dotted key; lists joined with a comma. */
function declaredTexts(value: unknown, path = ""): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value === "string") return { [path]: value };
  if (typeof value !== "object") return { [path]: JSON.stringify(value) };
  if (Array.isArray(value)) return { [path]: value.map(String).join(", ") };
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, entry]) =>
      declaredTexts(entry, path === "" ? key : `${path}.${key}`),
    ),
  ) as Record<string, string>;
}

/** Name of the container of a service in a slot, or of the legacy system. */
export function containerName(system: string, place: string, service?: ServiceName): string {
  return service === undefined ? `${system}-${place}` : `${system}-${place}-${service}`;
}

function coveredServices(config: Config, plan: Plan): string[] {
  const inSlots = slots.flatMap((slot) =>
    plan.slots[slot] === null
      ? []
      : serviceNames.map((service) => containerName(config.system, slot, service)),
  );
  return plan.legacy ? [containerName(config.system, "legacy"), ...inSlots] : inSlots;
}
