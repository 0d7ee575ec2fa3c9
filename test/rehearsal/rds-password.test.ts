import { rm } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Wire } from "../support/engine.ts";
import {
  databaseInputs,
  databaseUrl,
  startTestCloud,
  temporaryFolder,
  type Made,
  type Subject,
  type TestCloud,
} from "./support.ts";

let folder: string;
let cloud: TestCloud;
let instances: Subject;

beforeAll(async () => {
  folder = await temporaryFolder();
  cloud = await startTestCloud({ folder });
  instances = cloud.subject("aws:rds/instance:Instance");
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

function managed(identifier: string, more: Wire = {}): Wire {
  const { password: _password, ...inputs } = databaseInputs(identifier);
  return { ...inputs, manageMasterUserPassword: true, ...more };
}

function secretArn({ outputs }: Made): string {
  const [secret] = outputs["masterUserSecrets"] as { secretArn: string }[];
  return secret?.secretArn ?? "";
}

async function secretOf(made: Made): Promise<{ username: string; password: string }> {
  const version = await cloud.clients.aws.invoke(
    "aws:secretsmanager/getSecretVersion:getSecretVersion",
    { secretId: secretArn(made) },
  );
  return JSON.parse(String(version["secretString"])) as { username: string; password: string };
}

async function letsIn(made: Made, password: string): Promise<boolean> {
  const client = new Client(databaseUrl(made, password));
  try {
    await client.connect();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "28P01") return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

test("RDS makes the master password, keeps it in a secret, rotates it, and forgets it", async () => {
  const made = await instances.create(managed("managed"));
  expect(made.outputs["masterUserSecrets"]).toEqual([
    {
      secretArn: expect.stringMatching(/:secret:rds!db-[0-9a-f-]{36}-\w{6}$/) as unknown,
      secretStatus: "active",
      kmsKeyId: "arn:aws:kms:us-east-1:123456789012:alias/aws/secretsmanager",
    },
  ]);
  const { username, password } = await secretOf(made);
  expect(username).toBe("cutover");
  expect(JSON.stringify(made.outputs)).not.toContain(password);
  expect(await letsIn(made, password)).toBe(true);
  expect(
    await cloud
      .subject("aws:secretsmanager/secretVersion:SecretVersion")
      .refusal({ secretId: secretArn(made), secretString: "mine" }),
  ).toMatch(/it is managed by rds/);

  const rotations = cloud.subject("aws:secretsmanager/secretRotation:SecretRotation");
  const rotationRules = { automaticallyAfterDays: 30 };
  const rotation = { secretId: secretArn(made), rotationRules };
  await rotations.create({ ...rotation, rotateImmediately: false });
  expect((await secretOf(made)).password).toBe(password);
  await rotations.create(rotation);
  const rotated = await secretOf(made);
  expect(rotated.password).not.toBe(password);
  expect(await letsIn(made, rotated.password)).toBe(true);
  expect(await letsIn(made, password)).toBe(false);

  await instances.delete(made);
  await expect(secretOf(made)).rejects.toThrow("ResourceNotFoundException");
});

test("the password goes into a secret, out of it again, and with a restored copy into its own", async () => {
  const made = await instances.create(databaseInputs("moved"));
  expect(made.outputs["masterUserSecrets"]).toEqual([]);
  const kept = await instances.update(made, managed("moved"));
  const { password } = await secretOf(kept);
  expect(await letsIn(kept, password)).toBe(true);
  expect(await letsIn(kept, "right-password")).toBe(false);

  const again = await instances.update(kept, managed("moved", { backupRetentionPeriod: 7 }));
  expect(secretArn(again)).toBe(secretArn(kept));
  const nothing = { ...managed("moved") };
  delete nothing["manageMasterUserPassword"];
  await expect(instances.update(again, nothing)).rejects.toThrow("must specify MasterUserPassword");

  await cloud
    .subject("aws:rds/snapshot:Snapshot")
    .create({ dbInstanceIdentifier: "moved", dbSnapshotIdentifier: "moved-before" });
  const restored = await instances.create(
    managed("moved-copy", { snapshotIdentifier: "moved-before" }),
  );
  expect(secretArn(restored)).not.toBe(secretArn(kept));
  expect(await letsIn(restored, (await secretOf(restored)).password)).toBe(true);
  await instances.delete(restored);

  const given = await instances.update(again, databaseInputs("moved"));
  expect(given.outputs["masterUserSecrets"]).toEqual([]);
  expect(await letsIn(given, "right-password")).toBe(true);
  await expect(secretOf(kept)).rejects.toThrow("ResourceNotFoundException");
  await instances.delete(given);
});

test("a password of one's own and one that RDS manages do not go together", async () => {
  const both = databaseInputs("both", { manageMasterUserPassword: true });
  expect(await instances.check(both)).toEqual({
    manageMasterUserPassword: "conflicts with password",
  });
  expect(
    await instances.check(databaseInputs("fine", { manageMasterUserPassword: false })),
  ).toEqual({});
});

test("the secret's key must be one that can be used, and belongs to a managed password", async () => {
  const key = "arn:aws:kms:us-east-1:123456789012:key/none";
  expect(await instances.refusal(managed("keyless", { masterUserSecretKmsKeyId: key }))).toMatch(
    /KMSKeyNotAccessibleFault/,
  );
  expect(await instances.refusal(databaseInputs("own", { masterUserSecretKmsKeyId: key }))).toMatch(
    /only specify MasterUserSecretKmsKeyId when ManageMasterUserPassword is enabled/,
  );
});
