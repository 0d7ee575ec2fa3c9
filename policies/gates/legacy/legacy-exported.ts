import type { GuardFacts } from "../../contract/facts.ts";
import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";

/** The legacy system's database leaves only after its last export. A system without one has nothing to export. */
export const legacyExported = defineGate({
  id: "legacy-exported",
  about: "facts",
  requires: "The legacy database is exported whole, after the cutover and before it is deleted.",
  because: "What decommission deletes is gone for good.",
  severity: "critical",
  required: "an export from after the cutover, larger than 0 bytes, with its SHA-256",
  remedy:
    "set cutover:phase to finalize and run pulumi up, which exports again what is older than a day",
  judge: ({ legacy, before }) => (legacy.d1 === null ? [] : judgeExport(before)),
});

function judgeExport({ legacyExport, times, record }: GuardFacts["before"]): readonly Reason[] {
  if (legacyExport === null) return [inconclusive("the ledger has no export of the database")];
  const { at, bytes, sha256 } = legacyExport;
  const reasons: Reason[] = [];
  if (!(bytes > 0)) reasons.push(fail(`the export has ${String(bytes)} bytes`));
  if (!/^[0-9a-f]{64}$/.test(sha256)) reasons.push(inconclusive("the export has no SHA-256"));
  const cutover = Date.parse(times.cutover ?? record?.at ?? "");
  const taken = Date.parse(at);
  if (Number.isNaN(cutover)) {
    reasons.push(inconclusive("the ledger does not say when the cutover was"));
  } else if (Number.isNaN(taken)) {
    reasons.push(inconclusive("the ledger does not say when the export was taken"));
  } else if (taken <= cutover) {
    reasons.push(fail("the export was taken before the cutover"));
  }
  return reasons;
}
