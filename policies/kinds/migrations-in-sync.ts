import { z } from "zod";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { counted, countedNames } from "../checks/names.ts";

const lists = ["pending", "failed", "diverged"] as const;

/** A database has every migration of a folder, unchanged. A folder without any is not the one that is meant. */
export const migrationsInSync = evidenceKind({
  kind: "migrations-in-sync",
  title: "Every migration was applied to the database, and none differs from its file.",
  judges: "migrations",
  requires: z.strictObject({
    total: z.int().min(1).optional().describe("how many migrations there must be"),
  }),
  required: ({ total }) =>
    `${total === undefined ? "all migrations" : `all of ${counted(total, "migration")}`} ` +
    "applied, and none failed or diverged",
  judge: (predicate, requires) => {
    const { state, total } = predicate;
    const named: Reason[] = lists.flatMap((list) =>
      predicate[list].length === 0
        ? []
        : [fail(countedNames(predicate[list], `${list} migration`))],
    );
    const reasons =
      state !== "in-sync" && predicate[state].length === 0
        ? [...named, fail(`its state is ${state}, and it names no ${state} migration`)]
        : named;
    return [...reasons, ...judgeTotal(total, requires.total)];
  },
});

function judgeTotal(total: number | null, wanted: number | undefined): Reason[] {
  if (total === 0) return [fail("there are no migrations")];
  if (wanted === undefined || total === wanted) return [];
  return [
    total === null
      ? inconclusive("it does not say how many migrations there are")
      : fail(`there ${total === 1 ? "is" : "are"} ${counted(total, "migration")}`),
  ];
}
