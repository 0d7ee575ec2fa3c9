import { z } from "zod";
import type {
  Properties,
  ProviderDefinition,
  ResourceType,
} from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import { jsonText, tags, type Account } from "./account.ts";
import {
  current,
  eraseSecret,
  findSecret,
  makeSecret,
  putSecretValue,
  requireSecret,
  secretValue,
  secretsOf,
  staged,
  type SecretRecord,
} from "./secrets.ts";

/** Secrets Manager: secrets and their versions. */
export function secretTypes(account: Account): Record<string, ResourceType> {
  return {
    "aws:secretsmanager/secret:Secret": secretType(account),
    "aws:secretsmanager/secretVersion:SecretVersion": versionType(account),
  };
}

/** What a program can ask of Secrets Manager: the value of a version. */
export function secretFunctions(account: Account): NonNullable<ProviderDefinition["functions"]> {
  const operation = "Secrets Manager: GetSecretValue";
  return {
    "aws:secretsmanager/getSecretVersion:getSecretVersion": (args) => {
      const { secretId, versionId, versionStage = current } = versionQuery.parse(args);
      const secret = requireSecret(account, secretId, operation);
      const found = versionId ?? secret.stages[versionStage];
      const value = found === undefined ? undefined : secretValue(account, secret, found);
      if (found === undefined || value === undefined) {
        throw new ApiError(
          operation,
          "ResourceNotFoundException",
          "Secrets Manager can't find the specified secret value for " +
            (versionId === undefined
              ? `staging label: ${versionStage}`
              : `VersionId: ${versionId}`),
        );
      }
      return Promise.resolve({
        id: `${secretId}|${versionId ?? versionStage}`,
        arn: secret.arn,
        secretArn: secret.arn,
        secretId,
        region: account.region,
        createdDate: value.createdAt,
        secretString: value.secretString ?? "",
        secretBinary: value.secretBinary ?? "",
        versionId: found,
        versionStage,
        versionStages: labelsOf(secret, found),
      });
    },
  };
}

const versionQuery = z.strictObject({
  secretId: z.string(),
  versionId: z.string().optional(),
  versionStage: z.string().optional(),
});

const secretInputs = z.strictObject({
  name: z.string().regex(/^[\w/+=.@-]{1,512}$/, {
    error: "must be 1 to 512 letters, digits or /_+=.@-",
  }),
  description: z.string().optional(),
  kmsKeyId: z.string().optional(),
  policy: jsonText.optional(),
  recoveryWindowInDays: z
    .int()
    .refine((days) => days === 0 || (days >= 7 && days <= 30), {
      error: "must be 0, or in the range (7 - 30)",
    })
    .default(30),
  tags,
});

function secretType(account: Account): ResourceType {
  const secrets = secretsOf(account);
  return standIn({
    inputs: secretInputs,
    replaceOn: (name) => name === "name",
    create({ name, kmsKeyId }) {
      const { arn: id } = makeSecret(account, { name, kmsKeyId });
      return Promise.resolve({ id, outputs: { arn: id } });
    },
    update(olds, { kmsKeyId }) {
      const secret = requireSecret(account, olds.id, "Secrets Manager: UpdateSecret");
      secrets.set(olds.id, { ...secret, kmsKeyId });
      return Promise.resolve(computedOf(olds, ["arn"]));
    },
    exists: ({ id }) => findSecret(account, id) !== undefined,
    delete(olds) {
      const secret = findSecret(account, olds.id);
      if (secret === undefined) return Promise.resolve();
      const windowDays = Number(olds.inputs["recoveryWindowInDays"] ?? 30);
      if (windowDays === 0) eraseSecret(account, secret.arn);
      else {
        secrets.set(secret.arn, {
          ...secret,
          deleted: { at: new Date().toISOString(), windowDays },
        });
      }
      return Promise.resolve();
    },
  });
}

const versionInputs = z
  .strictObject({
    secretId: z.string(),
    // Bytes of the whole: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
    secretString: z
      .string()
      .refine((text) => Buffer.byteLength(text) <= 65_536, { error: "must be 65536 bytes or less" })
      .optional(),
    secretBinary: z.base64({ error: "must be base64-encoded" }).optional(),
    versionStages: z.array(z.string().min(1)).min(1).optional(),
  })
  .refine(
    ({ secretString, secretBinary }) =>
      (secretString === undefined) !== (secretBinary === undefined),
    { path: ["secretString"], error: "one of secretString and secretBinary must be set, not both" },
  );

function versionType(account: Account): ResourceType {
  const secrets = secretsOf(account);
  const versionOf = (id: string): string => id.slice(id.lastIndexOf("|") + 1);
  const outputsOf = (secretId: string, versionId: string): Properties => {
    const secret = requireSecret(account, secretId, "Secrets Manager: GetSecretValue");
    const versionStages = labelsOf(secret, versionId);
    return { arn: secret.arn, secretArn: secret.arn, versionId, versionStages };
  };
  return standIn({
    inputs: versionInputs,
    withheld: ["secretString", "secretBinary"],
    replaceOn: (name) => name !== "versionStages",
    create({ secretId, secretString, secretBinary, versionStages }) {
      const operation = "Secrets Manager: PutSecretValue";
      const secret = requireSecret(account, secretId, operation);
      refuseOwned(secret, operation);
      const value = { secretString, secretBinary };
      const versionId = putSecretValue(account, secret, value, versionStages);
      return Promise.resolve({
        id: `${secretId}|${versionId}`,
        outputs: outputsOf(secretId, versionId),
      });
    },
    update(olds, { secretId, versionStages = [current] }) {
      const secret = requireSecret(account, secretId, "Secrets Manager: UpdateSecretVersionStage");
      const versionId = versionOf(olds.id);
      const kept = Object.entries(secret.stages).filter(
        ([label, version]) => version !== versionId || label === current,
      );
      secrets.set(secret.arn, {
        ...secret,
        stages: versionStages.reduce(
          (stages, label) => staged(stages, label, versionId),
          Object.fromEntries(kept),
        ),
      });
      return Promise.resolve(outputsOf(secretId, versionId));
    },
    exists(olds) {
      const secret = findSecret(account, textOf(olds, "secretId"));
      return secret !== undefined && labelsOf(secret, versionOf(olds.id)).length > 0;
    },
    delete(olds) {
      const secret = findSecret(account, textOf(olds, "secretId"));
      if (secret === undefined) return Promise.resolve();
      // The label of the current version cannot be taken away, only moved: its value stays with the secret.
      const stages = Object.entries(secret.stages).filter(
        ([label, version]) => version !== versionOf(olds.id) || label === current,
      );
      secrets.set(secret.arn, { ...secret, stages: Object.fromEntries(stages) });
      return Promise.resolve();
    },
  });
}

function labelsOf({ stages }: SecretRecord, versionId: string): string[] {
  return Object.entries(stages)
    .filter(([, version]) => version === versionId)
    .map(([label]) => label);
}

function refuseOwned({ owner }: SecretRecord, operation: string): void {
  if (owner === undefined) return;
  throw new ApiError(
    operation,
    "InvalidRequestException",
    `You can't change the value of this secret because it is managed by ${owner}.`,
  );
}
