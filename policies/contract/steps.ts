import { z } from "zod";

/**
 * The ordered actions of a release; see infra/release/sequence.ts for what each does. In place of `services` a run has
 * one step for each service, which has the service's name.
 */
export const stepIds = [
  "enter",
  "data",
  "check-data",
  "restore-test",
  "legacy",
  "announce",
  "freeze",
  "snapshot",
  "upgrade",
  "migrate",
  "data-jobs",
  "services",
  "check-jobs",
  "probe",
  "check-switch",
  "switch",
  "ttl-shown",
  "verify",
  "lift",
  "retire",
  "publish",
  "record",
] as const;

/** The name of one ordered action of a release, or of a service that it starts. */
export type StepId = (typeof stepIds)[number];

const stepForm = `a step of the release (${stepIds.join(", ")}) or a service`;

/** A step as a checklist names it: one of the table, or a service of the system. */
export const stepName = z.string(stepForm).regex(/^[a-z][a-z0-9-]{1,62}$/, stepForm);
