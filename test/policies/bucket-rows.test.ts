import { describe, expect, test } from "vitest";
import { bucketEncrypted } from "../../policies/gates/buckets/bucket-encrypted.ts";
import { bucketPublicAccessBlocked } from "../../policies/gates/buckets/bucket-public-access-blocked.ts";
import { bucketRetentionSet } from "../../policies/gates/buckets/bucket-retention-set.ts";
import { bucketTlsOnly } from "../../policies/gates/buckets/bucket-tls-only.ts";
import { bucketVersioned } from "../../policies/gates/buckets/bucket-versioned.ts";
import { withRowKey } from "../../policies/bucket-rows.ts";
import { fail, type Gate } from "../../policies/gate.ts";
import { another, judgeWorld } from "../support/gate-tester.ts";

const sighting = (name: string) => ({ urn: "urn", type: "aws:s3/bucket:Bucket", name, props: {} });
const reasons = [fail("bad"), fail("bad as well", { remedy: "another one" })];

test("a reason names the key of the bucket's row, unless it has a remedy of its own", () => {
  expect(withRowKey(reasons, sighting("access-log-bucket"), "retentionDays", 30)).toEqual([
    {
      verdict: "fail",
      found: "bad",
      remedy: "pulumi config set --path cutover:buckets.access-log.retentionDays 30",
    },
    { verdict: "fail", found: "bad as well", remedy: "another one" },
  ]);
});

test.each([
  "bucket",
  "-bucket",
  "documents",
  "documents-bucket-2",
  "My Bucket-bucket",
  "a.b-bucket",
])("the bucket %s comes from no row", (name) => {
  expect(withRowKey(reasons, sighting(name), "versioned", true)).toEqual(reasons);
});

// The program's name of the sample is another-bucket.
describe.each<[Gate, string]>([
  [bucketEncrypted, "encrypted true"],
  [bucketVersioned, "versioned true"],
  [bucketPublicAccessBlocked, "publicAccessBlocked true"],
  [bucketTlsOnly, "tlsOnly true"],
  [bucketRetentionSet, "retentionDays 30"],
])("$id", (gate, set) => {
  test("names the key of the row that is wrong", () => {
    const found = judgeWorld(gate, [another("bucket", { bucket: "second" })]);
    expect(found.map(({ subject, remedy }) => [subject, remedy])).toEqual([
      ["bucket second", `pulumi config set --path cutover:buckets.another.${set}`],
    ]);
  });
});

test("an archive's row has a key of its own", () => {
  const archive = { type: "cloudflare:index/r2Bucket:R2Bucket", props: { name: "second" } };
  const found = judgeWorld(bucketRetentionSet, [
    ({ resources }) => {
      resources["second-bucket"] = archive;
    },
  ]);
  expect(found.map(({ remedy }) => remedy)).toEqual([
    "pulumi config set --path cutover:buckets.second.lockDays 30",
  ]);
});
