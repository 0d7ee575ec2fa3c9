import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, standIn, textOf } from "../kind.ts";
import { arn, whole, type Account } from "./account.ts";
import { findSecret, requireSecret, secretsOf, type SecretRecord } from "./secrets.ts";

/**
 * Secrets Manager: rotation. A secret that RDS made is really rotated when that is asked for at once, by
 * `rotateOwned`; nothing else rotates, and no function runs.
 */
export function secretRotationTypes(
  account: Account,
  rotateOwned: (secret: SecretRecord) => Promise<void>,
): Record<string, ResourceType> {
  return {
    "aws:secretsmanager/secretRotation:SecretRotation": rotationType(account, rotateOwned),
  };
}

const rotationInputs = z.strictObject({
  secretId: z.string(),
  rotationLambdaArn: arn.optional(),
  rotateImmediately: z.boolean().default(true),
  rotationRules: z
    .strictObject({
      automaticallyAfterDays: whole(1, 1000).optional(),
      scheduleExpression: z
        .string()
        .regex(/^(cron|rate)\(.+\)$/, { error: "must be cron(…) or rate(…)" })
        .optional(),
      duration: z
        .string()
        .regex(/^\d{1,3}h$/, { error: "must be hours, as in 3h" })
        .optional(),
    })
    .refine(
      ({ automaticallyAfterDays: days, scheduleExpression: schedule }) =>
        (days === undefined) !== (schedule === undefined),
      { error: "one of automaticallyAfterDays and scheduleExpression must be set, not both" },
    ),
});

function rotationType(
  account: Account,
  rotateOwned: (secret: SecretRecord) => Promise<void>,
): ResourceType {
  const secrets = secretsOf(account);
  const operation = "Secrets Manager: RotateSecret";
  const put = async ({
    secretId,
    rotationLambdaArn,
    rotateImmediately,
  }: z.output<typeof rotationInputs>): Promise<string> => {
    const secret = requireSecret(account, secretId, operation);
    if (secret.owner === undefined && rotationLambdaArn === undefined) {
      throw new ApiError(
        operation,
        "InvalidRequestException",
        "No Lambda rotation function ARN is associated with this secret.",
      );
    }
    if (secret.owner !== undefined && rotateImmediately) await rotateOwned(secret);
    const rotated = requireSecret(account, secretId, operation);
    secrets.set(secret.arn, { ...rotated, rotates: true });
    return secret.arn;
  };
  return standIn({
    inputs: rotationInputs,
    replaceOn: (name) => name === "secretId",
    create: async (inputs) => ({ id: await put(inputs), outputs: { rotationEnabled: true } }),
    async update(_olds, inputs) {
      await put(inputs);
      return { rotationEnabled: true };
    },
    exists: (olds) => findSecret(account, textOf(olds, "secretId"))?.rotates === true,
    delete(olds) {
      const secret = findSecret(account, textOf(olds, "secretId"));
      if (secret === undefined) return Promise.resolve();
      const { rotates: _rotates, ...kept } = secret;
      secrets.set(secret.arn, kept);
      return Promise.resolve();
    },
  });
}
