import { expect, test } from "vitest";
import { Archive } from "../../../infra/buckets/archive.ts";
import { sampleConfig } from "../../support/config.ts";
import { declared, firstStep, only } from "../../support/declared.ts";

const lockType = "cloudflare:index/r2BucketLock:R2BucketLock";

test("Archive locks its objects for the days it is given", async () => {
  expect(only(await archive(90), lockType).inputs).toMatchObject({
    bucketName: "flagship-production-archive",
    rules: [{ enabled: true, condition: { type: "Age", maxAgeSeconds: 7_776_000 } }],
  });
});

test("Archive without lock days has no lock", async () => {
  expect((await archive(0)).map(({ type }) => type)).not.toContain(lockType);
});

function archive(lockDays: number) {
  const settings = { ...sampleConfig().archive, lockDays };
  return declared(() => new Archive("archive", { settings }, firstStep));
}
