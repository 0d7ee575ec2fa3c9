import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Snapshot } from "@pulumi/aws/rds/snapshot.js";
import { duration } from "../../policies/contract/checklist.ts";
import type { StepId } from "../../policies/contract/steps.ts";
import type { GuardName } from "../../policies/contract/facts.ts";
import { Backups } from "../backups/backups.ts";
import { Archive } from "../buckets/archive.ts";
import { Bucket } from "../buckets/bucket.ts";
import type { StepOptions } from "../component.ts";
import type { Config } from "../config.ts";
import { Database } from "../databases/database.ts";
import { DnsRecords } from "../dns/dns-records.ts";
import { Service } from "../services/service.ts";
import { announcementsOf, type AnnouncingStep } from "./announcements.ts";
import { guardPassage, passedHooks, type Passage } from "./guards.ts";
import { containerName, type RunFacts } from "./run-facts.ts";
import { liftOnError } from "./lift-on-error.ts";
import { slots, type LedgerEntry, type Slot } from "./ledger.ts";
import { addressOf, type Plan } from "./plan.ts";
import type { Release, ServiceName } from "./release.ts";
import {
  Announcement,
  Guard,
  Migration,
  Probe,
  ReleaseRecord,
  WriteFreeze,
  type Evidence,
  type ProbeArgs,
  type WriteFreezeArgs,
} from "./resources.ts";

/** Everything that the steps of a run share. Steps fill in what later steps need. */
export interface Run {
  readonly config: Config;
  readonly plan: Plan;
  readonly facts: RunFacts;
  readonly evidence: Evidence;
  readonly stack: string;
  /** Absolute path of the system's folder. */
  readonly folder: string;
  readonly password: pulumi.Output<string>;
  /** PEM of the database server's CA, when the config names a file. */
  readonly tlsCa: string | undefined;
  /** What must have been passed by everything that is declared from here on. */
  passages: readonly Passage[];
  /** The guards that were declared so far. */
  guards: readonly Guard[];
  /** Hooks of everything that is declared from here on. */
  hooks: pulumi.ResourceHookBinding;
  database?: Database;
  freeze?: WriteFreeze;
  snapshot?: Snapshot;
  record?: ReleaseRecord;
}

/** One ordered action of a release. */
export interface Step {
  readonly id: StepId;
  /** What it does, as an operator would say it. */
  readonly title: string;
  /** Declares the step's resources; none when the run has nothing to do here. */
  readonly declare: (run: Run, step: StepOptions) => pulumi.Resource[];
}

/** The whole release, in order. Every step waits for all steps before it. */
export const sequence: readonly Step[] = [
  { id: "enter", title: "open the gates of this phase", declare: guard("entry") },
  { id: "data", title: "databases, backups and buckets", declare: data },
  { id: "check-data", title: "judge the data resources", declare: guard("data") },
  { id: "legacy", title: "keep the legacy system running", declare: legacy },
  { id: "announce", title: "announce what is about to happen", declare: announce("announce") },
  { id: "freeze", title: "freeze writes", declare: freeze },
  { id: "snapshot", title: "take a recovery point", declare: snapshot },
  { id: "migrate", title: "run the migrations", declare: migrate },
  { id: "api", title: "start the api", declare: service("api") },
  { id: "worker", title: "start the worker", declare: service("worker") },
  { id: "web", title: "start the web", declare: service("web") },
  { id: "probe", title: "ask the new target, not through DNS", declare: probe },
  { id: "check-switch", title: "judge the services", declare: guard("switch") },
  { id: "switch", title: "point DNS at the target", declare: switchDns },
  { id: "verify", title: "ask through DNS", declare: verify },
  { id: "lift", title: "open writes again", declare: lift },
  { id: "publish", title: "announce what has happened", declare: announce("publish") },
  { id: "record", title: "write the release record", declare: record },
];

/** Declares every step, each behind the ones before it. */
export function walk(run: Run, steps: readonly Step[] = sequence): void {
  let behind: pulumi.Resource[] = [];
  for (const step of steps.filter(({ id }) => run.plan.steps.includes(id))) {
    const declared = step.declare(run, { dependsOn: behind, hooks: run.hooks });
    if (declared.length > 0) behind = declared;
  }
}

function guard(name: GuardName): Step["declare"] {
  return (run, step) => {
    const told = name === "entry" ? run.evidence : {};
    const declared = new Guard(name, { facts: { guard: name, ...run.facts }, ...told }, step);
    run.guards = [...run.guards, declared];
    stand(run, guardPassage(name, declared, run.facts));
    return [declared];
  };
}

/** From here on, everything stands behind these passages too. */
function stand(run: Run, ...passages: readonly Passage[]): void {
  run.passages = [...run.passages, ...passages];
  run.hooks = { ...run.hooks, ...passedHooks(run.passages, run.facts) };
}

