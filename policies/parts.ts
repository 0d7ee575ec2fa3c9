import { inconclusive, unknownToo, type Reason } from "./gate.ts";
import type { Seen, Sighting } from "./run.ts";
import { readName } from "./values.ts";

/** A kind of resource that sets something about another one, which it names. */
export interface Part {
  /** Short name, as the program writes the class. */
  readonly kind: string;
  readonly type: string;
  /** The input that holds the other's name. */
  readonly ownerIn: string;
}

/**
 * Judges every part that names an owner. None at all is a reason too. A part whose owner is unknown until the update
 * counts for nobody.
 */
export function judgeParts(
  part: Part,
  owner: Sighting,
  nameIn: string,
  seen: Seen,
  judge: (part: Sighting) => readonly Reason[],
): readonly Reason[] {
  const name = owner.props[nameIn];
  const declared = seen.ofType(part.type);
  const readings = declared.map((sighting) => readName(sighting, part.ownerIn));
  const parts = declared.filter((_, index) => {
    const reading = readings[index];
    return typeof reading === "object" && reading.name === name;
  });
  if (parts.length === 0) {
    const unknown = readings.filter((reading) => reading === "unknown").length;
    return [inconclusive(`no declared ${part.kind} names it${unknownToo(unknown)}`)];
  }
  return parts.flatMap(judge);
}
