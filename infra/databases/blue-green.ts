import * as pulumi from "@pulumi/pulumi";
import type { BlueGreenOutputs } from "../provider/blue-green.ts";
import { blueGreenType, blueRemovalType } from "../provider/type-tokens.ts";
import type { Connection } from "./database.ts";

/** What a blue/green upgrade is made from. */
export interface BlueGreenArgs {
  readonly stack: string;
  readonly release: string;
  readonly identifier: string;
  /** The version of PostgreSQL that the instance is to have. */
  readonly targetVersion: string;
  readonly parameterGroup: string;
  readonly region: pulumi.Input<string>;
  /** Identifies the write freeze that it stands in. */
  readonly token: pulumi.Output<string>;
  readonly connection: Connection;
  readonly deadlineSeconds: number;
}

/** Brings an RDS instance to another version of PostgreSQL, and keeps the old instance and a last snapshot of it. */
export class BlueGreen extends pulumi.CustomResource {
  declare readonly blue: pulumi.Output<string>;
  declare readonly blueResourceId: pulumi.Output<string>;
  declare readonly finalSnapshot: pulumi.Output<string>;
  declare readonly resourceId: pulumi.Output<string>;
  declare readonly switchedAt: pulumi.Output<string>;
  declare readonly version: pulumi.Output<string>;

  constructor(name: string, args: BlueGreenArgs, opts: pulumi.CustomResourceOptions) {
    const outputs: Record<keyof BlueGreenOutputs, undefined> = {
      blue: undefined,
      blueResourceId: undefined,
      finalSnapshot: undefined,
      resourceId: undefined,
      switchedAt: undefined,
      version: undefined,
    };
    super(blueGreenType, name, { ...args, ...outputs }, opts);
  }
}

/** What the removal of an old instance is made from. */
export interface BlueRemovalArgs {
  /** The instance that serves. */
  readonly identifier: string;
  readonly blue: pulumi.Output<string>;
  readonly blueResourceId: pulumi.Output<string>;
  readonly finalSnapshot: pulumi.Output<string>;
  readonly region: pulumi.Input<string>;
  readonly deadlineSeconds: number;
}

/** Deletes the old instance of an upgrade, when its last snapshot is kept. */
export class BlueRemoval extends pulumi.CustomResource {
  constructor(name: string, args: BlueRemovalArgs, opts: pulumi.CustomResourceOptions) {
    super(blueRemovalType, name, { ...args, removedAt: undefined }, opts);
  }
}
