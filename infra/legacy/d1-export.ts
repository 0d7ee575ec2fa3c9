import * as pulumi from "@pulumi/pulumi";
import type { D1ExportOutputs } from "../provider/d1-export.ts";
import type { StorePlace } from "../provider/object-store.ts";
import { d1ExportType } from "../provider/type-tokens.ts";

/** What an export of a D1 database is made from. */
export interface D1ExportArgs {
  readonly stack: string;
  readonly release: string;
  readonly accountId: string;
  readonly databaseId: pulumi.Input<string>;
  readonly name: string;
  readonly store: StorePlace;
  /** How old an export may be before another one is made. */
  readonly renewAfterSeconds: number;
  readonly deadlineSeconds: number;
}

/** The whole of a D1 database as SQL, in a bucket. */
export class D1Export extends pulumi.CustomResource {
  declare readonly key: pulumi.Output<string>;
  declare readonly bytes: pulumi.Output<number>;
  /** In hex. */
  declare readonly sha256: pulumi.Output<string>;
  /** ISO 8601. */
  declare readonly takenAt: pulumi.Output<string>;

  constructor(name: string, args: D1ExportArgs, opts: pulumi.CustomResourceOptions) {
    const outputs: Record<keyof D1ExportOutputs, undefined> = {
      key: undefined,
      bytes: undefined,
      sha256: undefined,
      takenAt: undefined,
    };
    super(d1ExportType, name, { ...args, ...outputs }, opts);
  }
}
