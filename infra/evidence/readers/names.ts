import { z } from "zod";
import type { Reader } from "../reader.ts";
import { checkUnique, fitFacts, list, readShape } from "./shared.ts";

const schema = list(z.string().trim().min(1).max(1024));

/** Reads a plain list of names as JSON: `["orders", "invoices"]`. No name may stand twice. */
export const names: Reader<"inventory"> = {
  format: "names",
  title: "JSON list of names",
  predicate: "inventory",
  read(bytes) {
    const found = readShape(schema, bytes, "JSON list of names");
    checkUnique(found);
    const entries = found.map((name) => ({ name }));
    return { facts: fitFacts("inventory", { entries }), producedAt: null };
  },
};
