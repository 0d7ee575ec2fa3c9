import { z } from "zod";
import { readingKind } from "../reading.ts";
import { region, timeFact, withAws } from "./client.ts";

const target = z.strictObject({
  secrets: z
    .array(z.string().regex(/^[\w/+=.@-]{1,512}$/, "must be the name of a secret"))
    .min(1)
    .max(20)
    .meta({
      description: "names of secrets in AWS Secrets Manager, at most 20",
      example: '["orders/database"]',
    }),
  region,
});

/**
 * Reads when secrets were rotated and changed, without reading the secrets. A change is a new value: the date of the
 * last change that AWS tells moves with a tag, too.
 */
export const secretRotation = readingKind({
  kind: "secret-rotation",
  title: "when secrets of AWS Secrets Manager were changed",
  target,
  facts: {
    secrets:
      "by name, a record of `exists` (false also for a secret that waits for its deletion, for nobody can read it), `rotationEnabled` (true when it rotates by itself; null when it does not exist), `lastRotatedAt` (ISO 8601; null when it never rotated or does not exist) and `lastChangedAt` (ISO 8601, when its current value was made; null when that is unknown or it does not exist)",
    missing: "list of the names of secrets that do not exist",
    notRotated: "list of the names of secrets that exist and do not rotate by themselves",
    oldestChange:
      "ISO 8601, the oldest `lastChangedAt` of all secrets; null when it is unknown for any of them",
  },
  subject: ({ secrets }) => secrets.join(", "),

  async read({ secrets, ...where }, context) {
    const { SecretsManagerClient, DescribeSecretCommand, paginateListSecretVersionIds } =
      await import("@aws-sdk/client-secrets-manager");
    return withAws(
      (options) => new SecretsManagerClient(options),
      where,
      context,
      async ({ client, find, list }) => {
        const describe = async (name: string): Promise<readonly [string, SecretFacts]> => {
          const secret = await find(
            "secretsmanager:DescribeSecret",
            ["ResourceNotFoundException"],
            (options) => client.send(new DescribeSecretCommand({ SecretId: name }), options),
          );
          if (secret?.ARN === undefined || secret.DeletedDate !== undefined) return [name, absent];
          const versions = await list(
            "secretsmanager:ListSecretVersionIds",
            (options) =>
              paginateListSecretVersionIds({ client, pageSize: 100 }, { SecretId: name }, options),
            ({ Versions }) => Versions,
          );
          const current = versions.find(({ VersionStages = [] }) =>
            VersionStages.includes("AWSCURRENT"),
          );
          const facts = {
            exists: true,
            rotationEnabled: secret.RotationEnabled ?? false,
            lastRotatedAt: timeFact(secret.LastRotatedDate),
            lastChangedAt: timeFact(current?.CreatedDate),
          };
          return [name, facts];
        };
        const found = await Promise.all(secrets.map(describe));
        const changes = found.map(([, { lastChangedAt }]) => lastChangedAt);
        const known = changes.filter((change) => change !== null);
        return {
          secrets: Object.fromEntries(found),
          missing: found.filter(([, { exists }]) => !exists).map(([name]) => name),
          notRotated: found
            .filter(([, { exists, rotationEnabled }]) => exists && rotationEnabled !== true)
            .map(([name]) => name),
          oldestChange:
            known.length < changes.length ? null : known.reduce((a, b) => (a < b ? a : b)),
        };
      },
    );
  },
});

type SecretFacts = {
  readonly exists: boolean;
  readonly rotationEnabled: boolean | null;
  readonly lastRotatedAt: string | null;
  readonly lastChangedAt: string | null;
};

const absent: SecretFacts = {
  exists: false,
  rotationEnabled: null,
  lastRotatedAt: null,
  lastChangedAt: null,
};
