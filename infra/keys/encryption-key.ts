import type * as pulumi from "@pulumi/pulumi";
import { Key } from "@pulumi/aws/kms/key.js";
import { Component, type StepOptions } from "../component.ts";

/** The KMS key that a system's databases, backups, buckets, secrets and alarms are encrypted with. */
export class EncryptionKey extends Component {
  readonly arn: pulumi.Output<string>;

  constructor(name: string, step: StepOptions) {
    super("keys:EncryptionKey", name, step);
    const key = new Key(
      `${name}-key`,
      {
        description: "Data of the system at rest",
        enableKeyRotation: true,
        deletionWindowInDays: 30,
      },
      { ...this.child, protect: true },
    );
    this.arn = key.arn;
    this.registerOutputs({ arn: key.arn });
  }
}
