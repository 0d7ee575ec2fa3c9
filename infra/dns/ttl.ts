import type { TtlFacts } from "../../policies/contract/facts.ts";
import type { Phase } from "../../policies/contract/phase.ts";
import { phaseTable } from "../release/phases.ts";
import type { DnsConfig } from "./config.ts";

/** How far the TTL of the moved names has come on its way round. */
export type TtlStage = "baseline" | "lowered" | "dwelled" | "switched" | "raised";

/** One stage of the TTL. */
export interface TtlStageRow {
  readonly stage: TtlStage;
  /** The phase whose run brings it; time alone brings `dwelled` after it. */
  readonly phase: Phase;
  /** The key of `dns.ttl` that answers live by. */
  readonly ttl: keyof DnsConfig["ttl"];
  /** What must have happened for it to be reached. */
  readonly waitsFor: string;
}

/** The stages of the TTL, in order. */
export const ttlStages: readonly TtlStageRow[] = [
  {
    stage: "baseline",
    phase: "prepare",
    ttl: phaseTable.prepare.ttl,
    waitsFor: "the records to be declared with the old target",
  },
  {
    stage: "lowered",
    phase: "lower-ttl",
    ttl: phaseTable["lower-ttl"].ttl,
    waitsFor: "every name server in charge, and then every resolver, to show the lowered TTL",
  },
  {
    stage: "dwelled",
    phase: "lower-ttl",
    ttl: phaseTable["lower-ttl"].ttl,
    waitsFor: "answers from before to run out, for as long as the TTL before",
  },
  {
    stage: "switched",
    phase: "cutover",
    ttl: phaseTable.cutover.ttl,
    waitsFor: "the gates of the cutover, and the probes of the new target",
  },
  {
    stage: "raised",
    phase: "finalize",
    ttl: phaseTable.finalize.ttl,
    waitsFor: "the release to be observed, so that nobody goes back by DNS any more",
  },
];

/** Where a stack stands, as far as its TTL goes. */
export interface TtlStanding {
  /** The phase of its last finished run; null before the first. */
  readonly phase: Phase | null;
  /** What the ledger knows; `changedAt` is when all who were asked showed the TTL. */
  readonly ttl: TtlFacts | null;
  /** How much faster than the wall the clock runs. */
  readonly clockScale: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What a stack's TTL has reached and what it waits for next, as a sentence; undefined before the first run. */
export function stageOf(
  standing: TtlStanding,
): { readonly stage: TtlStage; readonly text: string } | undefined {
  const { phase, ttl } = standing;
  if (phase === null || ttl === null) return undefined;
  const row = rowOf(phase, standing, ttl);
  const next = ttlStages[ttlStages.indexOf(row) + 1];
  const until = row.stage === "lowered" ? `, until ${runOutAt(ttl, standing.clockScale)}` : "";
  const waits = next === undefined ? "" : `; ${next.stage} waits for ${next.waitsFor}${until}`;
  return { stage: row.stage, text: `DNS answers live ${ttl.seconds} s: ${row.stage}${waits}` };
}

function rowOf(phase: Phase, { now, clockScale }: TtlStanding, ttl: TtlFacts): TtlStageRow {
  const isOver = now >= Date.parse(runOutAt(ttl, clockScale));
  const stage: Readonly<Record<Phase, TtlStage>> = {
    prepare: "baseline",
    "lower-ttl": isOver ? "dwelled" : "lowered",
    cutover: "switched",
    observe: "switched",
    finalize: "raised",
    decommission: "raised",
  };
  return ttlStages.find((row) => row.stage === stage[phase]) as TtlStageRow;
}

/** When answers with the TTL before have run out everywhere, ISO 8601. */
function runOutAt({ changedAt, previousSeconds }: TtlFacts, clockScale: number): string {
  const dwell = (dwellSeconds(previousSeconds) * 1000) / clockScale;
  return new Date(Date.parse(changedAt) + dwell).toISOString();
}

/**
 * Seconds that Cloudflare's automatic TTL means, which records carry as 1.
 * https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/
 */
const automaticSeconds = 300;

/**
 * Seconds that answers given before a change can live on: the TTL that they were given with.
 *
 * @param previousTtl seconds; 1 is automatic
 */
export function dwellSeconds(previousTtl: number): number {
  return previousTtl === 1 ? automaticSeconds : previousTtl;
}

/**
 * The longest that answers from before a change at `at` can live on. Where the TTL was changed twice in a short time,
 * answers from before the first change may outlive those from before the second.
 *
 * @param before what the ledger knew until then
 * @param at when the TTL changed again, ISO 8601
 * @returns seconds of the clock that the TTL counts in
 */
export function longestLife(before: TtlFacts, at: string, clockScale: number): number {
  const passed = ((Date.parse(at) - Date.parse(before.changedAt)) / 1000) * clockScale;
  return Math.max(
    dwellSeconds(before.seconds),
    Math.ceil(dwellSeconds(before.previousSeconds) - passed),
  );
}

/** Why no TTL needs to be lowered, by the name that moves. */
export type ProxiedNames = Readonly<Record<string, string>>;

/** The moved names that a proxy answers for, with the reasons. */
export function proxiedNames({ names }: Pick<DnsConfig, "names">): ProxiedNames {
  return Object.fromEntries(
    Object.entries(names).flatMap(([host, { proxied }]) =>
      proxied === undefined ? [] : [[host, proxied]],
    ),
  );
}

/** The moved names whose answers come from the zone, so that their TTL counts. */
export function unproxiedNames({ names }: Pick<DnsConfig, "names">): string[] {
  return Object.keys(names).filter((host) => names[host]?.proxied === undefined);
}

/** Whether the TTL phases have nothing to do: no name moves, or a proxy answers for each. */
export function skipsTtl(dns: Pick<DnsConfig, "names">): boolean {
  return unproxiedNames(dns).length === 0;
}
