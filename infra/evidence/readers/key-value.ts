import { decodeUtf8 } from "../../../policies/contract/json.ts";
import { cellValue, keptRow, wantedRows } from "../kept-rows.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { fitFacts, unreadable } from "./shared.ts";

/**
 * Reads `KEY=value` on each line, as `systemctl show` writes it: one row, and one more after each empty line, because
 * `systemctl show` parts units so. Only the keys that the checklist asks about are kept.
 */
export const keyValue: Reader<"records"> = {
  format: "key-value",
  title: "KEY=value on each line, systemctl show",
  predicate: "records",
  read(bytes, { rows }) {
    const wanted = wantedRows(rows);
    if (wanted.of !== undefined) {
      throw unreadable(`it is one list of keys, so it has no ${wanted.of}`);
    }
    const fields = new Set(wanted.fields);
    const units: Map<string, string>[] = [];
    let isOpen = false;
    for (const [index, line] of decodeUtf8(bytes, reportLimits.bytes).split(/\r?\n/).entries()) {
      if (line.trim() === "") {
        isOpen = false;
        continue;
      }
      const sign = line.indexOf("=");
      const key = line.slice(0, sign);
      if (sign < 1 || !/^[A-Za-z_][\w.-]*$/.test(key)) {
        throw unreadable(`line ${index + 1} is no KEY=value`);
      }
      if (!isOpen) units.push(new Map());
      isOpen = true;
      if (!fields.has(key)) continue;
      // Others may come more than once.
      if (units.at(-1)?.has(key) === true) throw unreadable(`it has the key ${key} twice`);
      units.at(-1)?.set(key, line.slice(sign + 1));
    }
    if (units.length === 0) throw unreadable("it is empty; required is KEY=value on each line");
    const kept = units.map((unit) =>
      Object.fromEntries([...unit].map(([key, value]) => [key, cellValue(value)])),
    );
    return {
      facts: fitFacts("records", { rows: kept.map((unit) => keptRow(unit, wanted)) }),
      producedAt: null,
    };
  },
};
