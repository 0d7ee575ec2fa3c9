import { readFileSync, readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { secret, type Wire } from "../support/engine.ts";
import {
  startTestCloud,
  temporaryFolder,
  until,
  type Made,
  type Subject,
  type TestCloud,
} from "./support.ts";

let folder: string;
let cloud: TestCloud;
let secrets: Subject;
let versions: Subject;
let rotations: Subject;

beforeAll(async () => {
  folder = await temporaryFolder();
  // At this scale seven days pass in 60 ms.
  cloud = await startTestCloud({ folder, clockScale: 10_000_000 });
  secrets = cloud.subject("aws:secretsmanager/secret:Secret");
  versions = cloud.subject("aws:secretsmanager/secretVersion:SecretVersion");
  rotations = cloud.subject("aws:secretsmanager/secretRotation:SecretRotation");
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

const getVersion = "aws:secretsmanager/getSecretVersion:getSecretVersion";

function read(secretId: string, more: Wire = {}): Promise<Wire> {
  return cloud.clients.aws.invoke(getVersion, { secretId, ...more });
}

test("a value lies in a file of its owner's, and in no output", async () => {
  const made = await secrets.create({ name: "kept" });
  const inputs = { secretId: made.id, secretString: secret("never-shown") };
  const version = await versions.create(inputs);

  expect(version.outputs).toMatchObject({
    arn: made.id,
    secretId: made.id,
    versionStages: ["AWSCURRENT"],
  });
  expect(JSON.stringify(version.outputs)).not.toContain("never-shown");
  expect(version.outputs).not.toHaveProperty("secretString");
  const holding = readdirSync(folder).filter((file) => {
    const path = join(folder, file);
    return statSync(path).isFile() && readFileSync(path, "utf8").includes("never-shown");
  });
  expect(holding).toEqual(["aws-secret-values.json"]);
  expect(statSync(join(folder, "aws-secret-values.json")).mode & 0o777).toBe(0o600);
  expect(await versions.preview(inputs)).not.toHaveProperty("secretString");
});

test("another value is another version, and the one before keeps its place behind it", async () => {
  const made = await secrets.create({ name: "versioned" });
  const first = await versions.create({ secretId: "versioned", secretString: "one" });
  const news = { secretId: "versioned", secretString: "two" };
  expect(await versions.diff(first, news)).toEqual({
    changes: ["secretString"],
    replaces: ["secretString"],
    deleteFirst: false,
  });
  const second = await versions.create(news);

  expect(await read("versioned")).toMatchObject({
    secretString: "two",
    arn: made.id,
    versionId: second.outputs["versionId"],
  });
  expect(await read(made.id, { versionStage: "AWSPREVIOUS" })).toMatchObject({
    secretString: "one",
  });
  await versions.delete(first);
  await expect(read("versioned", { versionStage: "AWSPREVIOUS" })).rejects.toThrow(
    "ResourceNotFoundException",
  );
  // What everybody gets cannot be taken away from a secret that stays.
  await versions.delete(second);
  expect(await read("versioned")).toMatchObject({ secretString: "two" });
});

test("labels move from version to version", async () => {
  await secrets.create({ name: "labelled" });
  const blue = await versions.create({ secretId: "labelled", secretString: "blue" });
  const green = await versions.create({
    secretId: "labelled",
    secretString: "green",
    versionStages: ["NEXT"],
  });
  expect(await read("labelled")).toMatchObject({ secretString: "blue" });
  const news = { ...green.inputs, versionStages: ["AWSCURRENT"] };
  expect((await versions.diff(green, news)).replaces).toEqual([]);
  const moved = await versions.update(green, news);

  expect(moved.outputs["versionStages"]).toEqual(["AWSCURRENT"]);
  expect(await read("labelled")).toMatchObject({ secretString: "green" });
  expect(await read("labelled", { versionStage: "AWSPREVIOUS" })).toMatchObject({
    versionId: blue.outputs["versionId"],
  });
  await expect(read("labelled", { versionStage: "NEXT" })).rejects.toThrow("staging label: NEXT");
});

test.each([
  ["both", { secretString: "a", secretBinary: "YQ==" }, "secretString", /not both/],
  ["neither", {}, "secretString", /not both/],
  ["too much", { secretString: "é".repeat(32_769) }, "secretString", /65536 bytes or less/],
  ["no Base64", { secretBinary: "!" }, "secretBinary", /base64/],
])("%s is refused as a value before anything is made", async (_, value, property, reason) => {
  expect(await versions.check({ secretId: "checked", ...value })).toEqual({
    [property]: expect.stringMatching(reason) as unknown,
  });
});

test("a value without a secret, or with a key that is gone, is refused", async () => {
  expect(await versions.refusal({ secretId: "none", secretString: "a" })).toMatch(
    /ResourceNotFoundException: Secrets Manager can't find the specified secret/,
  );
  await secrets.create({ name: "keyless", kmsKeyId: "none" });
  expect(await versions.refusal({ secretId: "keyless", secretString: "a" })).toMatch(
    /EncryptionFailure/,
  );
});

test("the name of a deleted secret is free when its window is over, or was none", async () => {
  const made = await secrets.create({ name: "deleted", recoveryWindowInDays: 7 });
  await versions.create({ secretId: made.id, secretString: "old" });
  await secrets.delete(made);
  expect(await secrets.exists(made)).toBe(false);
  expect(await secrets.refusal({ name: "deleted" })).toMatch(/already scheduled for deletion/);
  let again = made;
  await until("the window is over", () =>
    secrets.create({ name: "deleted", recoveryWindowInDays: 0 }).then(
      (created) => {
        again = created;
        return true;
      },
      () => false,
    ),
  );
  await expect(read("deleted")).rejects.toThrow("ResourceNotFoundException");
  expect(readFileSync(join(folder, "aws-secret-values.json"), "utf8")).not.toContain('"old"');
  await secrets.delete(again);

  expect(await secrets.exists(await secrets.create({ name: "deleted" }))).toBe(true);
});

test("a rotation needs a function, unless RDS rotates", async () => {
  const made = await secrets.create({ name: "rotated" });
  const rotationRules = { automaticallyAfterDays: 90 };
  const inputs = { secretId: made.id, rotationRules };
  expect(await rotations.refusal(inputs)).toMatch(/No Lambda rotation function ARN/);
  const rotationLambdaArn = "arn:aws:lambda:us-east-1:123456789012:function:rotate";
  const rotation: Made = await rotations.create({ ...inputs, rotationLambdaArn });

  expect(rotation.outputs).toMatchObject({ rotationEnabled: true, secretId: made.id });
  expect(await rotations.exists(rotation)).toBe(true);
  await rotations.delete(rotation);
  expect(await rotations.exists(rotation)).toBe(false);
});

test.each([
  ["no time", {}, "rotationRules", /not both/],
  [
    "two times",
    { automaticallyAfterDays: 1, scheduleExpression: "rate(4 hours)" },
    "rotationRules",
    /not both/,
  ],
  ["never", { automaticallyAfterDays: 0 }, "rotationRules.automaticallyAfterDays", /1 - 1000/],
  ["too seldom", { automaticallyAfterDays: 1001 }, "rotationRules.automaticallyAfterDays", /1000/],
])("a rotation with %s is refused", async (_, rotationRules, property, reason) => {
  expect(await rotations.check({ secretId: "x", rotationRules })).toEqual({
    [property]: expect.stringMatching(reason) as unknown,
  });
});
