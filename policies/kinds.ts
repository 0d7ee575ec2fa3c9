import type { Kind } from "./kind.ts";
import { approved } from "./kinds/approved.ts";
import { comparisonWithin } from "./kinds/comparison-within.ts";
import { documentSays } from "./kinds/document-says.ts";
import { factsShow } from "./kinds/facts-show.ts";
import { findingsWithin } from "./kinds/findings-within.ts";
import { gatesDeclared } from "./kinds/gates-declared.ts";
import { inventoryHolds } from "./kinds/inventory-holds.ts";
import { listCovered } from "./kinds/list-covered.ts";
import { metricsWithin } from "./kinds/metrics-within.ts";
import { migrationsInSync } from "./kinds/migrations-in-sync.ts";
import { operationsDocumented } from "./kinds/operations-documented.ts";
import { ownersAssigned } from "./kinds/owners-assigned.ts";
import { readingShows } from "./kinds/reading-shows.ts";
import { recordShows } from "./kinds/record-shows.ts";
import { recordsShow } from "./kinds/records-show.ts";
import { resourcesShow } from "./kinds/resources-show.ts";
import { runPassed } from "./kinds/run-passed.ts";
import { seriesAgainstBaseline } from "./kinds/series-against-baseline.ts";
import { seriesWithin } from "./kinds/series-within.ts";
import { signOffsRecorded } from "./kinds/sign-offs-recorded.ts";
import { stepsInOrder } from "./kinds/steps-in-order.ts";
import { streakWithin } from "./kinds/streak-within.ts";
import { testsPassed } from "./kinds/tests-passed.ts";
import { timePassed } from "./kinds/time-passed.ts";
import { vulnerabilitiesWithin } from "./kinds/vulnerabilities-within.ts";

/**
 * Every evaluator, by name. What `required` and `judge` are given must have been parsed by the kind's own `requires`,
 * and what it judges must be of its type: the table forgets both.
 */
export const kinds: readonly Kind[] = [
  approved,
  comparisonWithin,
  documentSays,
  factsShow,
  findingsWithin,
  gatesDeclared,
  inventoryHolds,
  listCovered,
  metricsWithin,
  migrationsInSync,
  operationsDocumented,
  ownersAssigned,
  readingShows,
  recordShows,
  recordsShow,
  resourcesShow,
  runPassed,
  seriesAgainstBaseline,
  seriesWithin,
  signOffsRecorded,
  stepsInOrder,
  streakWithin,
  testsPassed,
  timePassed,
  vulnerabilitiesWithin,
];

/** The evaluator of this name; undefined where there is none. */
export function kindNamed(name: string): Kind | undefined {
  return kinds.find(({ kind }) => kind === name);
}
