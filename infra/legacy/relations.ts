import type { BucketConfig } from "../buckets/config.ts";
import { dotted } from "../config-path.ts";
import type { Problem } from "../errors.ts";
import type { LegacyConfig } from "./config.ts";

/** What is wrong between the legacy system and the table `buckets`, which its last export goes to. */
export function legacyRelations({
  legacy,
  buckets,
}: {
  readonly legacy?: LegacyConfig | undefined;
  readonly buckets: Readonly<Record<string, BucketConfig>>;
}): Problem[] {
  const { d1 } = legacy ?? {};
  if (d1 === undefined || Object.hasOwn(buckets, d1.exportTo)) return [];
  return [
    {
      where: dotted(["legacy", "d1", "exportTo"]),
      found: `${d1.exportTo}, which is no bucket`,
      required: `a name in cutover:buckets: ${Object.keys(buckets).join(", ") || "none yet"}`,
      todo: `add ${d1.exportTo} to cutover:buckets`,
    },
  ];
}
