import { z } from "zod";
import { checklistGates, type Checklist } from "../../policies/contract/checklist.ts";
import { phaseAfter, type Phase } from "../../policies/contract/phase.ts";
import type { Readings } from "../../policies/contract/readings.ts";
import { backupRecoveryPoints } from "./aws/backup-recovery-points.ts";
import { backupRestoreJobs } from "./aws/backup-restore-jobs.ts";
import { cloudwatchAlarms } from "./aws/cloudwatch-alarms.ts";
import { ecrImage } from "./aws/ecr-image.ts";
import { rdsInstance } from "./aws/rds-instance.ts";
import { rdsSnapshot } from "./aws/rds-snapshot.ts";
import { s3Bucket } from "./aws/s3-bucket.ts";
import { secretRotation } from "./aws/secret-rotation.ts";
import { sqsQueue } from "./aws/sqs-queue.ts";
import { cloudflareZone } from "./cloudflare/cloudflare-zone.ts";
import { r2Locks } from "./cloudflare/r2-locks.ts";
import { dockerContainer } from "./docker/docker-container.ts";
import { dockerImage } from "./docker/docker-image.ts";
import { gitRelease } from "./git/git-release.ts";
import { dnsAnswers } from "./network/dns-answers.ts";
import { httpEndpoint } from "./network/http-endpoint.ts";
import { registryImage } from "./network/registry-image.ts";
import { tlsCertificate } from "./network/tls-certificate.ts";
import { redisQueue } from "./queues/redis-queue.ts";
import { sqlActivity } from "./sql/sql-activity.ts";
import { sqlQuery } from "./sql/sql-query.ts";
import { readAll } from "./read-all.ts";
import type { ReadingContext, ReadingKind } from "./reading.ts";

/** Every kind of reading. */
export const readingKinds: readonly ReadingKind[] = [
  backupRecoveryPoints,
  backupRestoreJobs,
  cloudwatchAlarms,
  ecrImage,
  rdsInstance,
  rdsSnapshot,
  s3Bucket,
  secretRotation,
  sqsQueue,
  cloudflareZone,
  r2Locks,
  dockerContainer,
  dockerImage,
  gitRelease,
  dnsAnswers,
  httpEndpoint,
  registryImage,
  tlsCertificate,
  redisQueue,
  sqlActivity,
  sqlQuery,
];

/** Where a reading looks, as the stack config says: its kind, and the keys of its kind. */
export interface ReadingConfig {
  readonly kind: string;
  readonly target: unknown;
}

const kindNames = readingKinds.map(({ kind }) => kind);
const kindName = z
  .enum(kindNames)
  .meta({ description: `one of ${kindNames.join(", ")}`, example: "dns-answers" });

/** The readings of a stack config by name. */
export const readingsConfig = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{1,62}$/),
  z.looseObject({ kind: kindName }).transform(({ kind, ...rest }, context): ReadingConfig => {
    const result = kindOf(kind).target.safeParse(rest);
    if (result.success) return { kind, target: result.data };
    // The issues of the kind are the config's own, at their place in it.
    context.issues.push(
      ...result.error.issues.map((issue) => ({ ...issue, input: rest }) as never),
    );
    return z.NEVER;
  }),
);

/** The keys of a reading of a kind, for messages about them; of an unknown kind, its kind alone. */
export function readingShape(kind: unknown): z.ZodObject {
  const target = readingKinds.find((one) => one.kind === kind)?.target;
  return z.object({ kind: kindName, ...(target instanceof z.ZodObject ? target.shape : {}) });
}

/** Reads what the gates of this phase and of the next ask for, and nothing else. */
export async function readWanted(
  configured: Readonly<Record<string, ReadingConfig>>,
  checklist: Checklist,
  phase: Phase,
  context: Pick<ReadingContext, "release" | "database" | "moved">,
): Promise<Readings> {
  const next = phaseAfter(phase);
  const asked = [phase, ...(next === undefined ? [] : [next])].flatMap((one) =>
    checklistGates(checklist, one).map(({ reading }) => reading),
  );
  const wanted = Object.entries(configured)
    .filter(([name]) => asked.includes(name))
    .map(([name, { kind, target }]) => [name, { kind: kindOf(kind), target }] as const);
  return readAll(Object.fromEntries(wanted), { ...context, now: new Date() });
}

function kindOf(name: string): ReadingKind {
  return readingKinds.find(({ kind }) => kind === name) as ReadingKind;
}
