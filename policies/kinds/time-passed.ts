import { z } from "zod";
import { duration } from "../contract/checklist.ts";
import type { GuardFacts } from "../contract/facts.ts";
import { phases, type Phase } from "../contract/phase.ts";
import { durationText } from "../evidence/age.ts";
import { fail, inconclusive } from "../gate.ts";
import { releaseKind } from "../kind.ts";
import { requirements } from "../requirements.ts";
import { shownName } from "../checks/names.ts";

const since = z.enum([...phases, "lowered-ttl", "record"]);

type Since = z.infer<typeof since>;

/** Since when time is counted, and the words for it. */
interface Start {
  /** ISO 8601; undefined when it did not happen. */
  readonly at: string | undefined;
  readonly happened: string;
  readonly missing: string;
}

/** Enough time has passed since something that the ledger knows of this release. */
export const timePassed = releaseKind({
  kind: "time-passed",
  title:
    "Enough time has passed since a phase ended, the TTL was lowered or the release went live.",
  judges: "release",
  requires: z.strictObject({
    since: since.describe(
      "a phase of this release, which must have ended; or lowered-ttl, or record: its release record",
    ),
    atLeast: duration.describe("how long ago that must be, such as 24h"),
  }),
  asksStack: () => true,
  required: ({ since, atLeast }) => `${durationText(atLeast)} or more since ${sinceWords(since)}`,
  judge: (_, { since, atLeast }, { facts, now, clockScale }) => {
    const { at, happened, missing } = startOf(since, facts);
    if (at === undefined) return [inconclusive(missing)];
    const start = Date.parse(at);
    if (!Number.isFinite(start)) return [inconclusive(`the time when ${happened} cannot be read`)];
    if (start > now + requirements.clockSkewSeconds * 1000) {
      return [inconclusive(`${happened} in the future, at ${shownName(at)}`)];
    }
    const due = start + (atLeast * 1000) / clockScale;
    if (now >= due) return [];
    const minute = minuteOf(due);
    return [
      fail(
        `${happened} at ${shownName(at)}; ${durationText(atLeast)} will have passed at ${minute}`,
        {
          remedy: `wait until ${minute}, then run it again`,
        },
      ),
    ];
  },
});

function sinceWords(since: Since): string {
  if (since === "record") return "this release was recorded";
  return since === "lowered-ttl" ? "the TTL was lowered" : `the end of ${since}`;
}

function startOf(since: Since, { before, release }: GuardFacts): Start {
  const { version } = release;
  if (since === "lowered-ttl") {
    const { ttl } = before;
    return {
      // A TTL that was raised or left alone has nothing to run out.
      at: ttl !== null && ttl.seconds < ttl.previousSeconds ? ttl.changedAt : undefined,
      happened: "the TTL was lowered",
      missing: "the TTL was not lowered yet",
    };
  }
  if (since === "record") {
    return {
      at: before.record?.release === version ? before.record.at : undefined,
      happened: `${version} was recorded`,
      missing: `there is no release record of ${version} yet`,
    };
  }
  const phase: Phase = since;
  return {
    at: before.release === version ? before.times[phase] : undefined,
    happened: `${phase} of ${version} ended`,
    missing: `no ${phase} of ${version} has ended yet`,
  };
}

/** The first whole minute that is not earlier. */
function minuteOf(milliseconds: number): string {
  const time = new Date(Math.ceil(milliseconds / 60_000) * 60_000);
  return Number.isNaN(time.getTime()) ? "a time to come" : `${time.toISOString().slice(0, 16)}Z`;
}
