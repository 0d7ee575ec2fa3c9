import {
  CreateDBInstanceCommand,
  DescribeBlueGreenDeploymentsCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  RDSClient,
  type DBInstance,
} from "@aws-sdk/client-rds";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { deploymentName } from "../../../infra/provider/blue-green-run.ts";
import { blueGreen } from "../../../infra/provider/blue-green.ts";
import { blueRemoval } from "../../../infra/provider/blue-removal.ts";
import { blueGreenType, blueRemovalType } from "../../../infra/provider/type-tokens.ts";
import { failureOf, serveTypes, type Wire } from "../../support/engine.ts";
import { startMoto } from "../../support/moto.ts";
import { startPostgres } from "../../support/postgres.ts";
import { useAws } from "../readings/aws/aws.ts";
import { fakeInstance, startFakeRds, type FakeRds, type FakeSnapshot } from "./fake-rds.ts";

const [moto, postgres] = await Promise.all([startMoto(), startPostgres()]);
const connection = await postgres.createDatabase();
const [{ version } = { version: "" }] = await postgres.query<{ version: string }>(
  connection,
  "SELECT split_part(current_setting('server_version'), ' ', 1) AS version",
);
afterAll(() => Promise.all([moto.close(), postgres.stop()]));
beforeEach(() => {
  useAws(moto.environment);
});

const target = { type: blueGreenType, name: "upgrade" };
const serve = (): ReturnType<typeof serveTypes> =>
  serveTypes({ [blueGreenType]: blueGreen, [blueRemovalType]: blueRemoval });

function rds(): RDSClient {
  const client = new RDSClient({});
  onTestFinished(() => client.destroy());
  return client;
}

async function createInstance(identifier: string, engineVersion = "1.1"): Promise<void> {
  await rds().send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: identifier,
      DBInstanceClass: "db.t4g.micro",
      Engine: "postgres",
      EngineVersion: engineVersion,
      AllocatedStorage: 20,
      MasterUsername: "owner",
      MasterUserPassword: "canary-password",
    }),
  );
}

function inputsOf(identifier: string, more: Wire = {}): Wire {
  return {
    stack: "flagship/test",
    release: "v1.1.0",
    identifier,
    targetVersion: version,
    token: "0123456789abcdef",
    connection,
    deadlineSeconds: 20,
    intervalMs: 20,
    ...more,
  };
}

async function instance(identifier: string): Promise<DBInstance | undefined> {
  const { DBInstances = [] } = await rds().send(new DescribeDBInstancesCommand({}));
  return DBInstances.find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === identifier);
}

describe("a blue/green upgrade", () => {
  test("brings the new version under the old name, and keeps the old instance and a snapshot of it", async () => {
    await createInstance("orders");
    const before = await instance("orders");
    const engine = await serve();
    const { id, outputs } = await engine.create(target, inputsOf("orders"));
    expect(id).toMatch(/^cutover-[0-9a-f]{24}$/);
    const [blue, green] = [await instance("orders-old1"), await instance("orders")];
    expect(outputs).toEqual({
      blue: "orders-old1",
      blueResourceId: before?.DbiResourceId,
      finalSnapshot: "orders-blue-1-1",
      resourceId: green?.DbiResourceId,
      switchedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      version,
    });
    expect(green?.EngineVersion).toBe(version);
    expect(blue).toMatchObject({ EngineVersion: "1.1", DeletionProtection: true });
    const { DBSnapshots } = await rds().send(
      new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: "orders-blue-1-1" }),
    );
    expect(DBSnapshots?.[0]).toMatchObject({ Status: "available" });
    const { BlueGreenDeployments } = await rds().send(new DescribeBlueGreenDeploymentsCommand({}));
    expect(BlueGreenDeployments).toEqual([]);
  });
});

