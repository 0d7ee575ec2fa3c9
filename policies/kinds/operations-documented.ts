import { z } from "zod";
import { fail, inconclusive } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { listed, missing, shownName, uniqueList } from "../checks/names.ts";

const operation = z
  .string()
  .max(512)
  .regex(
    /^(?:DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|QUERY|TRACE) \/\S*$/,
    "a method and a path such as GET /orders/{id}",
  );

/** An OpenAPI document has the operations that it must have, and is of the right version. */
export const operationsDocumented = evidenceKind({
  kind: "operations-documented",
  title: "The API's document has its operations and is of the right version.",
  judges: "document",
  requires: z.strictObject({
    operations: uniqueList(operation).describe(
      "operations that must be documented, such as GET /orders/{id}",
    ),
    version: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("the version in its info; 'release' means the release's own, without its v"),
  }),
  required: ({ operations, version }) =>
    `an OpenAPI document with ${listed(operations)}${versionText(version)}`,
  judge: (predicate, { operations, version }, { facts }) => {
    if (predicate.format !== "openapi") return [inconclusive("it is no OpenAPI document")];
    const wanted = version === "release" ? facts.release.version.replace(/^v/, "") : version;
    return [
      ...missing(
        operations.filter((one) => !predicate.operations.includes(one)),
        "document",
        "operation",
      ),
      ...(wanted === undefined || predicate.version === wanted
        ? []
        : [fail(`its version is not ${shownName(wanted)}`)]),
    ];
  },
});

function versionText(version: string | undefined): string {
  if (version === undefined) return "";
  return `, of the version ${version === "release" ? "of the release" : shownName(version)}`;
}
