import { expect } from "vitest";
import {
  ReadingError,
  type ReadingContext,
  type ReadingKind,
} from "../../../infra/readings/reading.ts";

/** What a reading is given, for a release that does not matter to it. */
export function contextOf(more: Partial<ReadingContext> = {}): ReadingContext {
  return {
    signal: new AbortController().signal,
    now: new Date(),
    release: { version: "v2.0.0", digest: "a".repeat(64), commit: "b".repeat(40), images: {} },
    database: undefined,
    ...more,
  };
}

/** Reads once, and sees that the facts are those that the kind names. */
export async function readFacts<Target>(
  kind: ReadingKind<Target>,
  target: Target,
  context: ReadingContext,
): Promise<Readonly<Record<string, unknown>>> {
  const value = await kind.read(target, context);
  expectFacts(kind, value);
  return value;
}

/** Sees that what was read are the facts that the kind names. */
export function expectFacts(kind: Pick<ReadingKind, "facts">, value: object): void {
  expect(Object.keys(value).sort()).toEqual(Object.keys(kind.facts).sort());
}

/** The error that a reading rejects with. */
export async function failureOf(reading: Promise<unknown>): Promise<ReadingError> {
  const error: unknown = await reading.then(
    (value) => new Error(`it was read: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof ReadingError) return error;
  throw error;
}
