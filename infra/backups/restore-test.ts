import * as pulumi from "@pulumi/pulumi";
import type { Connection, ReleaseDatabase, RestoreSource } from "../databases/database.ts";
import { restoreTestType } from "../provider/type-tokens.ts";

/** What a restore test is made from. */
export interface RestoreTestArgs {
  readonly stack: string;
  /** A new text asks for a new test: the version of a release, so that each has one. */
  readonly due: string;
  readonly connection: Connection;
  readonly source: RestoreSource;
  /** By name: SELECTs with one row whose first column is true when all is well. */
  readonly queries: Readonly<Record<string, string>>;
}

/** Restores the newest recovery point of a database beside production, asks it and removes it. */
export class RestoreTest extends pulumi.CustomResource {
  /** When the copy had answered, ISO 8601. */
  declare readonly at: pulumi.Output<string>;
  /** The name of the recovery point that was restored. */
  declare readonly recoveryPoint: pulumi.Output<string>;

  constructor(name: string, args: RestoreTestArgs, opts: pulumi.CustomResourceOptions) {
    super(restoreTestType, name, { ...args, ...computed }, opts);
  }
}

const computed = {
  at: undefined,
  recoveryPoint: undefined,
  takenAt: undefined,
  seconds: undefined,
  results: undefined,
};

/** The restore test of a database. */
export function declareRestoreTest(
  name: string,
  database: ReleaseDatabase,
  args: Pick<RestoreTestArgs, "stack" | "due" | "queries">,
  opts: pulumi.CustomResourceOptions,
): RestoreTest {
  const { connection, restoresFrom: source } = database;
  return new RestoreTest(name, { ...args, connection, source }, opts);
}
