import { z } from "zod";
import { bucketConfig, type R2Config, type S3Config } from "../../../infra/buckets/config.ts";

/** An S3 row with every default. */
export function s3(changes: object = {}): S3Config {
  const row = { store: "s3", name: "flagship-documents", retentionDays: 90, ...changes };
  return z.parse(bucketConfig, row) as S3Config;
}

/** An R2 row. */
export function r2(changes: object = {}): R2Config {
  const row = {
    store: "r2",
    accountId: "0123456789abcdef0123456789abcdef",
    name: "flagship-archive",
    lockDays: 90,
    ...changes,
  };
  return z.parse(bucketConfig, row) as R2Config;
}
