import { z } from "zod";
import type { Config } from "../config.ts";
import type { MovedName } from "../readings/reading.ts";
import { addressOf, type Plan } from "../release/plan.ts";
import type { StateResource } from "../release/replaced.ts";

const addressRecord = z.object({ name: z.string(), type: z.literal("A"), content: z.string() });

/**
 * The names that a cutover has moved already: the stack's own records lead where this run is about to lead them. So it is
 * in a repeated cutover, and in one that failed behind the switch.
 *
 * @param resources what the stack's state holds
 */
export function movedNames(
  plan: Pick<Plan, "moves" | "serving" | "dnsBefore">,
  config: Config,
  resources: readonly StateResource[],
): Record<string, MovedName> {
  if (!plan.moves) return {};
  const records = resources
    .filter(({ type }) => type === "cloudflare:index/dnsRecord:DnsRecord")
    .flatMap(({ outputs }) => addressRecord.safeParse(outputs).data ?? []);
  return Object.fromEntries(
    plan.dnsBefore.flatMap(({ name, content: from }) => {
      const to = addressOf(plan.serving, name, config);
      const isMoved = records.some((record) => record.name === name && record.content === to);
      return to === undefined || to === from || !isMoved ? [] : [[name, { from, to }]];
    }),
  );
}
