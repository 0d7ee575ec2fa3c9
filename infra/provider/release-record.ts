import { z } from "zod";
import {
  appendEntry,
  emptyStanding,
  wholeLedger,
  type Ledger,
  type LedgerEntry,
} from "../release/ledger.ts";
import { inputFailures } from "./inputs.ts";
import { hasUnknown, sameProperty, type Properties } from "./properties.ts";
import type { ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  entry: z.looseObject({
    phase: z.string(),
    direction: z.string(),
    release: z.looseObject({ version: z.string() }),
  }),
  /** The ledger to begin with, for a stack whose record left the state. */
  previous: z.looseObject({}).nullish(),
});

/**
 * Keeps the ledger of a stack. A failed run writes new stack outputs, so the ledger is the output of this resource,
 * which stands behind everything else: it changes only after success.
 */
export const releaseRecord: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const changes = !sameProperty(olds.inputs["entry"], news["entry"]);
    return { changes, diffs: changes ? ["entry"] : [] };
  },

  create(news, call) {
    // When the run ends is not known in a preview, and neither is the ledger.
    if (call.preview) return Promise.resolve({ id: "", outputs: {} });
    const ledger = appended(news["previous"], news);
    return Promise.resolve({ id: "release-record", outputs: { ledger } });
  },

  update(_id, olds, news, call) {
    if (call.preview && hasUnknown(news)) return Promise.resolve({ outputs: {} });
    if (sameProperty(olds.inputs["entry"], news["entry"]))
      return Promise.resolve({ outputs: olds.outputs });
    if (call.preview) return Promise.resolve({ outputs: {} });
    return Promise.resolve({ outputs: { ledger: appended(olds.outputs["ledger"], news) } });
  },
};

function appended(ledger: unknown, news: Properties): Ledger {
  return appendEntry(
    ledger === undefined || ledger === null ? undefined : wholeLedger(ledger),
    wholeEntry(news["entry"] as LedgerEntry),
    new Date().toISOString(),
  );
}

function wholeEntry(entry: Partial<LedgerEntry>): LedgerEntry {
  const slots = { ...emptyStanding.slots, ...entry.slots };
  return {
    snapshot: null,
    ttlShownAt: null,
    clockScale: 1,
    zones: [],
    restoreTest: null,
    legacyExport: null,
    migratedFor: null,
    verdicts: {},
    waivers: {},
    ...entry,
    slots,
  } as LedgerEntry;
}
