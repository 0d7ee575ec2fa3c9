import type { BucketConfig } from "../buckets/config.ts";
import { dotted, setValue } from "../config-path.ts";
import type { DnsConfig } from "../dns/config.ts";
import type { Problem } from "../errors.ts";
import type { ServiceConfig } from "../services/config.ts";
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

/** The legacy system has the port of what replaces it, unless names lead to services with several ports. */
export function legacyPortSaid({
  legacy,
  dns,
  services,
}: {
  readonly legacy?: LegacyConfig | undefined;
  readonly dns: Pick<DnsConfig, "names">;
  readonly services: Readonly<Record<string, Pick<ServiceConfig, "port" | "image">>>;
}): Problem[] {
  if (legacy === undefined || legacy.port !== undefined) return [];
  const ports = new Set(
    Object.values(dns.names).flatMap(({ service }) => {
      const named = services[service];
      return named === undefined || named.image !== undefined ? [] : [named.port];
    }),
  );
  if (ports.size < 2) return [];
  const where = ["legacy", "port"];
  return [
    {
      where: dotted(where),
      found: `nothing, and names lead to the ports ${[...ports].join(", ")}`,
      required: "the TCP port of the legacy system",
      todo: setValue(where, "8080"),
    },
  ];
}
