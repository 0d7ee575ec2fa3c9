import { CreateDBInstanceCommand, CreateDBSnapshotCommand, RDSClient } from "@aws-sdk/client-rds";
import { afterAll, beforeEach, expect, test } from "vitest";
import { rdsSnapshot } from "../../../../infra/readings/aws/rds-snapshot.ts";
import { startMoto } from "../../../support/moto.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { answerAws, useAws } from "./aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());
beforeEach(() => {
  useAws(moto.environment);
});

const absent = {
  exists: false,
  id: null,
  status: null,
  createdAt: null,
  encrypted: null,
  type: null,
  count: 0,
};

async function createInstance(
  client: RDSClient,
  identifier: string,
  encrypted: boolean,
): Promise<void> {
  const command = new CreateDBInstanceCommand({
    DBInstanceIdentifier: identifier,
    DBInstanceClass: "db.t4g.micro",
    Engine: "postgres",
    AllocatedStorage: 20,
    MasterUsername: "owner",
    MasterUserPassword: "canary-password",
    StorageEncrypted: encrypted,
  });
  await client.send(command);
}

function read(
  identifier: string,
  type?: "manual" | "automated",
): Promise<Readonly<Record<string, unknown>>> {
  return readFacts(rdsSnapshot, { identifier, type }, contextOf());
}

/** An answer of the Query protocol. */
function described(snapshots: readonly string[], marker = ""): string {
  const entries = snapshots.map((snapshot) => `<DBSnapshot>${snapshot}</DBSnapshot>`).join("");
  return `<DescribeDBSnapshotsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
    <DescribeDBSnapshotsResult>${marker}<DBSnapshots>${entries}</DBSnapshots></DescribeDBSnapshotsResult>
    <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
  </DescribeDBSnapshotsResponse>`;
}

function snapshot(id: string, status: string, created?: string, original?: string): string {
  return [
    `<DBSnapshotIdentifier>${id}</DBSnapshotIdentifier><Status>${status}</Status>`,
    created === undefined ? "" : `<SnapshotCreateTime>${created}</SnapshotCreateTime>`,
    original === undefined
      ? ""
      : `<OriginalSnapshotCreateTime>${original}</OriginalSnapshotCreateTime>`,
  ].join("");
}

test.each([true, false])("the snapshot of an instance, encrypted: %s", async (encrypted) => {
  const client = new RDSClient();
  const identifier = encrypted ? "good" : "bad";
  await createInstance(client, identifier, encrypted);
  await client.send(
    new CreateDBSnapshotCommand({
      DBInstanceIdentifier: identifier,
      DBSnapshotIdentifier: `${identifier}-before-release`,
    }),
  );
  client.destroy();
  expect(await read(identifier, "manual")).toEqual({
    exists: true,
    id: `${identifier}-before-release`,
    status: "available",
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    encrypted,
    type: "manual",
    count: 1,
  });
  expect(await read(identifier, "automated")).toMatchObject({ exists: true, type: "automated" });
});

test("an instance without snapshots", async () => {
  expect(await read("none")).toEqual(absent);
});

test("the newest available snapshot counts, before a newer one that is not", async () => {
  await answerAws(() =>
    described([
      snapshot("older", "available", "2026-01-01T00:00:00Z"),
      snapshot("newer", "available", "2026-01-02T00:00:00Z"),
      snapshot("failed", "failed", "2026-01-03T00:00:00Z"),
      snapshot("creating", "creating"),
    ]),
  );
  expect(await read("orders")).toMatchObject({
    id: "newer",
    createdAt: "2026-01-02T00:00:00.000Z",
    count: 4,
  });
});

test("without an available one, the newest of all", async () => {
  await answerAws(() =>
    described([
      snapshot("creating", "creating"),
      snapshot("failed", "failed", "2026-01-03T00:00:00Z"),
    ]),
  );
  expect(await read("orders")).toMatchObject({ exists: true, id: "failed", status: "failed" });
});

test("a snapshot that is only being made has no time", async () => {
  await answerAws(() => described([snapshot("creating", "creating")]));
  expect(await read("orders")).toMatchObject({ status: "creating", createdAt: null });
});

test("a copy is as old as what it copies", async () => {
  await answerAws(() =>
    described([
      snapshot("copy", "available", "2026-01-09T00:00:00Z", "2025-01-01T00:00:00Z"),
      snapshot("own", "available", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"),
    ]),
  );
  expect(await read("orders")).toMatchObject({ id: "own" });
});

test("the newest may be on a later page", async () => {
  const asked = await answerAws(({ body }) =>
    body.includes("Marker=next")
      ? described([snapshot("second", "available", "2026-01-02T00:00:00Z")])
      : described(
          [snapshot("first", "available", "2026-01-01T00:00:00Z")],
          "<Marker>next</Marker>",
        ),
  );
  expect(await read("orders", "manual")).toMatchObject({ id: "second", count: 2 });
  expect(asked[0]?.body).toContain("SnapshotType=manual");
});

test.each([
  [100, undefined],
  [101, "rds:DescribeDBSnapshots lists more than 100 pages, which is the most"],
])("a list of %i pages", async (pages, problem) => {
  let page = 0;
  await answerAws(() => {
    page += 1;
    return described([], page < pages ? `<Marker>${page}</Marker>` : "");
  });
  const message = await read("orders").then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
  expect(message).toBe(problem);
});

test("an answer without a list is none", async () => {
  await answerAws(() => "");
  expect(await read("orders")).toEqual(absent);
});

test("a broken answer is an error", async () => {
  await answerAws(() => described([snapshot("canary", "available")]).slice(0, 300));
  const { message } = await failureOf(read("orders"));
  expect(message).toMatch(/does not speak its protocol/);
  expect(message).not.toContain("canary");
});

test("only manual and automated snapshots can be asked for", () => {
  expect(rdsSnapshot.target.safeParse({ identifier: "a", type: "shared" }).success).toBe(false);
});
