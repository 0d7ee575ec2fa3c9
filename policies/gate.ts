import type { Told } from "./evidence/attested.ts";
import type { GuardFacts, GuardName } from "./contract/facts.ts";
import { gateTable, type GateId } from "./contract/gates.ts";
import type { Verdict } from "./contract/verdict.ts";
import { wrapWords } from "./contract/text.ts";
import { nouns, type Noun } from "./nouns.ts";
import { isRehearsal } from "./rehearsal.ts";
import type { Seen, Sighting } from "./run.ts";
import { readName, unknownPath } from "./values.ts";

/** Why a gate is closed, as the gate says it. What it leaves out is taken from the gate. */
export interface Reason {
  readonly verdict: Extract<Verdict, "fail" | "inconclusive">;
  readonly found: string;
  readonly required?: string;
  readonly remedy?: string;
}

/** Why a gate is closed, complete. */
export interface Finding extends Required<Reason> {
  /** What it is about, such as `database orders`. */
  readonly subject: string;
}

/** What a judgement may know besides the facts. */
export interface Judge {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Whether this run reaches stand-ins only, so that time may be scaled. */
  readonly rehearsal: boolean;
}

interface GateText {
  readonly id: string;
  /** The state that must hold, one sentence. */
  readonly requires: string;
  /** The harm when it does not hold, one sentence. */
  readonly because: string;
  readonly severity: "low" | "medium" | "high" | "critical";
  /** What is required, as the end of the line "Required: ". */
  readonly required: string;
  /** What to do, as the end of the line "To do: ". */
  readonly remedy: string;
  /** Where a document asks for it. */
  readonly source?: { readonly document: string; readonly section: string };
  /** Set where this phase or the one before it brings the state about, so that advice one phase earlier says nothing. */
  readonly ownPhaseOnly?: true;
}

/** A gate that judges what the guard was told. */
export interface FactsGate extends GateText {
  readonly about: "facts";
  judge(facts: GuardFacts, judge: Judge): readonly Reason[];
}

/**
 * A gate that judges each declared resource of its noun by its own inputs, when it registers. So it must stand in all
 * phases and both directions: a resource may come before any guard.
 */
export interface ResourceGate extends GateText {
  readonly about: "resource";
  readonly noun: Noun;
  judge(resource: Sighting): readonly Reason[];
}

/** A gate that judges each declared resource of its nouns together with others, at its guard. */
export interface RelationGate extends GateText {
  readonly about: "relation";
  readonly nouns: readonly Noun[];
  judge(resource: Sighting, seen: Seen, facts: GuardFacts): readonly Reason[];
}

/** A gate that judges what the guard was told: signed documents, readings, what was declared before it. */
export interface ToldGate extends GateText {
  readonly about: "told";
  judge(told: Told, facts: GuardFacts, judge: Judge, seen: Seen): readonly Reason[];
}

/** One condition that must hold to pass a guard. */
export type Gate = (FactsGate | ResourceGate | RelationGate | ToldGate) & {
  readonly guard: GuardName;
  /** Whether a signed waiver can stand in for it. */
  readonly waivable: boolean;
};

/**
 * Makes a gate of the table, which says where it stands.
 *
 * @throws when the table has no such gate
 */
export function defineGate<Kind extends FactsGate | ResourceGate | RelationGate | ToldGate>(
  definition: Kind & { readonly id: GateId },
): Kind & { readonly guard: GuardName; readonly waivable: boolean } {
  const row = gateTable.find(({ id }) => id === definition.id);
  if (row === undefined) throw new Error(`contract/gates.ts has no gate ${definition.id}`);
  return { ...definition, guard: row.guard, waivable: row.waivable };
}

/** A reason of a condition that was measured and does not hold. */
export function fail(
  found: string,
  rest: Partial<Pick<Reason, "required" | "remedy">> = {},
): Reason {
  return { verdict: "fail", found, ...rest };
}

/** A reason of a condition that could not be measured. */
export function inconclusive(
  found: string,
  rest: Partial<Pick<Reason, "required" | "remedy">> = {},
): Reason {
  return { verdict: "inconclusive", found, ...rest };
}

/** What this run knows at this moment. */
export function judgeHere(): Judge {
  return { now: Date.now(), rehearsal: isRehearsal(process.env) };
}

/** Judges one resource by its own inputs. */
export function judgeResource(gate: ResourceGate, resource: Sighting): Finding[] {
  return findings(gate, subjectOf(gate.noun, resource), () =>
    // The engine shows a new resource that `--target` or `--exclude` leaves out without any inputs.
    Object.keys(resource.props).length === 0 ? leftOut : gate.judge(resource),
  );
}

const leftOut: readonly Reason[] = [
  inconclusive("this run leaves it out", {
    required: "a run of the whole program",
    remedy: "run it again without --target and --exclude",
  }),
];

