import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import type { RdsConfig } from "../../../infra/databases/config.ts";
import type { UpgradeState } from "../../../infra/databases/database.ts";
import { RdsDatabase } from "../../../infra/databases/rds.ts";
import {
  blueGreenType,
  blueRemovalType,
  generatedPasswordType,
} from "../../../infra/provider/type-tokens.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";

const instanceType = "aws:rds/instance:Instance";
const groupType = "aws:rds/parameterGroup:ParameterGroup";
const secretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf";

const settings: RdsConfig = {
  kind: "rds",
  name: "orders",
  username: "owner",
  engineVersion: "18.1",
  identifier: "orders",
  adopt: false,
  instanceClass: "db.t4g.small",
  storageGib: 20,
  storageEncrypted: true,
  backupRetentionDays: 14,
  deletionProtection: true,
  skipFinalSnapshot: false,
  tlsForced: true,
  password: "config",
};

interface Options {
  readonly upgraded?: UpgradeState;
  /** What the instance answers. */
  readonly outputs?: Record<string, unknown>;
  readonly use?: (database: RdsDatabase) => unknown;
}

function database(change: Partial<RdsConfig> = {}, options: Options = {}): Promise<Declared[]> {
  const { upgraded, outputs, use } = options;
  return declared(
    () => {
      const made = new RdsDatabase(
        "database",
        {
          settings: { ...settings, ...change },
          password: change.password === undefined ? pulumi.secret("correct-horse") : undefined,
          tlsCa: undefined,
          kmsKeyArn: "arn:key",
          upgraded,
          system: "orders",
          hosts: {},
          buckets: {},
          healthSeconds: 60,
        },
        firstStep,
      );
      return use?.(made);
    },
    {
      [instanceType]: {
        address: "orders.example.com",
        port: 5432,
        arn: "arn:aws:rds:eu-central-1:123456789012:db:orders",
        ...outputs,
      },
      [generatedPasswordType]: { password: "generated-password" },
    },
  );
}

describe("an RDS database", () => {
  test("is encrypted, backed up, protected, and leaves a snapshot", async () => {
    expect(only(await database(), instanceType).inputs).toEqual({
      identifier: "orders",
      engine: "postgres",
      engineVersion: "18.1",
      instanceClass: "db.t4g.small",
      allocatedStorage: 20,
      dbName: "orders",
      username: "owner",
      password: expect.anything() as unknown,
      parameterGroupName: "orders-postgres18",
      storageEncrypted: true,
      kmsKeyId: "arn:key",
      backupRetentionPeriod: 14,
      deletionProtection: true,
      skipFinalSnapshot: false,
      finalSnapshotIdentifier: "orders-final",
      copyTagsToSnapshot: true,
      autoMinorVersionUpgrade: false,
      publiclyAccessible: false,
    });
  });

  test("is encrypted with the key that the config names, and with none where it is not encrypted", async () => {
    const keyOf = async (change: Partial<RdsConfig>): Promise<unknown> =>
      only(await database(change), instanceType).inputs["kmsKeyId"];
    expect(await keyOf({ kmsKeyArn: "arn:other" })).toBe("arn:other");
    expect(await keyOf({ storageEncrypted: false })).toBeUndefined();
  });
});

describe("its parameters", () => {
  test.each([
    [true, "1"],
    [false, "0"],
  ])("force TLS: %s", async (tlsForced, value) => {
    expect(only(await database({ tlsForced }), groupType)).toEqual({
      type: groupType,
      name: "database-parameters-postgres18",
      inputs: {
        name: "orders-postgres18",
        family: "postgres18",
        description: "Parameters of orders",
        parameters: [{ name: "rds.force_ssl", value, applyMethod: "immediate" }],
      },
    });
  });

  test("are there for both versions of a major upgrade, which replicates rows", async () => {
    const groups = (await database({ upgradeTo: "19.1" })).filter(({ type }) => type === groupType);
    expect(groups.map(({ inputs }) => inputs["name"])).toEqual([
      "orders-postgres18",
      "orders-postgres19",
    ]);
    for (const { inputs } of groups) {
      expect(inputs["parameters"]).toContainEqual({
        name: "rds.logical_replication",
        value: "1",
        applyMethod: "pending-reboot",
      });
    }
  });

  test("stay the same for a minor upgrade", async () => {
    expect(
      (await database({ upgradeTo: "18.2" })).filter(({ type }) => type === groupType),
    ).toHaveLength(1);
  });

  test("are those of another group where the config names one", async () => {
    const { inputs } = only(await database({ parameterGroup: "tuned" }), instanceType);
    expect(inputs["parameterGroupName"]).toBe("tuned");
  });
});