function data(run: Run, step: StepOptions): pulumi.Resource[] {
  const { config, password } = run;
  const { tlsCa } = run;
  const database = new Database("database", { settings: config.database, password, tlsCa }, step);
  const kmsKeyArn = database.key.arn;
  const backups = new Backups(
    "backups",
    { settings: config.backups, kmsKeyArn, resources: [database.instance.arn] },
    step,
  );
  const bucket = new Bucket("documents", { settings: config.bucket, kmsKeyArn }, step);
  const archive = new Archive("archive", { settings: config.archive }, step);
  run.database = database;
  return [database, backups, bucket, archive];
}

function legacy(run: Run, step: StepOptions): pulumi.Resource[] {
  const { config, plan } = run;
  if (!plan.legacy) return [];
  const place = "legacy";
  return [
    new Service(
      place,
      {
        container: containerName(config.system, place),
        image: config.legacy.image,
        address: config.legacy.address,
        port: config.services.port,
        env: { SLOT: place, DATABASE_URL: databaseUrl(run) },
        memoryMib: config.services.memoryMib,
        healthSeconds: config.deadlines.healthSeconds,
        // Protected until traffic has left it for good; only then may `decommission` remove it.
        protect: plan.phase !== "finalize",
      },
      step,
    ),
  ];
}

/**
 * Announcements that must be answered before the next step. `announce` stands before the freeze: what nobody was told
 * does not begin. `publish` stands before nothing but the record, so a dead webhook never keeps traffic from moving
 * back: it only keeps the record from being written, and a repeated run finishes.
 */
function announce(id: AnnouncingStep): Step["declare"] {
  return (run, step) =>
    announcementsOf(id, run.config, run.plan).map(
      ([name, { on, text, dueWithin }]) =>
        new Announcement(
          name,
          {
            stack: run.stack,
            release: run.plan.release.version,
            name,
            on,
            text,
            url: pulumi.secret(run.config.webhooks[name] as string),
            plannedCutover: run.config.cutoverAt,
            lastLiveAt: run.plan.newestRecord?.at,
            dueWithinSeconds: dueWithin === undefined ? undefined : duration.parse(dueWithin),
          },
          step,
        ),
    );
}

function freeze(run: Run, step: StepOptions): pulumi.Resource[] {
  const args = freezeArgs(run, "frozen");
  if (args === undefined) return [];
  run.freeze = new WriteFreeze("freeze", args, step);
  if (run.plan.moves && run.plan.direction === "forward") {
    run.hooks = { ...run.hooks, onError: [liftOnError(args.connection, args.stack, args.release)] };
  }
  return [run.freeze];
}

function snapshot(run: Run, step: StepOptions): pulumi.Resource[] {
  const { config, plan, freeze: frozen } = run;
  if (frozen === undefined || plan.migratedFor === null) return [];
  const { identifier } = config.database;
  const version = plan.migratedFor;
  run.snapshot = new Snapshot(
    "recovery-point",
    {
      dbInstanceIdentifier: identifier,
      // The freeze's token makes a recovery point of its own for every freeze: a stale one is never taken for this one.
      dbSnapshotIdentifier: pulumi.interpolate`${identifier}-${version.replaceAll(".", "-")}-${frozen.token.apply((token) => token.slice(0, 8))}`,
      tags: { "cutover:release": version },
    },
    { ...step, retainOnDelete: true },
  );
  return [run.snapshot];
}

function migrate(run: Run, step: StepOptions): pulumi.Resource[] {
  const { plan, database } = run;
  if (database === undefined || plan.migratedFor === null) return [];
  return [
    new Migration(
      "migrations",
      {
        connection: database.connection,
        stack: run.stack,
        release: plan.migratedFor,
        folder: join(run.folder, "migrations"),
        files: plan.migrations,
      },
      step,
    ),
  ];
}

function service(name: ServiceName): Step["declare"] {
  return (run, step) =>
    slots.flatMap((slot) => {
      const release = run.plan.slots[slot];
      return release === null ? [] : [slotService(name, slot, release, run, step)];
    });
}

function slotService(
  name: ServiceName,
  slot: Slot,
  release: Release,
  run: Run,
  step: StepOptions,
): Service {
  const { config } = run;
  const address = addressOf(slot, config);
  return new Service(
    `${slot}-${name}`,
    {
      container: containerName(config.system, slot, name),
      image: release.images[name],
      address,
      port: portOf(name, config),
      env: {
        SLOT: slot,
        DATABASE_URL: databaseUrl(run),
        API_URL: `http://${address}:${portOf("api", config)}`,
      },
      memoryMib: config.services.memoryMib,
      healthSeconds: config.deadlines.healthSeconds,
      protect: false,
    },
    step,
  );
}

