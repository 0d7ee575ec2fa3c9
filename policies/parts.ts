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

/** The parts that name an owner, or why there are none. */
export interface Parts {
  readonly parts: readonly Sighting[];
  readonly missing: readonly Reason[];
}

/**
 * Finds the parts that name an owner. A part whose owner is unknown until the update counts for nobody.
 *
 * @param nameIn the owner's own input that holds its name
 * @throws the SDK's UnknownValueError when the owner's name is unknown until the update
 */
export function findParts(part: Part, owner: Sighting, nameIn: string, seen: Seen): Parts {
  const name = owner.props[nameIn];
  const declared = seen.ofType(part.type).map((sighting) => ({
    sighting,
    owner: readName(sighting, part.ownerIn),
  }));
  const parts = declared
    .filter((one) => typeof one.owner === "object" && one.owner.name === name)
    .map(({ sighting }) => sighting);
  if (parts.length > 0) return { parts, missing: [] };
  const unknown = declared.filter((one) => one.owner === "unknown").length;
  return {
    parts,
    missing: [inconclusive(`no declared ${part.kind} names it${unknownToo(unknown)}`)],
  };
}

/** Judges every part that names an owner. None at all is a reason too. */
export function judgeParts(
  part: Part,
  owner: Sighting,
  nameIn: string,
  seen: Seen,
  judge: (part: Sighting) => readonly Reason[],
): readonly Reason[] {
  const { parts, missing } = findParts(part, owner, nameIn, seen);
  return [...missing, ...parts.flatMap(judge)];
}
