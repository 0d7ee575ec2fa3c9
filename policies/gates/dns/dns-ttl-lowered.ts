import { defineGate, fail, inconclusive, type Judge, type Reason } from "../../gate.ts";
import type { GuardFacts, TtlFacts } from "../../contract/facts.ts";
import { requirements } from "../../requirements.ts";

// Date.parse alone takes "7" for a day in 2001, and a time without a zone for a local one.
const iso8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

const { automaticTtlSeconds, clockSkewSeconds, loweredTtlSeconds } = requirements;

/**
 * DNS answers live shortly, and those that lived longer have run out: only then does a switch reach everybody within
 * the lowered TTL. The time that has passed is reckoned here, from the moment when every name server in charge and every
 * resolver showed the new TTL, for as long as an answer from before may have been given.
 *
 * A system without the phase `lower-ttl` has no answer that a release changes and whose TTL can be set: nothing moves, or
 * a proxy answers for everything that does.
 */
export const dnsTtlLowered = defineGate({
  id: "dns-ttl-lowered",
  about: "facts",
  requires: `DNS answers live at most ${loweredTtlSeconds} s, and longer ones have run out.`,
  because: "Clients would go on to the old target for as long as the old answer lives.",
  severity: "critical",
  required: `a TTL of 1 to ${loweredTtlSeconds} s for as long as the TTL before it`,
  remedy: "pulumi config set cutover:phase lower-ttl, then pulumi up",
  ownPhaseOnly: true,
  judge: (facts, judge) => {
    if (facts.phases.includes(facts.phase) && !facts.phases.includes("lower-ttl")) return [];
    const { ttl } = facts.before;
    const reasons = isLow(facts.ttlSeconds)
      ? []
      : [
          fail(`this phase sets a TTL of ${facts.ttlSeconds} s`, {
            remedy: `pulumi config set --path cutover:dns.ttl.lowered ${loweredTtlSeconds}`,
          }),
        ];
    if (ttl === null) return [...reasons, inconclusive("the ledger knows no TTL")];
    if (!isLow(ttl.seconds)) return [...reasons, fail(`DNS answers live ${ttl.seconds} s`)];
    return [...reasons, ...judgeDwell(ttl, facts, judge)];
  },
});

function judgeDwell(ttl: TtlFacts, facts: GuardFacts, judge: Judge): readonly Reason[] {
  // Time is scaled in a rehearsal only, whatever the facts say.
  const clockScale = judge.rehearsal ? facts.clockScale : 1;
  const changedAt = iso8601.test(ttl.changedAt) ? Date.parse(ttl.changedAt) : Number.NaN;
  if (!Number.isFinite(changedAt)) {
    return [inconclusive("the ledger's time of the last TTL change cannot be read")];
  }
  if (changedAt > judge.now + clockSkewSeconds * 1000) {
    return [
      inconclusive("the ledger's time of the last TTL change is in the future", {
        remedy: "set this machine's clock right",
      }),
    ];
  }
  if (!(ttl.previousSeconds > 0) || !(clockScale > 0)) {
    return [inconclusive("it cannot be told how long earlier answers live")];
  }
  const dwell = (effective(ttl.previousSeconds) * 1000) / clockScale;
  if (judge.now - changedAt >= dwell) return [];
  const openAt = new Date(changedAt + dwell).toISOString();
  return [
    fail(`answers with the TTL before, ${ttl.previousSeconds} s, live until ${openAt}`, {
      remedy: `wait until ${openAt}, then pulumi up`,
    }),
  ];
}

function isLow(seconds: number): boolean {
  return seconds > 0 && effective(seconds) <= loweredTtlSeconds;
}

function effective(seconds: number): number {
  return seconds === 1 ? automaticTtlSeconds : seconds;
}
