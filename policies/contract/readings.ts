/** A fact about something live, read just before the run; or why it could not be read. */
export interface Reading {
  /** What was read: a file of infra/readings/. */
  readonly kind: string;
  /** What it is about, by the name that the cloud or the config gives it. */
  readonly subject: string;
  /** When it was read, ISO 8601. */
  readonly at: string;
  /** The facts by name; times as ISO 8601. Holds no secret. */
  readonly value?: Readonly<Record<string, unknown>>;
  /** Why there is no value. */
  readonly problem?: string;
}

/** Readings by the name that the checklist and the stack config give them. */
export type Readings = Readonly<Record<string, Reading>>;
