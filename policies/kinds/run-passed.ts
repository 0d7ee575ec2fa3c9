import { z } from "zod";
import { fail } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { listed, missing, name, shownName, uniqueNames } from "../checks/names.ts";

/** A run of the CI has every property that is asked for, such as `CI_RUN_SUCCEEDED` or `CI_BRANCH:main`. */
export const runPassed = evidenceKind({
  kind: "run-passed",
  title: "A run of the CI passed, with its jobs, as its verifier says.",
  judges: "verification",
  requires: z.strictObject({
    properties: uniqueNames.describe(
      "what must have been verified, such as CI_RUN_SUCCEEDED, CI_JOB_SUCCEEDED:lint, CI_BRANCH:main",
    ),
    verifier: name.optional().describe("the id of who verified it"),
  }),
  required: ({ properties, verifier }) =>
    `${listed(properties)}${verifier === undefined ? "" : `, verified by ${shownName(verifier)}`}`,
  judge: (predicate, { properties, verifier }) => [
    ...missing(
      properties.filter((property) => !predicate.properties.includes(property)),
      "report",
      "property",
      "properties",
    ),
    // The id stays untold: an address may carry credentials.
    ...(verifier === undefined || predicate.verifier.id === verifier
      ? []
      : [fail("another one verified it")]),
  ],
});
