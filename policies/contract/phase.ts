/** The phases of a release, in order. */
export const phases = [
  "prepare",
  "lower-ttl",
  "cutover",
  "observe",
  "finalize",
  "decommission",
] as const;

/** One phase of a release. */
export type Phase = (typeof phases)[number];

/** What each phase means, one sentence each. */
export const phaseMeaning: Readonly<Record<Phase, string>> = {
  prepare: "The new system is built beside the old one; nobody is sent to it.",
  "lower-ttl": "DNS answers live shortly, so that the switch is seen soon; targets are unchanged.",
  cutover: "Writes are frozen, data is moved on, services start and DNS moves to the new release.",
  observe: "The new release serves; the old one keeps running, so going back is a pointer move.",
  finalize: "DNS answers live long again and the old slot is emptied.",
  decommission: "The legacy system is removed.",
};

/**
 * Tells whether the time before which a phase may not begin counts from the planned cutover: the cutover that was comes
 * too late for the phases up to it.
 *
 * @param offset an entry of `notBefore`, such as `-24h`
 */
export function countsFromPlan(phase: Phase, offset: string): boolean {
  return offset.startsWith("-") || phases.indexOf(phase) <= phases.indexOf("cutover");
}

/** Which way a release goes: to a new release, or back to a recorded one. */
export type Direction = "forward" | "rollback";

/** Tells whether a value names a phase. */
export function isPhase(value: unknown): value is Phase {
  return phases.some((phase) => phase === value);
}

/** The phase after this one, or undefined after the last. */
export function phaseAfter(phase: Phase): Phase | undefined {
  return phases[phases.indexOf(phase) + 1];
}
