import { defineGate, fail } from "../../gate.ts";

/**
 * No edit of the stack config makes the engine replace or drop what holds data or answers for a name. Told by the
 * program, which compares its own state with what it is about to declare: no policy sees the state before.
 */
export const nothingReplaced = defineGate({
  id: "nothing-replaced",
  about: "facts",
  requires: "No database, bucket, secret or DNS record is replaced or dropped.",
  because: "A replacement deletes the old one, with its data, in the middle of a release.",
  severity: "critical",
  required: "databases, buckets, secrets and records as they are",
  remedy: "set the key back to what it was, and make such a change as a project of its own",
  judge: ({ replaced }) =>
    replaced.map(({ resource, property, key }) =>
      fail(
        property === null
          ? `${resource} is no longer declared`
          : `${property} of ${resource} would replace it`,
        key === null ? {} : { remedy: `set cutover:${key} back to what it was` },
      ),
    ),
});
