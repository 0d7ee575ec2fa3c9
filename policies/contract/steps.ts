/** The ordered actions of a release; see infra/release/sequence.ts for what each does. */
export const stepIds = [
  "enter",
  "data",
  "check-data",
  "legacy",
  "announce",
  "freeze",
  "snapshot",
  "migrate",
  "api",
  "worker",
  "web",
  "probe",
  "check-switch",
  "switch",
  "verify",
  "lift",
  "publish",
  "record",
] as const;

/** The name of one ordered action of a release. */
export type StepId = (typeof stepIds)[number];