describe("picks up wherever RDS is", () => {
  test("after it was killed at any action", async () => {
    // The first run counts the actions, every other one breaks at one more of them.
    for (let killedAt = 1, isThrough = false; !isThrough; killedAt += 1) {
      const fake = await startFakeRds();
      fake.instances.push(fakeInstance("orders"));
      let actions = 0;
      fake.before = () => {
        actions += 1;
        if (actions >= killedAt && actions < killedAt + 20) throw new Error("killed");
      };
      const engine = await serve();
      isThrough = await engine.create(target, inputsOf("orders")).then(
        () => true,
        () => false,
      );
      fake.before = () => undefined;
      if (!isThrough) await engine.create(target, inputsOf("orders"));
      expect(names(fake)).toEqual(["orders", "orders-old1"]);
      expect(fake.changes.filter((action) => action === "CreateBlueGreenDeployment")).toHaveLength(
        1,
      );
      expect(fake.changes.filter((action) => action === "CreateDBSnapshot")).toHaveLength(1);
      expect(fake.changes).not.toContain("DeleteDBInstance");
      expect(fake.deployments).toEqual([]);
      expect(killedAt).toBeLessThan(60);
    }
  });

  test("tells the old instance from the new one by what no renaming changes", async () => {
    const fake = await startFakeRds();
    fake.instances.push(fakeInstance("orders"));
    const { outputs } = await (await serve()).create(target, inputsOf("orders"));
    expect(outputs).toMatchObject({
      blue: "orders-old1",
      blueResourceId: "db-ORDERS",
      resourceId: "db-GREEN",
    });
  });

  test("says since when the new one serves, also when it is only found out later", async () => {
    const fake = await startFakeRds();
    const switchedAt = "2026-11-21T20:00:00.000Z";
    fake.instances.push(
      fakeInstance("orders", { version, resourceId: "db-GREEN" }),
      fakeInstance("orders-old1", {
        resourceId: "db-ORDERS",
        tags: { ...marks, "cutover:switched-at": switchedAt },
      }),
    );
    const { outputs } = await (await serve()).create(target, inputsOf("orders"));
    expect(outputs).toMatchObject({ blue: "orders-old1", switchedAt });
    expect(fake.changes).toEqual(["ModifyDBInstance", "CreateDBSnapshot"]);
  });

  test("asks once more when an earlier switchover failed", async () => {
    const fake = await startFakeRds();
    fake.instances.push(fakeInstance("orders"));
    fake.created = ["SWITCHOVER_FAILED"];
    await (await serve()).create(target, inputsOf("orders"));
    expect(names(fake)).toEqual(["orders", "orders-old1"]);
  });
});

describe("is refused, and nothing is deleted", () => {
  const cases: Readonly<Record<string, readonly [(fake: FakeRds) => void, RegExp]>> = {
    "there is no such instance": [(fake) => fake.instances.splice(0), /found: {4}no such instance/],
    "the version is there, and nobody knows how": [
      ({ instances: [first] }) => Object.assign(first ?? {}, { version }),
      /and no old instance beside it[^]*config rm --path cutover:database\.upgradeTo/,
    ],
    "RDS manages the password": [
      ({ instances: [first] }) => Object.assign(first ?? {}, { managed: true }),
      /a password that RDS manages/,
    ],
    "the instance is being changed": [
      ({ instances: [first] }) => Object.assign(first ?? {}, { status: "modifying" }),
      /status modifying/,
    ],
    "its parameters wait for a reboot": [
      ({ instances: [first] }) => Object.assign(first ?? {}, { parameters: "pending-reboot" }),
      /parameter group group is pending-reboot[^]*reboot-db-instance --db-instance-identifier orders/,
    ],
    "the old instance of another upgrade still stands": [
      (fake) =>
        fake.instances.push(
          fakeInstance("orders-old1", {
            tags: { ...marks, "cutover:deployment": "cutover-other" },
          }),
        ),
      /orders-old1, which another upgrade left behind/,
    ],
    "a major upgrade was begun in an earlier freeze": [
      (fake) =>
        fake.deployments.push({
          name: deploymentName({
            stack: "flagship/test",
            identifier: "orders",
            targetVersion: version,
          }),
          source: "orders",
          tags: { "cutover:freeze": "an-earlier-one" },
          statuses: ["AVAILABLE"],
          switched: false,
        }),
      /made in an earlier write freeze[^]*--delete-target/,
    ],
    "RDS cannot make the new instance": [
      (fake) => (fake.created = ["PROVISIONING", "INVALID_CONFIGURATION"]),
      /INVALID_CONFIGURATION: details of INVALID_CONFIGURATION[^]*--delete-target/,
    ],
    "the switchover fails": [
      (fake) => (fake.switching = ["SWITCHOVER_IN_PROGRESS", "SWITCHOVER_FAILED"]),
      /SWITCHOVER_FAILED: details[^]*it switches again/,
    ],
    "RDS takes the switchover back": [
      (fake) => (fake.switching = ["SWITCHOVER_IN_PROGRESS", "AVAILABLE"]),
      /AVAILABLE: details[^]*it switches again/,
    ],
    "a snapshot of another instance has the name": [
      (fake) =>
        fake.snapshots.set("orders-blue-1-1", { resourceId: "db-OTHER", status: "available" }),
      /orders-blue-1-1, which is of another instance/,
    ],
  };
  test.each(Object.entries(cases))("%s", async (_, [change, message]) => {
    const fake = await startFakeRds();
    fake.instances.push(fakeInstance("orders"));
    change(fake);
    const failed = await failureOf((await serve()).create(target, inputsOf("orders")));
    expect(failed.message).toMatch(message);
    expect(failed.message).toMatch(
      /^orders is not brought to PostgreSQL [\d.]+\.\nfound: .+\nrequired: .+\nto do: .+$/,
    );
    expect(fake.changes.filter((action) => action.startsWith("Delete"))).toEqual([]);
  });

  test("at its deadline it says how far RDS is", async () => {
    const fake = await startFakeRds();
    fake.instances.push(fakeInstance("orders"));
    fake.created = ["PROVISIONING"];
    const inputs = inputsOf("orders", { deadlineSeconds: 0.3 });
    const { message } = await failureOf((await serve()).create(target, inputs));
    expect(message).toMatch(/is PROVISIONING, after 0\.3 s/);
  });

  test("the name must lead to the new version, not only RDS say so", async () => {
    const fake = await startFakeRds();
    fake.instances.push(fakeInstance("orders"));
    const inputs = inputsOf("orders", { targetVersion: "99.1", deadlineSeconds: 1 });
    const { message } = await failureOf((await serve()).create(target, inputs));
    expect(message).toContain(`an answer from version ${version}, after 1 s`);
  });
});

