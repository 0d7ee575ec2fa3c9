import type * as pulumi from "@pulumi/pulumi";
import type { StepId } from "../../policies/contract/steps.ts";
import type { Declare, Run } from "./run.ts";
import { announce } from "./steps/announce.ts";
import { data } from "./steps/data.ts";
import { switchDns, ttlShown } from "./steps/dns.ts";
import { freeze, lift } from "./steps/freeze.ts";
import { guard } from "./steps/guard.ts";
import { legacy, retire } from "./steps/legacy.ts";
import { migrate } from "./steps/migrate.ts";
import { probe, verify } from "./steps/probe.ts";
import { record } from "./steps/record.ts";
import { restoreTest, snapshot, upgrade } from "./steps/recovery.ts";
import { jobs, service } from "./steps/services.ts";

/** One ordered action of a release. */
export interface Step {
  readonly id: StepId;
  /** What it does, as an operator would say it. */
  readonly title: string;
  /**
   * Declares the step's resources; none when the run has nothing to do here.
   *
   * @param id the step's own, or the service's name where a step is there once for each service
   */
  readonly declare: (run: Run, step: Parameters<Declare>[1], id: string) => pulumi.Resource[];
}

/** The whole release, in order. Every step waits for all steps before it. */
export const sequence: readonly Step[] = [
  { id: "enter", title: "open the gates of this phase", declare: guard("entry") },
  { id: "data", title: "databases, backups, buckets and what else stands below", declare: data },
  { id: "check-data", title: "judge the data resources", declare: guard("data") },
  { id: "restore-test", title: "restore a recovery point, ask it", declare: restoreTest },
  { id: "legacy", title: "keep the legacy system running", declare: legacy },
  { id: "announce", title: "announce what is about to happen", declare: announce("announce") },
  { id: "freeze", title: "freeze writes", declare: freeze },
  { id: "snapshot", title: "take a recovery point", declare: snapshot },
  { id: "upgrade", title: "bring the database to its new version", declare: upgrade },
  { id: "migrate", title: "run the migrations", declare: migrate },
  { id: "data-jobs", title: "run the jobs on the data", declare: jobs("data-jobs") },
  { id: "services", title: "start the services, each after those it needs", declare: service },
  { id: "check-jobs", title: "run the jobs that check", declare: jobs("check-jobs") },
  { id: "probe", title: "ask the new target, not through DNS", declare: probe },
  { id: "check-switch", title: "judge the services", declare: guard("switch") },
  { id: "switch", title: "point DNS at the target", declare: switchDns },
  { id: "ttl-shown", title: "wait until the resolvers show the new TTL", declare: ttlShown },
  { id: "verify", title: "ask through DNS", declare: verify },
  { id: "lift", title: "open writes again", declare: lift },
  { id: "retire", title: "stop the legacy system", declare: retire },
  { id: "publish", title: "announce what has happened", declare: announce("publish") },
  { id: "record", title: "write the release record", declare: record },
];

const services = sequence.find(({ id }) => id === "services") as Step;

/** Declares every step of the plan, each behind the ones before it. */
export function walk(run: Run): void {
  let behind: pulumi.Resource[] = [];
  for (const id of run.plan.steps) {
    const { declare } = sequence.find((step) => step.id === id) ?? services;
    const declared = declare(run, { dependsOn: behind, hooks: run.hooks }, id);
    if (declared.length > 0) behind = declared;
  }
}
