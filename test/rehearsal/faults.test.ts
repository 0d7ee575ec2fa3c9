import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineSideError } from "../support/engine.ts";
import { startTestCloud, type Subject, type TestCloud } from "./support.ts";

let cloud: TestCloud;
let buckets: Subject;

beforeAll(async () => {
  cloud = await startTestCloud();
  buckets = cloud.subject("aws:s3/bucket:Bucket", "documents");
});

afterAll(() => cloud.close());

const urn = "urn:pulumi:test::cutover::aws:s3/bucket:Bucket::documents";

test("a create fails once, under its own name or URN only, and previews are not disturbed", async () => {
  const { faults } = cloud.cloud;
  const id = faults.add({ resource: urn, operation: "create", kind: "fail", message: "Throttled" });
  await cloud.subject("aws:s3/bucket:Bucket", "other").create({ bucket: "fail-other" });
  await buckets.preview({ bucket: "fail" });

  expect(await buckets.refusal({ bucket: "fail" })).toBe("Throttled");
  await faults.reached(id);
  await buckets.create({ bucket: "fail" });
});

test("a held create waits until it is released", async () => {
  const { faults } = cloud.cloud;
  const id = faults.add({ resource: "documents", operation: "create", kind: "hold" });
  let created = false;
  const creating = buckets.create({ bucket: "held" }).then((made) => {
    created = true;
    return made;
  });
  await faults.reached(id);
  expect(created).toBe(false);
  expect(await buckets.exists({ id: "held", inputs: { bucket: "held" }, outputs: {} })).toBe(false);
  faults.release(id);

  expect((await creating).id).toBe("held");
});

test("a held create ends when the run is cancelled", async () => {
  const { faults } = cloud.cloud;
  const id = faults.add({ resource: "documents", operation: "create", kind: "hold" });
  const creating = buckets.refusal({ bucket: "cancelled" });
  await faults.reached(id);
  await cloud.clients.aws.cancel();

  expect(await creating).toMatch(/cancelled/);
  expect(
    await buckets.exists({ id: "cancelled", inputs: { bucket: "cancelled" }, outputs: {} }),
  ).toBe(false);
});

test("an answer is lost after the work was done, so doing it again meets what is there", async () => {
  cloud.cloud.faults.add({ resource: "documents", operation: "create", kind: "drop" });
  const error: unknown = await buckets.create({ bucket: "dropped" }).catch((each: unknown) => each);

  expect(error).toBeInstanceOf(EngineSideError);
  // The engine must take it for "the state is in doubt": gRPC UNKNOWN.
  expect((error as EngineSideError).failure).toMatchObject({ code: 2 });
  expect(await buckets.refusal({ bucket: "dropped" })).toMatch(/BucketAlreadyOwnedByYou/);
});

test("updates and deletes can fail too", async () => {
  const { faults } = cloud.cloud;
  const made = await buckets.create({ bucket: "later" });
  faults.add({ resource: "documents", operation: "update", kind: "fail" });
  faults.add({ resource: "documents", operation: "delete", kind: "fail" });

  await expect(buckets.update(made, { bucket: "later", tags: {} })).rejects.toThrow(
    "ServiceUnavailable",
  );
  await expect(buckets.delete(made)).rejects.toThrow("ServiceUnavailable");
  await buckets.delete(made);
  expect(await buckets.exists(made)).toBe(false);
});
