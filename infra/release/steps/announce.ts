import * as pulumi from "@pulumi/pulumi";
import { duration } from "../../../policies/contract/checklist.ts";
import { announcementsOf, type AnnouncingStep } from "../announcements.ts";
import { Announcement } from "../resources.ts";
import type { Declare } from "../run.ts";

/**
 * Announcements that must be answered before the next step. `announce` stands before the freeze: what nobody was told
 * does not begin. `publish` stands before nothing but the record, so a dead webhook never keeps traffic from moving
 * back: it only keeps the record from being written, and a repeated run finishes.
 */
export function announce(id: AnnouncingStep): Declare {
  return (run, step) =>
    announcementsOf(id, run.config, run.plan).map(
      ([name, { on, text, dueWithin }]) =>
        new Announcement(
          name,
          {
            stack: run.stack,
            release: run.plan.release.version,
            name,
            on,
            text,
            url: pulumi.secret(run.config.webhooks[name] as string),
            plannedCutover: run.config.cutoverAt,
            lastLiveAt: run.plan.newestRecord?.at,
            dueWithinSeconds: dueWithin === undefined ? undefined : duration.parse(dueWithin),
          },
          step,
        ),
    );
}
