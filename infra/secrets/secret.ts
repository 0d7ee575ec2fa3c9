import type * as pulumi from "@pulumi/pulumi";
import { Secret as AwsSecret } from "@pulumi/aws/secretsmanager/secret.js";
import { SecretRotation } from "@pulumi/aws/secretsmanager/secretRotation.js";
import { Component, type StepOptions } from "../component.ts";
import type { SecretsManagerConfig } from "./config.ts";

/** What a secret is made from: its row of the config's `secrets`, and the key that encrypts it. */
export interface SecretArgs {
  readonly settings: SecretsManagerConfig;
  readonly kmsKeyArn: pulumi.Input<string>;
}

/**
 * Days in which a deleted secret can be had back: the most that Secrets Manager gives.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html
 */
const recoveryDays = 30;

/**
 * The place of a secret in AWS Secrets Manager and, where a function is given, its rotation. The stack makes no version
 * of it, so that no value is ever in its state: people or the function put it there.
 */
export class Secret extends Component {
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: SecretArgs, step: StepOptions) {
    super("secrets:Secret", name, step);
    const secret = this.#createSecret(name, args);
    this.#rotate(name, args, secret);
    this.arn = secret.arn;
    this.registerOutputs({ arn: secret.arn });
  }

  #createSecret(name: string, { settings, kmsKeyArn }: SecretArgs): AwsSecret {
    return new AwsSecret(
      `${name}-secret`,
      { name: settings.name, kmsKeyId: kmsKeyArn, recoveryWindowInDays: recoveryDays },
      { ...this.child, protect: true },
    );
  }

  #rotate(name: string, { settings }: SecretArgs, secret: AwsSecret): void {
    const { rotationLambdaArn, rotateDays } = settings;
    if (rotationLambdaArn === undefined) return;
    new SecretRotation(
      `${name}-rotation`,
      {
        secretId: secret.id,
        rotationLambdaArn,
        // A new secret has no value yet, so there is nothing to rotate at once.
        rotateImmediately: false,
        rotationRules: { automaticallyAfterDays: rotateDays },
      },
      this.after(secret),
    );
  }
}
