import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { Database } from "../../../infra/databases/database.ts";
import { sampleConfig } from "../../support/config.ts";
import { declared, firstStep, only } from "../../support/declared.ts";

const instanceType = "aws:rds/instance:Instance";

describe("Database", () => {
  test("is encrypted with its own key, backed up and protected", async () => {
    const { inputs } = only(await database({}), instanceType);
    expect(inputs).toMatchObject({
      identifier: "flagship-production",
      storageEncrypted: true,
      kmsKeyId: "arn:key",
      backupRetentionPeriod: 14,
      deletionProtection: true,
      skipFinalSnapshot: false,
      finalSnapshotIdentifier: "flagship-production-final",
      publiclyAccessible: false,
    });
  });

  test("names its children after itself", async () => {
    const names = (await database({})).map(({ name }) => name);
    expect(names).toEqual(["main", "main-key", "main-instance"]);
  });

  test("without encryption names no key, because the cloud refuses the pair", async () => {
    const { inputs } = only(await database({ storageEncrypted: false }), instanceType);
    expect(inputs).not.toHaveProperty("kmsKeyId");
    expect(inputs["storageEncrypted"]).toBe(false);
  });

  test("keeps the key rotating", async () => {
    expect(only(await database({}), "aws:kms/key:Key").inputs).toMatchObject({
      enableKeyRotation: true,
    });
  });
});

function database(change: object) {
  return declared(
    () =>
      new Database(
        "main",
        {
          settings: { ...sampleConfig().database, ...change },
          password: pulumi.secret("correct-horse-battery"),
          tlsCa: undefined,
        },
        firstStep,
      ),
    { "aws:kms/key:Key": { arn: "arn:key" } },
  );
}
