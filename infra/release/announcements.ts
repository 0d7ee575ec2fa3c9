import type { AnnouncementMoment } from "../announcement.ts";
import type { Config } from "../config.ts";
import type { Outcome } from "./ledger.ts";

/** The steps that make announcements. */
export type AnnouncingStep = "announce" | "publish";

type Moment = (outcome: Pick<Outcome, "phase" | "direction" | "moves">) => boolean;

const forward: Moment = ({ direction }) => direction === "forward";
const forwardMove: Moment = (outcome) => outcome.moves && forward(outcome);

/** Which step makes an announcement, and in which runs. */
const moments: Readonly<
  Record<AnnouncementMoment, { readonly step: AnnouncingStep; readonly comes: Moment }>
> = {
  "lower-ttl": {
    step: "announce",
    comes: (outcome) => outcome.phase === "lower-ttl" && forward(outcome),
  },
  freeze: { step: "announce", comes: forwardMove },
  live: { step: "publish", comes: forwardMove },
  rollback: { step: "publish", comes: ({ direction }) => direction === "rollback" },
};

/**
 * The announcements that a step of a run makes. A repeated run has the same ones, so it announces nothing twice. The next
 * phase has them no more: it cannot say late, or again because a text was changed for the next release, what was true
 * before.
 */
export function announcementsOf(
  step: AnnouncingStep,
  { announcements }: Pick<Config, "announcements">,
  outcome: Parameters<Moment>[0],
): (readonly [name: string, announcement: Config["announcements"][string]])[] {
  return Object.entries(announcements).filter(
    ([, { on }]) => moments[on].step === step && moments[on].comes(outcome),
  );
}
