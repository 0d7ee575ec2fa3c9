import { expect, test } from "vitest";
import { Backups } from "../../../infra/backups/backups.ts";
import { sampleConfig } from "../../support/config.ts";
import { declared, firstStep, only } from "../../support/declared.ts";

test("Backups lock the vault, fill it every day and cover what they are given", async () => {
  const args = {
    settings: sampleConfig().backups,
    kmsKeyArn: "arn:key",
    resources: ["arn:database"],
  };
  const resources = await declared(() => new Backups("backups", args, firstStep));
  expect(only(resources, "aws:backup/vault:Vault").inputs).toEqual({
    name: "flagship-production",
    kmsKeyArn: "arn:key",
  });
  expect(
    only(resources, "aws:backup/vaultLockConfiguration:VaultLockConfiguration").inputs,
  ).toEqual({
    backupVaultName: "flagship-production",
    minRetentionDays: 14,
  });
  expect(only(resources, "aws:backup/plan:Plan").inputs).toMatchObject({
    rules: [{ targetVaultName: "flagship-production", lifecycle: { deleteAfter: 35 } }],
  });
  expect(only(resources, "aws:backup/selection:Selection").inputs).toMatchObject({
    planId: "backups-plan-id",
    resources: ["arn:database"],
  });
});
