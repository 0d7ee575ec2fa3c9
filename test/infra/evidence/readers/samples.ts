import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { reportLimits, type Reader, type ReadReport } from "../../../../infra/evidence/reader.ts";
import { UnreadableError } from "../../../../policies/contract/json.ts";
import { predicates, type EvidencePredicate } from "../../../../policies/contract/predicates.ts";

const now = new Date("2026-02-01T00:00:00Z");

/** A sample of a format, as its tool writes it. */
export function sample(path: string): Buffer {
  return readFileSync(join(import.meta.dirname, "../reports", path));
}

/** Reads a report, given as bytes, text or what JSON is made of; what comes of it must fit its predicate. */
export function readWith<Name extends EvidencePredicate>(
  reader: Reader<Name>,
  report: unknown,
): ReadReport<Name> {
  const read = reader.read(bytesOf(report), { now });
  const meta = {
    evidence: "sample",
    producedAt: read.producedAt ?? now.toISOString(),
    report: { name: "sample", format: reader.format, digest: { sha256: "0".repeat(64) } },
  };
  const schema: z.ZodType = predicates[reader.predicate].schema;
  expect(schema.parse({ ...read.facts, cutover: meta })).toEqual({ ...read.facts, cutover: meta });
  return read;
}

/** Why a report is refused; fails when it is not. */
export function refusal(reader: Reader, report: unknown): string {
  const outcome = attempt(reader, report);
  if (typeof outcome !== "string") throw new Error("it was read, required is that it is refused");
  return outcome;
}

/** What comes of a report: its reading, or the message of its refusal. Any other error is thrown on. */
export function attempt<Name extends EvidencePredicate>(
  reader: Reader<Name>,
  report: unknown,
): ReadReport<Name> | string {
  try {
    return readWith(reader, report);
  } catch (error) {
    if (error instanceof UnreadableError) return error.message;
    throw error;
  }
}

function bytesOf(report: unknown): Buffer {
  if (Buffer.isBuffer(report)) return report;
  return Buffer.from(typeof report === "string" ? report : JSON.stringify(report));
}

/** What no reader of any format may take, shown with a good report of it. */
export function describeBadBytes(reader: Reader, good: Buffer): void {
  describe("bad bytes", () => {
    const whole = readWith(reader, good);

    test("a report that was cut anywhere is refused, or nothing but blanks was cut", () => {
      for (let end = 0; end < good.length; end += 1) {
        const outcome = attempt(reader, good.subarray(0, end));
        if (typeof outcome === "string") continue;
        expect(good.subarray(end).toString().trim()).toBe("");
        expect(outcome).toEqual(whole);
      }
    });

    test("a report beyond the limit is refused at once", () => {
      const started = performance.now();
      expect(refusal(reader, Buffer.alloc(reportLimits.bytes + 1, " "))).toMatch(
        /larger than 32 MiB/,
      );
      expect(performance.now() - started).toBeLessThan(5000);
    });

    test("invalid UTF-8 is refused", () => {
      expect(refusal(reader, Buffer.concat([good, Buffer.from([0xc3, 0x28])]))).toMatch(/UTF-8/);
      expect(refusal(reader, Buffer.from([0xff, 0xfe, 0x7b, 0x00]))).toMatch(/UTF-8/);
    });

    test("a mark of the byte order changes nothing", () => {
      expect(readWith(reader, Buffer.concat([Buffer.from("\uFEFF"), good]))).toEqual(whole);
    });

    property.prop([fc.uint8Array({ maxLength: 200 })])("noise is refused", (bytes) => {
      refusal(reader, Buffer.from(bytes));
    });

    property.prop([fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })])(
      "a changed byte makes no other error and no misfit",
      (at, byte) => {
        const changed = Buffer.from(good);
        changed[at] = byte;
        attempt(reader, changed);
      },
    );
  });
}

/** What no reader of JSON may take, shown with a good report of it. */
export function describeBadJson(reader: Reader, good: Buffer): void {
  describe("bad JSON", () => {
    const text = good.toString().trim();
    const inside = (members: string): string => text.replace(/\}$/, `,${members}}`);

    test.each([
      ["nothing", "", /no JSON/],
      ["a comment", `${text}//`, /no JSON/],
      ["two documents", `${text}${text}`, /no JSON/],
      ["NaN", inside('"x":NaN'), /no JSON/],
      ["a number that is too large", inside('"x":1e999'), /too large/],
      ["a doubled key", inside('"x":1,"x":2'), /key twice/],
      ["a doubled key that is written otherwise", inside('"x":1,"\\u0078":2'), /key twice/],
      ["__proto__", inside('"__proto__":{"a":1}'), /__proto__/],
      ["nesting without end", inside(`"x":${"[".repeat(100_000)}`), /nests deeper than 64/],
      ["a list", "[]", /it is no /],
      ["null", "null", /it is no /],
      ["an empty object", "{}", /it is no /],
    ])("%s is refused", (_, report, message) => {
      expect(refusal(reader, report)).toMatch(message);
    });

    property.prop([fc.jsonValue()])("an arbitrary document is refused", (value) => {
      refusal(reader, value);
    });

    property.prop([
      fc.nat(),
      fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom(-1, 0.5, 1e300, "", "\u0000", "9999-12-31T23:59:59-23:59"),
      ),
    ])("a changed value makes no other error and no misfit", (at, value) => {
      const document = JSON.parse(text) as object;
      const places = placesOf(document);
      const place = places[at % places.length];
      if (place !== undefined) Reflect.set(place.parent, place.key, value);
      attempt(reader, document);
    });
  });
}

function placesOf(value: unknown): { parent: object; key: string }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) => [
    { parent: value, key },
    ...placesOf(Reflect.get(value, key)),
  ]);
}
