import { z } from "zod";
import type { Account } from "../aws/account.ts";
import {
  current,
  putSecretValue,
  requireSecret,
  secretsOf,
  secretValue,
  type SecretRecord,
} from "../aws/secrets.ts";
import { AwsError } from "./error.ts";
import { jsonService, operation, pageOf, type ApiService } from "./protocols.ts";

/** What of Secrets Manager the API imitates. */
export function secretsManagerService(account: Account): ApiService {
  const described = (id: string): SecretRecord => {
    const found = secretsOf(account)
      .items()
      .findLast(({ arn, name }) => arn === id || name === id);
    return found ?? requireSecret(account, id, "Secrets Manager: DescribeSecret");
  };
  const usable = (id: string, action: string): SecretRecord => {
    if (described(id).deleted === undefined) return described(id);
    throw new AwsError(
      "InvalidRequestException",
      `You can't perform this operation (${action}) on the secret because it was marked for deletion.`,
    );
  };
  const versionsOf = (secret: SecretRecord) => {
    const ids = [...new Set(Object.values(secret.stages))];
    return ids.map((VersionId) => ({
      VersionId,
      VersionStages: labelsOf(secret, VersionId),
      CreatedDate: dateOf(secretValue(account, secret, VersionId)?.createdAt),
    }));
  };

  return jsonService("secretsmanager", "1.1", {
    DescribeSecret: operation("secretsmanager:DescribeSecret", named, ({ SecretId }) => {
      const secret = described(SecretId);
      return {
        ARN: secret.arn,
        Name: secret.name,
        KmsKeyId: secret.kmsKeyId,
        RotationEnabled: secret.rotates === true,
        OwningService: secret.owner,
        DeletedDate: dateOf(secret.deleted?.at),
        VersionIdsToStages: Object.fromEntries(
          versionsOf(secret).map(({ VersionId, VersionStages }) => [VersionId, VersionStages]),
        ),
      };
    }),
    ListSecretVersionIds: operation(
      "secretsmanager:ListSecretVersionIds",
      named.extend({
        MaxResults: z.int().min(1).max(100).default(100),
        NextToken: z.string().optional(),
      }),
      ({ SecretId, MaxResults, NextToken }) => {
        const secret = described(SecretId);
        const { page, next } = pageOf(versionsOf(secret), NextToken, MaxResults);
        return { ARN: secret.arn, Name: secret.name, Versions: page, NextToken: next };
      },
    ),
    GetSecretValue: operation(
      "secretsmanager:GetSecretValue",
      named.extend({ VersionId: z.string().optional(), VersionStage: z.string().optional() }),
      ({ SecretId, VersionId, VersionStage = current }) => {
        const secret = usable(SecretId, "GetSecretValue");
        const version = VersionId ?? secret.stages[VersionStage] ?? "";
        const value = secretValue(account, secret, version);
        if (value === undefined) {
          throw new AwsError(
            "ResourceNotFoundException",
            `Secrets Manager can't find the specified secret value for ${VersionId === undefined ? `staging label: ${VersionStage}` : `VersionId: ${VersionId}`}`,
          );
        }
        return {
          ARN: secret.arn,
          Name: secret.name,
          VersionId: version,
          VersionStages: labelsOf(secret, version),
          SecretString: value.secretString,
          SecretBinary: value.secretBinary,
          CreatedDate: dateOf(value.createdAt),
        };
      },
    ),
    PutSecretValue: operation(
      "secretsmanager:PutSecretValue",
      named.extend({
        // The SDK makes one up so that a repeated request changes nothing; here none is repeated.
        ClientRequestToken: z.string().optional(),
        SecretString: z.string().optional(),
        SecretBinary: z.string().optional(),
        VersionStages: z.array(z.string()).min(1).optional(),
      }),
      ({ SecretId, SecretString, SecretBinary, VersionStages }) => {
        if ((SecretString === undefined) === (SecretBinary === undefined)) {
          throw new AwsError(
            "InvalidParameterException",
            "You must provide either SecretString or SecretBinary.",
          );
        }
        const secret = usable(SecretId, "PutSecretValue");
        if (secret.owner !== undefined) {
          throw new AwsError(
            "InvalidRequestException",
            `You can't change the value of this secret because it is managed by ${secret.owner}.`,
          );
        }
        const value = { secretString: SecretString, secretBinary: SecretBinary };
        const VersionId = putSecretValue(account, secret, value, VersionStages);
        return {
          ARN: secret.arn,
          Name: secret.name,
          VersionId,
          VersionStages: VersionStages ?? [current],
        };
      },
    ),
  });
}

const named = z.strictObject({ SecretId: z.string().min(1) });

function labelsOf({ stages }: SecretRecord, versionId: string): string[] {
  return Object.entries(stages)
    .filter(([, version]) => version === versionId)
    .map(([label]) => label);
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
