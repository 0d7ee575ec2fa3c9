import type * as pulumi from "@pulumi/pulumi";
import { alarmName } from "../../alarms/alarm-name.ts";
import { Alarms } from "../../alarms/alarms.ts";
import type { StepOptions } from "../../component.ts";
import { Backups } from "../../backups/backups.ts";
import { declareBuckets } from "../../buckets/declare.ts";
import { declareDatabase } from "../../databases/database.ts";
import { EncryptionKey } from "../../keys/encryption-key.ts";
import { acmHosts } from "../../identity/acm-hosts.ts";
import { Certificates } from "../../identity/certificates.ts";
import { declareSecrets } from "../../secrets/declare.ts";
import { images } from "../../services/images.ts";
import { networks, platform } from "../../services/platform.ts";
import { TestAlarm } from "../resources.ts";
import type { Declare, Run } from "../run.ts";

/** What a release stands on: it is there in every phase, and outlives every release. */
export const data: Declare = (run, step) => {
  const { config, password, tlsCa } = run;
  const key = new EncryptionKey("encryption", step);
  const kmsKeyArn = key.arn;
  const below = [...networks(config, step), key];
  const behind = { ...step, dependsOn: [...step.dependsOn, ...below] };
  const database = declareDatabase(
    "database",
    {
      settings: config.database,
      password,
      tlsCa,
      kmsKeyArn,
      system: config.system,
      hosts: config.hosts,
      buckets: config.buckets,
      healthSeconds: config.deadlines.healthSeconds,
      upgraded: run.upgraded,
    },
    behind,
  );
  run.database = database;
  const resources: pulumi.Resource[] = [...below, database.resource];
  if (config.backups !== undefined) {
    const backedUp = { settings: config.backups, kmsKeyArn, resources: [...database.backedUp] };
    resources.push(new Backups("backups", backedUp, step));
  }
  const { corsOrigins = [], certificates = {} } = config.identity ?? {};
  resources.push(...declareBuckets(config.buckets, { kmsKeyArn, corsOrigins }, step));
  if (acmHosts(certificates).length > 0) {
    const { zones } = config.dns;
    resources.push(new Certificates("certificates", { certificates, zones }, step));
  }
  const secrets = declareSecrets(config.secrets, { kmsKeyArn }, step);
  run.secrets = secrets.references;
  resources.push(...secrets.resources);
  if (config.alarms !== undefined) {
    const { system } = config;
    const alarms = new Alarms("alarms", { settings: config.alarms, system, kmsKeyArn }, step);
    const behindAlarms = { ...step, dependsOn: [...step.dependsOn, alarms] };
    resources.push(alarms, ...testedAlarms(run, behindAlarms));
  }
  resources.push(...images(run, step), ...platform(run, behind));
  return resources;
};

/** Every alarm is set off once for the release, so that its route to its receivers is known to work. */
function testedAlarms({ config, plan, stack }: Run, step: StepOptions): pulumi.Resource[] {
  const { system, alarms, deadlines } = config;
  return Object.keys(alarms?.rules ?? {}).map(
    (rule) =>
      new TestAlarm(
        `test-${rule}`,
        {
          stack,
          release: plan.release.version,
          alarm: alarmName(system, rule),
          deadlineSeconds: deadlines.probeSeconds,
        },
        step,
      ),
  );
}
