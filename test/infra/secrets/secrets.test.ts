import type * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { secretConfig, type SecretConfig } from "../../../infra/secrets/config.ts";
import { declareSecrets, type DeclaredSecrets } from "../../../infra/secrets/declare.ts";
import { secretRelations } from "../../../infra/secrets/relations.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";

const secretType = "aws:secretsmanager/secret:Secret";
const rotationType = "aws:secretsmanager/secretRotation:SecretRotation";
const lambda = "arn:aws:lambda:eu-central-1:123456789012:function:rotate-jwt";
const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:stageos/jwt-AbCdEf";

test("a secret is a place that can be had back for a month, and holds no value", async () => {
  const { resources } = await declare({ jwt: row() });
  const { name, inputs } = only(resources, secretType);
  expect(name).toBe("jwt-secret");
  expect(inputs).toEqual({ name: "stageos/jwt", kmsKeyId: "arn:key", recoveryWindowInDays: 30 });
  expect(resources.map(({ type }) => type)).toEqual(["cutover:secrets:Secret", secretType]);
});

test("a secret with a function is rotated by it, but not before it has a value", async () => {
  const { resources } = await declare({ jwt: row({ rotationLambdaArn: lambda }) });
  expect(only(resources, rotationType).inputs).toEqual({
    secretId: "jwt-secret-id",
    rotationLambdaArn: lambda,
    rotateImmediately: false,
    rotationRules: { automaticallyAfterDays: 90 },
  });
});

test("a secret of a key vault declares nothing", async () => {
  expect((await declare({ r2: vaultRow() })).resources).toEqual([]);
});

test("references say where a secret lies, by its name in the table", async () => {
  const { references } = await declare({ jwt: row(), r2: vaultRow() });
  expect(Object.keys(references)).toEqual(["jwt", "r2"]);
  expect(await valueOf(references["jwt"])).toBe(`secretsmanager:${arn}`);
  expect(references["r2"]).toBe("key-vault:ignition-vault/r2-access-key");
});

test("an empty table declares nothing", async () => {
  expect(await declare({})).toEqual({ resources: [], references: {} });
});

test.each([
  ["no term", { ...row(), rotateDays: undefined }],
  ["a term of no day", { ...row(), rotateDays: 0 }],
  ["a term above the most", { ...row(), rotateDays: 1001 }],
  ["a value", { ...row(), value: "s3cret" }],
  ["a function's name", { ...row(), rotationLambdaArn: "rotate-jwt" }],
])("a row with %s is refused", (_, bad) => {
  expect(secretConfig.safeParse(bad).success).toBe(false);
});

test("rows with names of their own are right", () => {
  const secrets = { one: row(), two: row({ name: "two" }), three: vaultRow(), four: vaultRow() };
  expect(secretRelations({ secrets })).toEqual([]);
});

test("one name twice in Secrets Manager is told", () => {
  expect(secretRelations({ secrets: { one: row(), two: row() } })).toEqual([
    {
      where: "cutover:secrets.two.name",
      found: "stageos/jwt, which is the name of one",
      required: "a name of its own",
      todo: "pulumi config set --path 'cutover:secrets.two.name' 'stageos/jwt-two'",
    },
  ]);
});

function row(change: object = {}): SecretConfig {
  const own = { store: "secrets-manager", name: "stageos/jwt", rotateDays: 90 };
  return secretConfig.parse({ ...own, ...change });
}

function vaultRow(): SecretConfig {
  return { store: "key-vault", vault: "ignition-vault", name: "r2-access-key" };
}

async function declare(table: Readonly<Record<string, SecretConfig>>): Promise<{
  readonly resources: Declared[];
  readonly references: DeclaredSecrets["references"];
}> {
  let references: DeclaredSecrets["references"] = {};
  const resources = await declared(
    () => {
      ({ references } = declareSecrets(table, { kmsKeyArn: "arn:key" }, firstStep));
    },
    { [secretType]: { arn } },
  );
  return { resources, references };
}

function valueOf(reference: pulumi.Input<string> | undefined): Promise<string> {
  return new Promise((resolve) => {
    (reference as pulumi.Output<string>).apply(resolve);
  });
}