function probe(run: Run, step: StepOptions): pulumi.Resource[] {
  const { config, plan } = run;
  const serving = servingRelease(plan);
  if (serving === undefined) return [];
  const probes = (["api", "web"] as const).map((name) => ({
    name: `probe-${name}`,
    probe: new Probe(
      `probe-${name}`,
      {
        stack: run.stack,
        release: serving.version,
        url: `http://${config.dns.names[0] as string}:${portOf(name, config)}/healthz`,
        address: addressOf(plan.serving, config),
        expect: expected(serving, plan),
        deadlineSeconds: config.deadlines.probeSeconds,
      },
      step,
    ),
  }));
  // Guards judge what is declared; only a probe of this run tells that the target answers.
  stand(
    run,
    ...probes.map(({ name, probe }) => ({
      name,
      passed: probe.release,
      expected: serving.version,
    })),
  );
  return probes.map(({ probe }) => probe);
}

function switchDns(run: Run, step: StepOptions): pulumi.Resource[] {
  const { config, plan } = run;
  const { zoneId, names } = config.dns;
  const address = addressOf(plan.serving, config);
  return [new DnsRecords("dns", { zoneId, names, address, ttlSeconds: plan.ttlSeconds }, step)];
}

function verify(run: Run, step: StepOptions): pulumi.Resource[] {
  const { config, plan } = run;
  const serving = servingRelease(plan);
  if (serving === undefined) return [];
  return config.dns.names.map(
    (name) =>
      new Probe(
        `verify-${name}`,
        {
          stack: run.stack,
          release: serving.version,
          url: `http://${name}:${portOf("web", config)}/healthz`,
          resolvers: config.dns.resolvers,
          expectAddress: addressOf(plan.serving, config),
          expect: expected(serving, plan),
          // Resolvers may give the old answer for as long as it was allowed to live.
          deadlineSeconds: config.dns.ttl.lowered + config.deadlines.probeSeconds,
        },
        step,
      ),
  );
}

function lift(run: Run, step: StepOptions): pulumi.Resource[] {
  const args = freezeArgs(run, "open");
  if (args === undefined) return [];
  const lifted = new WriteFreeze("lift", args, step);
  const { onError: _done, ...sealed } = run.hooks;
  run.hooks = sealed;
  return [lifted];
}

function record(run: Run, step: StepOptions): pulumi.Resource[] {
  const {
    before: _before,
    recorded: _recorded,
    newestRecord: _newest,
    ownRecord: _own,
    steps: _steps,
    ...outcome
  } = run.plan;
  const snapshot = run.snapshot?.dbSnapshotIdentifier ?? null;
  const { configDigest } = run.facts;
  run.record = new ReleaseRecord(
    "ledger",
    { entry: pulumi.output({ ...outcome, ...answersOf(run.guards), snapshot, configDigest }) },
    { ...step, protect: true },
  );
  return [run.record];
}

/** What the guards were sealed with, in one. */
function answersOf(guards: readonly Guard[]): {
  readonly verdicts: pulumi.Output<LedgerEntry["verdicts"]>;
  readonly waivers: pulumi.Output<LedgerEntry["waivers"]>;
} {
  return {
    verdicts: pulumi.all(guards.map(({ verdicts }) => verdicts)).apply(merged),
    waivers: pulumi.all(guards.map(({ waivers }) => waivers)).apply(merged),
  };
}

function merged<Value>(records: readonly Readonly<Record<string, Value>>[]): Record<string, Value> {
  return Object.assign({}, ...records) as Record<string, Value>;
}

/** What a freeze and its lift are made from; undefined while no release has moved data yet. */
function freezeArgs(run: Run, writes: "frozen" | "open"): WriteFreezeArgs | undefined {
  const { config, plan, database } = run;
  if (database === undefined || plan.migratedFor === null) return undefined;
  return {
    connection: database.connection,
    stack: run.stack,
    release: plan.migratedFor,
    writes,
    drainSeconds: config.deadlines.drainSeconds,
  };
}

function servingRelease(plan: Plan): Release | undefined {
  return plan.serving === "legacy" ? undefined : (plan.slots[plan.serving] ?? undefined);
}

/** What a service of this release answers: its version without the v, and its slot. */
function expected(release: Release, plan: Plan): ProbeArgs["expect"] {
  return { status: 200, version: release.version.slice(1), json: { slot: plan.serving } };
}

/** Ports of the services; clients only ever see the web's. */
function portOf(name: ServiceName, config: Config): number {
  return config.services.port + { web: 0, api: 1, worker: 2 }[name];
}

function databaseUrl(run: Run): pulumi.Output<string> {
  const { host, port, user, database, password } = (run.database as Database).connection;
  const secret = password.apply((text) => encodeURIComponent(text));
  const tls = run.tlsCa === undefined ? "" : "?sslmode=require";
  return pulumi.interpolate`postgres://${user}:${secret}@${host}:${port}/${database}${tls}`;
}