describe("its password", () => {
  test("is made by the stack", async () => {
    let connection: unknown;
    const resources = await database(
      { password: "generated" },
      { use: async (made) => (connection = await known(made.connection)) },
    );
    expect(only(resources, generatedPasswordType)).toMatchObject({
      name: "database-password",
      inputs: { of: "orders" },
    });
    expect(connection).toMatchObject({ password: "generated-password" });
  });

  test("is kept by RDS, and the connection says where", async () => {
    let connection: unknown;
    const resources = await database(
      { password: "secrets-manager" },
      {
        outputs: { masterUserSecrets: [{ secretArn }] },
        use: async (made) => (connection = await known(made.connection)),
      },
    );
    const { inputs } = only(resources, instanceType);
    expect(inputs).toMatchObject({
      manageMasterUserPassword: true,
      masterUserSecretKmsKeyId: "arn:key",
    });
    expect(inputs).not.toHaveProperty("password");
    expect(connection).toEqual({
      host: "orders.example.com",
      port: 5432,
      database: "orders",
      user: "owner",
      passwordSecretArn: secretArn,
    });
  });
});

describe("an upgrade", () => {
  test("is declared with the version that the config wants, and with the secrets of the connection", async () => {
    const resources = await database(
      { upgradeTo: "18.2" },
      {
        use(made) {
          const args = { stack: "orders/test", release: "v1.1.0", token: pulumi.output("token") };
          const upgrade = made.upgrade("upgrade", args, firstStep);
          if (upgrade === undefined) throw new Error("no upgrade");
          made.removeBlue("blue-removal", upgrade, firstStep);
        },
      },
    );
    expect(only(resources, blueGreenType).inputs).toMatchObject({
      stack: "orders/test",
      release: "v1.1.0",
      identifier: "orders",
      targetVersion: "18.2",
      parameterGroup: "orders-postgres18",
      region: "eu-central-1",
      token: "token",
    });
    expect(only(resources, blueRemovalType).inputs).toMatchObject({ identifier: "orders" });
    expect(only(resources, instanceType).inputs["engineVersion"]).toBe("18.1");
    expect(only(resources, instanceType).inputs).not.toHaveProperty("blueGreenUpdate");
  });

  test("is none where the config wants none", async () => {
    const args = { stack: "orders/test", release: "v1.1.0", token: pulumi.output("token") };
    const resources = await database(
      {},
      { use: (made) => expect(made.upgrade("upgrade", args, firstStep)).toBeUndefined() },
    );
    expect(resources.filter(({ type }) => type === blueGreenType)).toEqual([]);
  });

  test("that was done is what the instance has from then on", async () => {
    const upgraded = { resourceId: "db-GREEN", version: "19.1" };
    const { inputs } = only(await database({ upgradeTo: "19.1" }, { upgraded }), instanceType);
    expect(inputs).toMatchObject({
      engineVersion: "19.1",
      parameterGroupName: "orders-postgres19",
    });
  });

  test("that was done leaves a later config alone", async () => {
    const upgraded = { resourceId: "db-GREEN", version: "18.2" };
    const { inputs } = only(await database({ engineVersion: "18.2" }, { upgraded }), instanceType);
    expect(inputs["engineVersion"]).toBe("18.2");
  });
});

/** What an output holds. */
function known(value: object): Promise<unknown> {
  return new Promise((resolve) => {
    (pulumi.output(value) as pulumi.Output<unknown>).apply(resolve);
  });
}
