import {
  BackupClient,
  CreateBackupVaultCommand,
  DescribeBackupVaultCommand,
  PutBackupVaultLockConfigurationCommand,
} from "@aws-sdk/client-backup";
import { afterAll, beforeEach, expect, test } from "vitest";
import { backupRecoveryPoints } from "../../../../infra/readings/aws/backup-recovery-points.ts";
import { startMoto } from "../../../support/moto.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { answerAws, useAws, type Answered, type Asked } from "./aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());
beforeEach(() => {
  useAws(moto.environment);
});

function read(identifier?: string): Promise<Readonly<Record<string, unknown>>> {
  return readFacts(backupRecoveryPoints, { vault: "orders", identifier }, contextOf());
}

/** Seconds since 1970, as AWS Backup tells times. */
function seconds(time: string): number {
  return Date.parse(time) / 1000;
}

function point(status: string, created: string, more: object = {}): object {
  return {
    RecoveryPointArn: "arn:aws:rds:eu-central-1:123456789012:snapshot:awsbackup:job-1",
    ResourceArn: "arn:aws:rds:eu-central-1:123456789012:db:orders",
    Status: status,
    CreationDate: seconds(created),
    CompletionDate: seconds(created) + 60,
    IsEncrypted: true,
    ...more,
  };
}

/** Moto has no recovery points. */
function vaultWith(points: readonly object[], vault: object = {}): (asked: Asked) => Answered {
  return ({ action }) =>
    action.includes("/recovery-points")
      ? JSON.stringify({ RecoveryPoints: points })
      : JSON.stringify({ BackupVaultName: "orders", ...vault });
}

test("a locked vault with complete recovery points", async () => {
  const client = new BackupClient();
  const name = { BackupVaultName: "orders" };
  await client.send(new CreateBackupVaultCommand(name));
  await client.send(new PutBackupVaultLockConfigurationCommand({ ...name, MinRetentionDays: 7 }));
  const { Locked, MinRetentionDays } = await client.send(new DescribeBackupVaultCommand(name));
  client.destroy();
  await answerAws(
    vaultWith(
      [point("COMPLETED", "2026-01-01T00:00:00Z"), point("COMPLETED", "2026-01-02T00:00:00Z")],
      { Locked, MinRetentionDays },
    ),
  );
  expect(await read()).toEqual({
    vaultLocked: true,
    minRetentionDays: 7,
    count: 2,
    newest: {
      status: "COMPLETED",
      createdAt: "2026-01-02T00:00:00.000Z",
      completedAt: "2026-01-02T00:01:00.000Z",
      isEncrypted: true,
    },
  });
});

test("a vault without lock, whose backups do not complete", async () => {
  await answerAws(
    vaultWith(
      [
        point("EXPIRED", "2026-01-01T00:00:00Z"),
        point("PARTIAL", "2026-01-02T00:00:00Z", { IsEncrypted: false, CompletionDate: undefined }),
      ],
      { Locked: false },
    ),
  );
  expect(await read()).toEqual({
    vaultLocked: false,
    minRetentionDays: null,
    count: 2,
    newest: {
      status: "PARTIAL",
      createdAt: "2026-01-02T00:00:00.000Z",
      completedAt: null,
      isEncrypted: false,
    },
  });
});

test.each(["COMPLETED", "AVAILABLE"])("a %s one counts before a newer one", async (status) => {
  const points = [
    point("CREATING", "2026-01-03T00:00:00Z"),
    point(status, "2026-01-01T00:00:00Z"),
    point("PARTIAL", "2026-01-02T00:00:00Z"),
  ];
  await answerAws(vaultWith(points));
  expect(await read()).toMatchObject({ count: 3, newest: { status } });
});

test("an empty vault, of which AWS tells no lock", async () => {
  await answerAws(vaultWith([]));
  expect(await read()).toEqual({
    vaultLocked: null,
    minRetentionDays: null,
    count: 0,
    newest: null,
  });
});

test("only what has the identifier at the end of its ARN counts", async () => {
  const other = "arn:aws:rds:eu-central-1:123456789012:db:other-orders";
  const table = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
  await answerAws(
    vaultWith([
      point("COMPLETED", "2026-01-01T00:00:00Z", { ResourceArn: table }),
      point("COMPLETED", "2026-01-02T00:00:00Z", { ResourceArn: other }),
      point("COMPLETED", "2026-01-03T00:00:00Z", { ResourceArn: undefined }),
    ]),
  );
  expect(await read("orders")).toMatchObject({
    count: 1,
    newest: { createdAt: "2026-01-01T00:00:00.000Z" },
  });
});

test("the newest may be on a later page", async () => {
  await answerAws(({ action, url }) => {
    if (!action.includes("/recovery-points")) return JSON.stringify({ Locked: true });
    return url.searchParams.get("nextToken") === "next"
      ? JSON.stringify({ RecoveryPoints: [point("COMPLETED", "2026-01-02T00:00:00Z")] })
      : JSON.stringify({
          RecoveryPoints: [point("COMPLETED", "2026-01-01T00:00:00Z")],
          NextToken: "next",
        });
  });
  expect(await read()).toMatchObject({
    count: 2,
    newest: { createdAt: "2026-01-02T00:00:00.000Z" },
  });
});

test("a vault that does not exist", async () => {
  const none = readFacts(backupRecoveryPoints, { vault: "none" }, contextOf());
  expect((await failureOf(none)).message).toBe("there is no AWS Backup vault none in eu-central-1");
});

test("a denied vault may be one that does not exist", async () => {
  await answerAws(() => [403, JSON.stringify({ __type: "AccessDeniedException" })]);
  expect((await failureOf(read())).message).toBe(
    "AWS denies backup:DescribeBackupVault. To do: allow the run's credentials this action, and check that the vault exists",
  );
});

test("a vault without a name is refused", () => {
  expect(backupRecoveryPoints.target.safeParse({ vault: "" }).success).toBe(false);
});
