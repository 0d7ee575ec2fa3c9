import type { GuardFacts } from "../contract/facts.ts";
import type { Phase } from "../contract/phase.ts";
import { requirements } from "../requirements.ts";

/** What is wrong with a time that must not be older than so many seconds; nothing means that it is recent enough. */
export function ageProblems(at: string, mostSeconds: number, now: number): string[] {
  const age = now - Date.parse(at);
  if (!Number.isFinite(age)) return ["its time cannot be read"];
  if (age < -requirements.clockSkewSeconds * 1000) return [`it is from the future (${at})`];
  if (age > mostSeconds * 1000) {
    return [`it is from ${at}, older than ${durationText(mostSeconds)}`];
  }
  return [];
}

/** What is wrong with a time that must lie so many seconds after the end of a phase of this release. */
export function afterProblems(
  at: string,
  phase: Phase,
  { before, release }: GuardFacts,
  bySeconds = 0,
): string[] {
  const ended = before.release === release.version ? before.times[phase] : undefined;
  if (ended === undefined) return [`no ${phase} of ${release.version} has ended yet`];
  // Written so that a time which cannot be read lies before everything.
  if (Date.parse(at) >= Date.parse(ended) + bySeconds * 1000) return [];
  const wait = bySeconds === 0 ? "" : `${durationText(bySeconds)} after `;
  return [`it is from ${at}, before ${wait}the end of ${phase} (${ended})`];
}

const units = [
  { seconds: 86_400, one: "day" },
  { seconds: 3600, one: "hour" },
  { seconds: 60, one: "minute" },
  { seconds: 1, one: "second" },
];

/** Seconds in the largest unit that needs no fraction: `30 days`, `90 seconds`. */
export function durationText(seconds: number): string {
  const unit = units.find((one) => seconds % one.seconds === 0) ?? { seconds: 1, one: "second" };
  const count = seconds / unit.seconds;
  return `${count} ${unit.one}${count === 1 ? "" : "s"}`;
}
