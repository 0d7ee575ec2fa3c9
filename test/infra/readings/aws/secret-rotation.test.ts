import { inspect } from "node:util";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeEach, expect, test } from "vitest";
import { secretRotation } from "../../../../infra/readings/aws/secret-rotation.ts";
import { startMoto } from "../../../support/moto.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { answerAws, useAws, type Answered, type Asked } from "./aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());
beforeEach(() => {
  useAws(moto.environment);
});

const canary = "canary-of-a-secret-value";

async function create(name: string): Promise<void> {
  const client = new SecretsManagerClient();
  await client.send(new CreateSecretCommand({ Name: name, SecretString: canary }));
  client.destroy();
}

function read(...secrets: string[]): Promise<Readonly<Record<string, unknown>>> {
  return readFacts(secretRotation, { secrets }, contextOf());
}

const unknown = {
  exists: false,
  rotationEnabled: null,
  lastRotatedAt: null,
  lastChangedAt: null,
};

/** A secret in the protocol of AWS, which tells times in seconds since 1970. */
function secret(more: object, changed: string | undefined): (asked: Asked) => Answered {
  return ({ action, body }) => {
    const { SecretId: name } = JSON.parse(body) as { readonly SecretId: string };
    if (action === "DescribeSecret") {
      return JSON.stringify({
        ARN: `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-a1b2c3`,
        Name: name,
        ...more,
      });
    }
    const created = (time: string): number => Date.parse(time) / 1000;
    return JSON.stringify({
      Versions: [
        { VersionStages: ["AWSPREVIOUS"], CreatedDate: created("2025-01-01T00:00:00Z") },
        ...(changed === undefined
          ? []
          : [{ VersionStages: ["AWSCURRENT"], CreatedDate: created(changed) }]),
      ],
    });
  };
}

test("secrets that are there, and one that is not", async () => {
  await create("orders/database");
  await create("orders/broker");
  const value = await read("orders/database", "orders/none", "orders/broker");
  const here = {
    exists: true,
    rotationEnabled: false,
    lastRotatedAt: null,
    lastChangedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  };
  expect(value).toEqual({
    secrets: { "orders/database": here, "orders/none": unknown, "orders/broker": here },
    missing: ["orders/none"],
    notRotated: ["orders/database", "orders/broker"],
    oldestChange: null,
  });
  expect(inspect(value, { depth: null })).not.toContain("canary");
});

test("no secret's value is asked for", async () => {
  const asked = await answerAws(secret({}, "2026-01-01T00:00:00Z"));
  await read("orders/database");
  expect([...new Set(asked.map(({ action }) => action))]).toEqual([
    "DescribeSecret",
    "ListSecretVersionIds",
  ]);
});

test("a rotated secret", async () => {
  const rotated = Date.parse("2026-01-01T00:00:05Z") / 1000;
  await answerAws(
    secret({ RotationEnabled: true, LastRotatedDate: rotated }, "2026-01-01T00:00:00Z"),
  );
  expect(await read("orders/database")).toEqual({
    secrets: {
      "orders/database": {
        exists: true,
        rotationEnabled: true,
        lastRotatedAt: "2026-01-01T00:00:05.000Z",
        lastChangedAt: "2026-01-01T00:00:00.000Z",
      },
    },
    missing: [],
    notRotated: [],
    oldestChange: "2026-01-01T00:00:00.000Z",
  });
});

test("the oldest change of several secrets counts", async () => {
  const times: Readonly<Record<string, string>> = {
    a: "2026-01-02T00:00:00Z",
    b: "2025-12-31T00:00:00Z",
    c: "2026-01-03T00:00:00Z",
  };
  await answerAws((asked) => {
    const { SecretId } = JSON.parse(asked.body) as { readonly SecretId: string };
    return secret({}, times[SecretId])(asked);
  });
  expect(await read("a", "b", "c")).toMatchObject({ oldestChange: "2025-12-31T00:00:00.000Z" });
});

test("a secret without a value was never changed", async () => {
  await answerAws(secret({}, undefined));
  expect(await read("orders/database")).toMatchObject({
    secrets: { "orders/database": { exists: true, lastChangedAt: null } },
    oldestChange: null,
  });
});

test("a change that is not of the value, such as a tag, does not make a secret newer", async () => {
  const tagged = Date.parse("2026-03-01T00:00:00Z") / 1000;
  await answerAws(secret({ LastChangedDate: tagged }, "2026-01-01T00:00:00Z"));
  expect(await read("orders/database")).toMatchObject({ oldestChange: "2026-01-01T00:00:00.000Z" });
});

test("a secret that waits for its deletion counts as absent", async () => {
  await create("orders/deleted");
  const client = new SecretsManagerClient();
  await client.send(new DeleteSecretCommand({ SecretId: "orders/deleted" }));
  client.destroy();
  expect(await read("orders/deleted")).toMatchObject({
    secrets: { "orders/deleted": unknown },
    missing: ["orders/deleted"],
    notRotated: [],
  });
});

test("an empty answer is no secret", async () => {
  await answerAws(() => "{}");
  expect(await read("orders/database")).toMatchObject({ missing: ["orders/database"] });
});

test("an error quotes nothing of an answer", async () => {
  await answerAws(() => `{"SecretString":"${canary}"`);
  const error = await failureOf(read("orders/database"));
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain("canary");
});

test.each([[[]], [["with space"]], [[""]], [Array.from({ length: 21 }, (_, n) => `s${n}`)]])(
  "the secrets %j are refused",
  (secrets) => {
    expect(secretRotation.target.safeParse({ secrets }).success).toBe(false);
  },
);

test("twenty secrets can be asked for", () => {
  const secrets = Array.from({ length: 20 }, (_, n) => `s${n}`);
  expect(secretRotation.target.safeParse({ secrets }).success).toBe(true);
});
