import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import {
  connectionSchema,
  withSession,
  type Connection,
} from "../../../infra/provider/postgres-session.ts";
import { awsEnvironment, startMoto } from "../../support/moto.ts";
import { startPostgres } from "../../support/postgres.ts";
import { answerAws, useAws } from "../readings/aws/aws.ts";

const [moto, postgres] = await Promise.all([startMoto(), startPostgres()]);
afterAll(() => Promise.all([moto.close(), postgres.stop()]));
beforeEach(() => {
  useAws(moto.environment);
});

async function kept(text: string): Promise<string> {
  const Name = `rds!db-${String(Math.random()).slice(2)}`;
  const { ARN = "" } = await client().send(new CreateSecretCommand({ Name, SecretString: text }));
  return ARN;
}

function client(): SecretsManagerClient {
  const made = new SecretsManagerClient({});
  onTestFinished(() => made.destroy());
  return made;
}

async function connection(): Promise<{ readonly own: Connection; readonly password: string }> {
  const { password, ...own } = await postgres.createDatabase();
  return { own, password };
}

function whoami(to: Connection): Promise<unknown> {
  return withSession(to, { purpose: "test" }, async (session) => {
    const [row] = await session.rows<{ user: string }>("SELECT current_user AS user");
    return row?.user;
  });
}

function valueOf(user: string, password: string): string {
  return JSON.stringify({ username: user, password });
}

describe("a password that a secret keeps", () => {
  test("opens a session, also after it was rotated", async () => {
    const { own, password } = await connection();
    const passwordSecretArn = await kept(valueOf(own.user, password));
    expect(await whoami({ ...own, passwordSecretArn })).toBe(own.user);
    await postgres.query(postgres.superuser, `ALTER ROLE ${own.user} PASSWORD 'rotated-password'`);
    await expect(whoami({ ...own, passwordSecretArn })).rejects.toThrow(/password was refused/);
    const SecretString = valueOf(own.user, "rotated-password");
    await client().send(new PutSecretValueCommand({ SecretId: passwordSecretArn, SecretString }));
    expect(await whoami({ ...own, passwordSecretArn })).toBe(own.user);
  });

  test("is tried as it was last when nobody answers: a freeze must be lifted all the same", async () => {
    const { own, password } = await connection();
    const passwordSecretArn = await kept(valueOf(own.user, password));
    expect(await whoami({ ...own, passwordSecretArn })).toBe(own.user);
    useAws(awsEnvironment("http://127.0.0.1:9"));
    expect(await whoami({ ...own, passwordSecretArn })).toBe(own.user);
  });

  test.each([
    ["no JSON", "canary-password"],
    ["no password in it", '{"username":"owner"}'],
    ["a password that is no text", '{"password":7}'],
    ["an empty one", '{"password":""}'],
  ])("is refused when the value has %s, and not shown", async (_, text) => {
    const { own } = await connection();
    const passwordSecretArn = await kept(text);
    const failed = await whoami({ ...own, passwordSecretArn }).catch(String);
    expect(failed).toMatch(/cannot be used[^]*not shown[^]*required: JSON with a key "password"/);
    expect(failed).not.toContain("canary");
  });

  test("that is not there is refused with what to do", async () => {
    const { own } = await connection();
    const passwordSecretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:no-AbCdEf";
    await expect(whoami({ ...own, passwordSecretArn })).rejects.toThrow(
      /cannot be read from arn:aws:secretsmanager[^]*ResourceNotFoundException[^]*see in RDS which secret/,
    );
  });

  test("that may not be read is refused with the right that lacks", async () => {
    await answerAws(() => [400, '{"__type":"AccessDeniedException","message":"no"}']);
    const { own } = await connection();
    const passwordSecretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:no-AbCdEg";
    await expect(whoami({ ...own, passwordSecretArn })).rejects.toThrow(
      /AccessDeniedException[^]*secretsmanager:GetSecretValue/,
    );
  });

  test("is asked for in its own region", async () => {
    const { own, password } = await connection();
    const asked = await answerAws(() => JSON.stringify({ SecretString: valueOf("x", password) }));
    const passwordSecretArn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:there-AbCdEf";
    expect(await whoami({ ...own, passwordSecretArn })).toBe(own.user);
    expect(asked.map(({ action }) => action)).toEqual(["GetSecretValue"]);
  });
});

describe("a connection", () => {
  const place = { host: "localhost", port: 5432, database: "orders", user: "owner" };
  const passwordSecretArn =
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf";

  test.each([
    ["a password", { password: "x" }, true],
    ["a secret", { passwordSecretArn }, true],
    ["neither", {}, false],
    ["both", { password: "x", passwordSecretArn }, false],
    [
      "a secret of another service",
      { passwordSecretArn: "arn:aws:ssm:eu:123456789012:secret:x" },
      false,
    ],
  ])("with %s", (_, more, isRight) => {
    expect(connectionSchema.safeParse({ ...place, ...more }).success).toBe(isRight);
  });
});
