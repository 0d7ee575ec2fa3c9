import { describe, expect, test } from "vitest";
import { LegacyD1, type LegacyD1Args } from "../../../infra/legacy/d1.ts";
import { d1ExportType } from "../../../infra/provider/type-tokens.ts";
import { r2, s3 } from "../buckets/samples.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";

const databaseType = "cloudflare:index/d1Database:D1Database";
const accountId = "0123456789abcdef0123456789abcdef";
const settings = { accountId, name: "ignition-legacy", exportTo: "exports" };
const bucket = s3({ name: "ignition-exports" });
const lastExport = { stack: "ignition/test", release: "v1.0.0", bucket };

function legacy(change: Partial<LegacyD1Args> = {}): Promise<Declared[]> {
  return declared(
    () => {
      const made = new LegacyD1("legacy-d1", { settings, protect: true, ...change }, firstStep);
      expect(made.lastExport === undefined).toBe(change.lastExport === undefined);
    },
    { [databaseType]: { uuid: "01234567-89ab-4cde-8f01-23456789abcd" } },
  );
}

describe("the legacy system's database", () => {
  test("has the name that the config says, which is what a checklist looks for", async () => {
    expect(only(await legacy(), databaseType)).toEqual({
      type: databaseType,
      name: "legacy-d1-database",
      inputs: { accountId, name: "ignition-legacy" },
    });
  });

  test("is exported only where that is asked", async () => {
    expect((await legacy()).filter(({ type }) => type === d1ExportType)).toEqual([]);
    expect(only(await legacy({ lastExport }), d1ExportType)).toMatchObject({
      name: "legacy-d1-export",
      inputs: {
        stack: "ignition/test",
        release: "v1.0.0",
        accountId,
        databaseId: "01234567-89ab-4cde-8f01-23456789abcd",
        name: "ignition-legacy",
        store: { store: "s3", bucket: "ignition-exports" },
        renewAfterSeconds: 86_400,
      },
    });
  });

  test.each([
    [
      "an R2 bucket",
      r2({ accountId, name: "exports" }),
      { store: "r2", bucket: "exports", accountId },
    ],
    [
      "a bucket with object lock",
      s3({ name: "ignition-exports", objectLockDays: 30 }),
      { store: "s3", bucket: "ignition-exports", lockDays: 30 },
    ],
  ])("is exported to %s", async (_, into, store) => {
    const resources = await legacy({ lastExport: { ...lastExport, bucket: into } });
    expect(only(resources, d1ExportType).inputs["store"]).toEqual(store);
  });
});
