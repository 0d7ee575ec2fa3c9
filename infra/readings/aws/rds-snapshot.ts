import type { DBSnapshot } from "@aws-sdk/client-rds";
import { z } from "zod";
import { readingKind } from "../reading.ts";
import { latest, region, timeFact, withAws } from "./client.ts";
import { instanceIdentifier } from "./rds-instance.ts";

const target = z.strictObject({
  identifier: instanceIdentifier,
  type: z.enum(["manual", "automated"]).optional().meta({
    description: "only manual or only automated snapshots; otherwise both",
    example: "manual",
  }),
  region,
});

/** Reads the newest snapshot of an RDS instance. Snapshots may outlive their instance. */
export const rdsSnapshot = readingKind({
  kind: "rds-snapshot",
  title: "the newest snapshot of an RDS instance",
  target,
  facts: {
    exists: "true when there is a snapshot",
    id: "identifier of the newest snapshot, of the available ones where there are any; null when there is none, or AWS does not say",
    status: "its state, such as available; null when there is none, or AWS does not say",
    createdAt:
      "ISO 8601, when its data was taken, which copying it does not change; null when there is none, or AWS does not say",
    encrypted: "true when it is encrypted; null when there is none, or AWS does not say",
    type: "how it was made, such as manual or automated; null when there is none, or AWS does not say",
    count: "how many snapshots of the instance there are, of `type` alone where it is named",
  },
  subject: ({ identifier }) => identifier,

  async read({ identifier, type, ...where }, context) {
    const { RDSClient, paginateDescribeDBSnapshots } = await import("@aws-sdk/client-rds");
    return withAws(
      (options) => new RDSClient(options),
      where,
      context,
      async ({ client, list }) => {
        const input = { DBInstanceIdentifier: identifier, SnapshotType: type };
        const snapshots = await list(
          "rds:DescribeDBSnapshots",
          (options) => paginateDescribeDBSnapshots({ client, pageSize: 100 }, input, options),
          ({ DBSnapshots }) => DBSnapshots,
        );
        const newest = latest(snapshots, takenAt, ({ Status }) => Status === "available");
        return {
          exists: newest !== undefined,
          id: newest?.DBSnapshotIdentifier ?? null,
          status: newest?.Status ?? null,
          createdAt: timeFact(takenAt(newest)),
          encrypted: newest?.Encrypted ?? null,
          type: newest?.SnapshotType ?? null,
          count: snapshots.length,
        };
      },
    );
  },
});

function takenAt(snapshot: DBSnapshot | undefined): Date | undefined {
  return snapshot?.OriginalSnapshotCreateTime ?? snapshot?.SnapshotCreateTime;
}
