import { expect, test } from "vitest";
import { Archive } from "../../../infra/buckets/archive.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";
import { r2 } from "./samples.ts";

const lockType = "cloudflare:index/r2BucketLock:R2BucketLock";
const lifecycleType = "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle";
const abortUploads = {
  id: "abort-unfinished-uploads",
  enabled: true,
  conditions: { prefix: "" },
  abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 604_800 } },
};

test("Archive locks its objects for the days it is given", async () => {
  expect(only(await archive(), lockType).inputs).toMatchObject({
    bucketName: "flagship-archive",
    rules: [{ enabled: true, condition: { type: "Age", maxAgeSeconds: 7_776_000 } }],
  });
});

test("Archive without lock days has no lock", async () => {
  expect((await archive({ lockDays: 0 })).map(({ type }) => type)).not.toContain(lockType);
});

test("Archive lets nothing expire but unfinished uploads", async () => {
  expect(only(await archive(), lifecycleType).inputs).toMatchObject({
    bucketName: "flagship-archive",
    rules: [abortUploads],
  });
});

test("Archive lets objects expire after the days it is given", async () => {
  const { inputs } = only(await archive({ expireDays: 365 }), lifecycleType);
  expect(inputs["rules"]).toEqual([
    abortUploads,
    {
      id: "expire",
      enabled: true,
      conditions: { prefix: "" },
      deleteObjectsTransition: { condition: { type: "Age", maxAge: 31_536_000 } },
    },
  ]);
});

function archive(change: object = {}): Promise<Declared[]> {
  return declared(() => new Archive("archive", { settings: r2(change) }, firstStep));
}