describe("is done once", () => {
  const olds = { inputs: inputsOf("orders"), outputs: { blue: "orders-old1" } };

  test.each([
    ["the release", { release: "v1.2.0" }, false],
    ["the freeze", { token: "another" }, false],
    ["the deadline", { deadlineSeconds: 1 }, false],
    ["the version", { targetVersion: "99.1" }, true],
    ["the instance", { identifier: "other" }, true],
  ])("%s changes", async (_, change, changes) => {
    const engine = await serve();
    expect((await engine.diff(target, olds, inputsOf("orders", change))).changes).toBe(changes);
  });

  test("a preview asks nobody", async () => {
    const fake = await startFakeRds();
    fake.before = () => {
      throw new Error("asked");
    };
    const applied = await (await serve()).create(target, inputsOf("orders"), { preview: true });
    expect(applied).toEqual({ id: "", outputs: {} });
  });
});

describe("the removal of the old instance", () => {
  const removal = { type: blueRemovalType, name: "removal" };
  const wanted: Wire = {
    identifier: "orders",
    blue: "orders-old1",
    blueResourceId: "db-ORDERS",
    finalSnapshot: "orders-blue-1-1",
    deadlineSeconds: 5,
    intervalMs: 10,
  };
  const kept: FakeSnapshot = { resourceId: "db-ORDERS", status: "available" };

  async function withBlue(snapshot?: FakeSnapshot): Promise<FakeRds> {
    const fake = await startFakeRds();
    fake.instances.push(
      fakeInstance("orders", { version, resourceId: "db-GREEN", protected: true }),
      fakeInstance("orders-old1", { resourceId: "db-ORDERS", protected: true }),
    );
    if (snapshot !== undefined) fake.snapshots.set("orders-blue-1-1", snapshot);
    return fake;
  }

  test("deletes it when its snapshot is kept, and nothing else", async () => {
    const fake = await withBlue(kept);
    const { id } = await (await serve()).create(removal, wanted);
    expect(id).toBe("db-ORDERS");
    expect(names(fake)).toEqual(["orders"]);
    expect(fake.changes).toEqual(["ModifyDBInstance", "DeleteDBInstance"]);
  });

  test.each([
    ["absent", undefined],
    ["creating", { ...kept, status: "copying" }],
    ["failed", { ...kept, status: "failed" }],
    ["of another instance", { ...kept, resourceId: "db-OTHER" }],
  ])("leaves it when its snapshot is %s", async (_, snapshot) => {
    const fake = await withBlue(snapshot);
    const { message } = await failureOf((await serve()).create(removal, wanted));
    expect(message).toMatch(
      /^the old instance orders-old1 is not removed\.\nfound: {4}snapshot orders-blue-1-1 is /,
    );
    expect(names(fake)).toEqual(["orders", "orders-old1"]);
    expect(fake.changes).toEqual([]);
  });

  test("is done when it is gone, and leaves another one that has its name now", async () => {
    const fake = await withBlue(kept);
    Object.assign(fake.instances[1] ?? {}, { resourceId: "db-SOMEBODY" });
    await (await serve()).create(removal, wanted);
    expect(names(fake)).toEqual(["orders", "orders-old1"]);
    fake.instances.pop();
    await (await serve()).create(removal, wanted);
    expect(fake.changes).toEqual([]);
  });

  test("is never about the instance that serves", async () => {
    const failures = await (await serve()).check(removal, { ...wanted, blue: "orders" });
    expect(failures).toEqual([
      { property: "blue", reason: "required is another instance than the one that serves" },
    ]);
  });
});

/** Marks of an old instance from this upgrade. */
const marks = {
  "cutover:blue-of": "orders",
  "cutover:deployment": deploymentName({
    stack: "flagship/test",
    identifier: "orders",
    targetVersion: version,
  }),
};

function names({ instances }: FakeRds): string[] {
  return instances.map(({ identifier }) => identifier).toSorted();
}
