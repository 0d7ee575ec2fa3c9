import type { Reader, WantedRows } from "../../../../infra/evidence/reader.ts";

/** A reader that is told which rows and fields the checklist wants. */
export function wanting(
  reader: Reader<"records">,
  fields: readonly string[],
  of?: WantedRows["of"],
): Reader<"records"> {
  return {
    ...reader,
    read: (bytes, options) => reader.read(bytes, { ...options, rows: { of, fields } }),
  };
}
