import type { Kind } from "./kind.ts";
import { approved } from "./kinds/approved.ts";
import { comparisonWithin } from "./kinds/comparison-within.ts";
import { documentSays } from "./kinds/document-says.ts";
import { findingsWithin } from "./kinds/findings-within.ts";
import { listCovered } from "./kinds/list-covered.ts";
import { metricsWithin } from "./kinds/metrics-within.ts";
import { migrationsInSync } from "./kinds/migrations-in-sync.ts";
import { operationsDocumented } from "./kinds/operations-documented.ts";
import { ownersAssigned } from "./kinds/owners-assigned.ts";
import { readingShows } from "./kinds/reading-shows.ts";
import { runPassed } from "./kinds/run-passed.ts";
import { testsPassed } from "./kinds/tests-passed.ts";
import { vulnerabilitiesWithin } from "./kinds/vulnerabilities-within.ts";

/**
 * Every evaluator, by name. What `required` and `judge` are given must have been parsed by the kind's own `requires`,
 * and what it judges must be of its type: the table forgets both.
 */
export const kinds: readonly Kind[] = [
  approved,
  comparisonWithin,
  documentSays,
  findingsWithin,
  listCovered,
  metricsWithin,
  migrationsInSync,
  operationsDocumented,
  ownersAssigned,
  readingShows,
  runPassed,
  testsPassed,
  vulnerabilitiesWithin,
];
