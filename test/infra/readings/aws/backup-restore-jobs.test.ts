import { expect, test } from "vitest";
import { backupRestoreJobs } from "../../../../infra/readings/aws/backup-restore-jobs.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { answerAws, type Asked } from "./aws.ts";

interface Target {
  readonly resourceType?: string;
  readonly identifier?: string;
  readonly withinDays?: number;
}

function read(target: Target = {}): Promise<Readonly<Record<string, unknown>>> {
  return readFacts(
    backupRestoreJobs,
    { withinDays: 90, ...target },
    contextOf({ now: new Date("2026-04-01T00:00:00Z") }),
  );
}

/** Moto has no restore jobs. Times are seconds since 1970, as AWS Backup tells them. */
function job(status: string, completed: string | undefined, more: object = {}): object {
  return {
    RestoreJobId: "1",
    SourceResourceArn: "arn:aws:rds:eu-central-1:123456789012:db:orders",
    Status: status,
    StatusMessage: "canary",
    CreationDate: Date.parse("2026-02-01T00:00:00Z") / 1000,
    ...(completed === undefined ? {} : { CompletionDate: Date.parse(completed) / 1000 }),
    ...more,
  };
}

function answerJobs(jobs: readonly object[]): Promise<readonly Asked[]> {
  return answerAws(() => JSON.stringify({ RestoreJobs: jobs }));
}

test("a completed and validated restore", async () => {
  const asked = await answerJobs([
    job("COMPLETED", "2026-03-01T00:00:00Z", { ValidationStatus: "SUCCESSFUL" }),
    job("COMPLETED", "2026-02-01T00:00:00Z", { ValidationStatus: "FAILED" }),
    job("FAILED", "2026-02-15T00:00:00Z"),
  ]);
  const value = await read({ resourceType: "RDS" });
  expect(value).toEqual({
    newest: {
      status: "COMPLETED",
      completedAt: "2026-03-01T00:00:00.000Z",
      validationStatus: "SUCCESSFUL",
    },
    failuresSince: 0,
  });
  expect(JSON.stringify(value)).not.toContain("canary");
  expect(asked[0]?.url.searchParams.get("resourceType")).toBe("RDS");
  expect(asked[0]?.url.searchParams.get("createdAfter")).toContain("2026-01-01T00:00:00");
});

test("restores that failed, were aborted or still run", async () => {
  await answerJobs([
    job("FAILED", "2026-03-01T00:00:00Z"),
    job("ABORTED", undefined),
    job("RUNNING", undefined),
    job("PENDING", undefined),
  ]);
  expect(await read()).toEqual({ newest: null, failuresSince: 2 });
});

test("a restore that was not validated", async () => {
  await answerJobs([job("COMPLETED", "2026-03-01T00:00:00Z")]);
  expect(await read()).toMatchObject({ newest: { validationStatus: null } });
});

test.each([
  ["2026-03-01T00:00:00Z", 0],
  ["2026-03-01T00:00:01Z", 1],
])("a failure at %s counts as %i since the restore", async (failed, failures) => {
  await answerJobs([job("COMPLETED", "2026-03-01T00:00:00Z"), job("FAILED", failed)]);
  expect(await read()).toMatchObject({ failuresSince: failures });
});

test("no restores", async () => {
  await answerJobs([]);
  expect(await read()).toEqual({ newest: null, failuresSince: 0 });
});

test("only restores of the identifier count, and failures of what is unknown", async () => {
  const other = { SourceResourceArn: "arn:aws:rds:eu-central-1:123456789012:db:other" };
  const unknown = { SourceResourceArn: undefined };
  await answerJobs([
    job("COMPLETED", "2026-01-01T00:00:00Z"),
    job("COMPLETED", "2026-03-01T00:00:00Z", other),
    job("COMPLETED", "2026-03-02T00:00:00Z", unknown),
    job("FAILED", "2026-03-03T00:00:00Z", other),
    job("FAILED", "2026-03-04T00:00:00Z", unknown),
    job("FAILED", "2026-03-05T00:00:00Z"),
  ]);
  expect(await read({ identifier: "orders" })).toMatchObject({
    newest: { completedAt: "2026-01-01T00:00:00.000Z" },
    failuresSince: 2,
  });
});

test("a broken answer is an error", async () => {
  await answerAws(() => '{"RestoreJobs":[{"StatusMessage":"canary"');
  const { message } = await failureOf(read());
  expect(message).toContain("backup:ListRestoreJobs does not speak its protocol");
  expect(message).not.toContain("canary");
});

test.each([
  [{}, 90],
  [{ withinDays: 1 }, 1],
  [{ withinDays: 1000 }, 1000],
])("the days of %j", (target, withinDays) => {
  expect(backupRestoreJobs.target.parse(target)).toEqual({ withinDays });
});

test.each([0, -1, 1001, 1.5, "90", Number.NaN])("%j days are refused", (withinDays) => {
  expect(backupRestoreJobs.target.safeParse({ withinDays }).success).toBe(false);
});

test.each([
  [{ withinDays: 90 }, "restores"],
  [{ withinDays: 90, resourceType: "RDS" }, "RDS"],
  [{ withinDays: 90, resourceType: "RDS", identifier: "orders" }, "orders"],
])("the subject of %j", (target, subject) => {
  expect(backupRestoreJobs.subject(target)).toBe(subject);
});
