import { join } from "node:path";
import { Migration } from "../resources.ts";
import type { Declare } from "../run.ts";

/** Runs the SQL files of the release, each once. */
export const migrate: Declare = (run, step) => {
  const { plan, database } = run;
  if (database === undefined || plan.migrations.length === 0) return [];
  return [
    new Migration(
      "migrations",
      {
        connection: database.connection,
        stack: run.stack,
        release: plan.migratedFor ?? plan.release.version,
        folder: join(run.folder, "migrations"),
        files: plan.migrations,
      },
      step,
    ),
  ];
};
