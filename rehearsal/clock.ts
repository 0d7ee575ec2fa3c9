/** How much faster than the wall a rehearsal's clock runs: an hour of dwell passes in 3.6 seconds. */
export const clockScale = 1000;
