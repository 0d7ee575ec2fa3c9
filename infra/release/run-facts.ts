import type { GuardFacts, RecordFacts } from "../../policies/contract/facts.ts";
import { digestOf } from "../../policies/contract/digest.ts";
import { alarmName } from "../alarms/alarm-name.ts";
import { openConfig, type Config } from "../config.ts";
import { identityFacts } from "../identity/facts.ts";
import { unitName } from "../services/render/systemd.ts";
import { servingVersion, slots, type LiveRecord, type Slot } from "./ledger.ts";
import { phasesOf } from "./phases.ts";
import { releasedServices, type Plan } from "./plan.ts";

/** What every guard of a run is told, but for its own name. */
export type RunFacts = Omit<GuardFacts, "guard">;

/**
 * The facts of a run, all known before anything is registered.
 *
 * @param known digests of the signed evidence and of the checklist, and what the run would replace
 */
export function runFacts(
  config: Config,
  plan: Plan,
  stack: string,
  known: Pick<GuardFacts, "evidenceDigest" | "checklistDigest" | "replaced">,
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
      restoreTest: plan.before.restoreTest,
      legacyExport: plan.before.legacyExport,
    },
    phases: phasesOf(config),
    notBefore: config.notBefore,
    steps: plan.steps,
    plannedCutover: config.cutoverAt ?? null,
    ttlSeconds: plan.ttlSeconds,
    owners: config.owners,
    declared: declaredTexts({ ...open, readings: asWritten(open.readings) }),
    ...known,
    covers: covered(config, plan),
    identity: identityFacts(config, "cutover"),
    legacy: { d1: plan.before.legacy ? (config.legacy?.d1?.name ?? null) : null },
    clockScale: config.clockScale,
    configDigest: digestOf(open),
  };
}

function recordFacts({ release, at, verdicts }: LiveRecord): RecordFacts {
  return { release: release.version, at, verdicts };
}

/** Readings as the stack config has them: what a kind asks stands beside its name there. */
function asWritten(readings: Config["readings"]): Record<string, object> {
  return Object.fromEntries(
    Object.entries(readings).map(([name, { kind, target }]) => [
      name,
      { kind, ...(target as object) },
    ]),
  );
}

/** The stack config by dotted key; lists joined with a comma, lists of groups by number. */
function declaredTexts(value: unknown, path = ""): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value === "string") return { [path]: value };
  if (typeof value !== "object") return { [path]: JSON.stringify(value) };
  if (Array.isArray(value) && value.every((entry) => typeof entry !== "object")) {
    return { [path]: value.map(String).join(", ") };
  }
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, entry]) =>
      declaredTexts(entry, path === "" ? key : `${path}.${key}`),
    ),
  ) as Record<string, string>;
}

/** Name of a container: of a service in its place or in a slot, or of the legacy system. */
export function containerName(system: string, place: string | undefined, service?: string): string {
  return [system, place, service].filter((part) => part !== undefined).join("-");
}

/** What a service answers when it is asked for its slot. */
export function slotName(
  service: string,
  slot: Slot,
  { services }: Pick<Config, "services">,
): string {
  return services[service]?.placement === "in-place" ? "in-place" : slot;
}

function covered(config: Config, plan: Plan): GuardFacts["covers"] {
  const { database, buckets } = config;
  const named = (store: "s3" | "r2"): string[] =>
    Object.values(buckets).flatMap((bucket) => (bucket.store === store ? [bucket.name] : []));
  return {
    databases: database.kind === "rds" ? [database.identifier] : [],
    containerDatabases:
      database.kind === "container" ? [containerName(config.system, "database")] : [],
    backups: config.backups === undefined ? [] : [config.backups.vault],
    buckets: named("s3"),
    archives: named("r2"),
    services: coveredServices(config, plan),
    units: coveredUnits(config, plan),
    secrets: Object.values(config.secrets).flatMap((secret) =>
      secret.store === "secrets-manager" ? [secret.name] : [],
    ),
    alarms: Object.keys(config.alarms?.rules ?? {}).map((rule) => alarmName(config.system, rule)),
  };
}

function coveredUnits({ system, services }: Config, { slots: held, serving }: Plan): string[] {
  const release = serving === "legacy" ? null : held[serving];
  return Object.entries(services).flatMap(([service, { systemd }]) =>
    systemd === undefined || release?.images[service] === undefined
      ? []
      : [unitName({ system, service, slot: undefined, settings: { systemd } })],
  );
}

function coveredServices(config: Config, plan: Plan): string[] {
  const { system, services } = config;
  const platform = Object.entries(services)
    .filter(([, { image }]) => image !== undefined)
    .map(([name]) => containerName(system, undefined, name));
  const released = slots.flatMap((slot) =>
    releasedServices(config).flatMap((name) => {
      if (plan.slots[slot]?.images[name] === undefined) return [];
      if (services[name]?.systemd !== undefined) return [];
      if (services[name]?.placement !== "in-place") return [containerName(system, slot, name)];
      return slot === plan.serving ? [containerName(system, undefined, name)] : [];
    }),
  );
  const legacy = plan.legacy ? [containerName(system, "legacy")] : [];
  const database = config.database.kind === "container" ? [containerName(system, "database")] : [];
  return [...database, ...platform, ...legacy, ...released];
}
