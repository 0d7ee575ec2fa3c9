import * as pulumi from "@pulumi/pulumi";
import type { StorePlace } from "../provider/object-store.ts";
import { databaseDumpType } from "../provider/type-tokens.ts";

/** What a dump is made from. */
export interface DatabaseDumpArgs {
  readonly stack: string;
  readonly system: string;
  readonly release: string;
  /** Name of the database. */
  readonly name: string;
  /** Identifies the freeze that it is taken in. */
  readonly token: pulumi.Input<string>;
  readonly user: string;
  readonly password: pulumi.Input<string>;
  /** Name of the container that the database runs in. */
  readonly container: string;
  /** Address of the container daemon; the default one where it is undefined. */
  readonly host: string | undefined;
  readonly store: StorePlace;
}

/** A dump of a database that runs in a container, in a bucket. Deleting the resource keeps it. */
export class DatabaseDump extends pulumi.CustomResource {
  /** The object's key in the bucket. */
  declare readonly key: pulumi.Output<string>;
  /** When its data was taken, ISO 8601. */
  declare readonly takenAt: pulumi.Output<string>;

  constructor(name: string, args: DatabaseDumpArgs, opts: pulumi.CustomResourceOptions) {
    super(
      databaseDumpType,
      name,
      { ...args, key: undefined, bytes: undefined, sha256: undefined, takenAt: undefined },
      opts,
    );
  }
}
