import { z } from "zod";
import { attest, nothingAttested, type Told } from "./attested.ts";
import type { SubmittedDocument } from "../contract/documents.ts";
import type { Reading } from "../contract/readings.ts";
import type { Trust } from "../signatures/trust.ts";
import { plain, unknownPath } from "../values.ts";

const documents: z.ZodType<SubmittedDocument[]> = z.array(
  z
    .strictObject({
      name: z.string(),
      text: z.string().exactOptional(),
      problem: z.string().exactOptional(),
    })
    .refine(({ text, problem }) => (text === undefined) !== (problem === undefined)),
);

const readings: z.ZodType<Record<string, Reading>> = z.record(
  z.string(),
  z.strictObject({
    kind: z.string(),
    subject: z.string(),
    at: z.string(),
    value: z.record(z.string(), z.unknown()).exactOptional(),
    problem: z.string().exactOptional(),
  }),
);

/** Reads what an entry guard was told beside its facts, as it comes from the engine, and verifies its signatures. */
export function readTold(
  props: Readonly<Record<string, unknown>>,
  readTrust: () => Trust,
  now: number,
): Told {
  const given = read(documents, () => props["documents"]);
  const heard = read(readings, () => props["readings"]);
  return {
    attested:
      given === undefined
        ? {
            ...nothingAttested,
            refused: [
              { document: "the guard's documents", claims: undefined, why: "they cannot be read" },
            ],
          }
        : attest(given, readTrust, now),
    readings: heard ?? {},
  };
}

function read<Value>(schema: z.ZodType<Value>, given: () => unknown): Value | undefined {
  try {
    return schema.safeParse(plain(given())).data;
  } catch (error) {
    if (unknownPath(error) === undefined) throw error;
    return undefined;
  }
}