/** The names that the guard says are covered and that no declared resource carries. */
export function judgeCover(
  gate: ResourceGate | RelationGate,
  facts: GuardFacts,
  seen: Seen,
): Finding[] {
  return nounsOf(gate).flatMap((noun) => {
    const { one, types, nameIn, mayBeNone } = nouns[noun];
    const covered = facts.covers[noun];
    const isFree = typeof mayBeNone === "string" ? facts.covers[mayBeNone].length > 0 : mayBeNone;
    if (covered.length === 0 && !isFree) {
      return findings(gate, `release ${facts.release.version}`, () => [
        inconclusive(`it covers no ${one}, so there is nothing to judge`, {
          remedy: `declare a ${one} in the stack config`,
        }),
      ]);
    }
    const readings = types
      .flatMap((type) => seen.ofType(type))
      .map((resource) => readName(resource, nameIn));
    const unknown = readings.filter((reading) => reading === "unknown").length;
    return covered
      .filter(
        (name) => !readings.some((reading) => typeof reading === "object" && reading.name === name),
      )
      .flatMap((name) =>
        findings(gate, `${one} ${name}`, () => [
          inconclusive(`no declared ${one} carries this name${unknownToo(unknown)}`, {
            remedy: `declare it with ${nameIn} set to this name as a plain text`,
          }),
        ]),
      );
  });
}

/** Judges a gate whole, as its guard must: what the guard was told, what it covers and all that was declared. */
export function judgeGate(
  gate: Gate,
  facts: GuardFacts,
  seen: Seen,
  told: Told,
  judge: Judge,
): Finding[] {
  if (gate.about === "facts" || gate.about === "told") {
    return findings(gate, `release ${facts.release.version}`, () =>
      gate.about === "facts" ? gate.judge(facts, judge) : gate.judge(told, facts, judge, seen),
    );
  }
  const declared = nounsOf(gate).flatMap((noun) =>
    nouns[noun].types
      .flatMap((type) => seen.ofType(type))
      .flatMap((resource) =>
        gate.about === "resource"
          ? judgeResource(gate, resource)
          : findings(gate, subjectOf(noun, resource), () => gate.judge(resource, seen, facts)),
      ),
  );
  return [...judgeCover(gate, facts, seen), ...declared];
}

/** The gate's answer: the worst that was found, and `pass` when nothing was. */
export function verdictOf(found: readonly Finding[]): Verdict {
  if (found.length === 0) return "pass";
  return found.some(({ verdict }) => verdict === "fail") ? "fail" : "inconclusive";
}

/** A finding as people read it: what was found, what is required and what to do, each on a line of its own. */
export function findingText({ subject, found, required, remedy }: Finding): string {
  return [`Found: ${subject}: ${found}.`, `Required: ${required}.`, `To do: ${remedy}`]
    .map((line) => (line.length > textWidth ? wrapped(line) : line))
    .join("\n");
}

/** Where a document asks for the gate, as the last line of its messages; nothing for one that the pack brings itself. */
export function sourceText({ source }: Gate): string {
  if (source === undefined) return "";
  return `\n${wrapWords(`Asked by: ${source.document}, ${source.section}`, textWidth, "  ").join("\n")}`;
}

/** Columns of a message: the CLI indents it by 10 of 80. */
export const textWidth = 70;

/** Words about declared resources that could not be matched because their names are unknown; empty for none. */
export function unknownToo(count: number): string {
  if (count === 0) return "";
  return `; ${count} declared ${count === 1 ? "one has a name that is" : "ones have names that are"} unknown until the update`;
}

/** Breaks a text at its spaces; a command moves to a line of its own, to be copied whole. */
function wrapped(text: string): string {
  const command = /^(To do:) (pulumi .*)$/.exec(text);
  if (command !== null) return `${command[1]}\n  ${command[2]}`;
  return wrapWords(text.replaceAll("\n  ", " "), textWidth, "  ").join("\n");
}

/** Completes the reasons. A judgement that fails to come about is a reason too, never a pass. */
function findings(gate: GateText, subject: string, judge: () => readonly Reason[]): Finding[] {
  return reasonsOf(gate, judge).map((reason) => ({
    subject,
    required: gate.required,
    remedy: gate.remedy,
    ...reason,
  }));
}

function reasonsOf(gate: GateText, judge: () => readonly Reason[]): readonly Reason[] {
  try {
    return judge();
  } catch (error) {
    const path = unknownPath(error);
    if (path === undefined) {
      // The error's message stays untold: it may quote a value.
      const kind = error instanceof Error ? error.constructor.name : typeof error;
      return [
        inconclusive(`gate ${gate.id} could not judge it (${kind})`, {
          remedy: "report this as a fault of the policy pack",
        }),
      ];
    }
    return [
      inconclusive(`${path} is unknown until the update`, {
        required: "a plain value, known before the update",
        remedy: `give ${path} a value that no other resource computes`,
      }),
    ];
  }
}

function nounsOf(gate: ResourceGate | RelationGate): readonly Noun[] {
  return gate.about === "resource" ? [gate.noun] : gate.nouns;
}

function subjectOf(noun: Noun, resource: Sighting): string {
  const { one, nameIn } = nouns[noun];
  const reading = readName(resource, nameIn);
  return `${one} ${typeof reading === "object" ? reading.name : resource.name}`;
}
