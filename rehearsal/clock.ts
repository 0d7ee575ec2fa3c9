/** How much faster than the wall a rehearsal's clock runs: an hour of dwell passes in 3.6 seconds. */
export const clockScale = 1000;

/** The same for an example that goes through all of its phases: a week passes in six seconds. */
export const exampleClockScale = 100_000;
