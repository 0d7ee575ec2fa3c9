import { randomBytes } from "node:crypto";
import { ApiError } from "../kind.ts";
import type { Collection } from "../store.ts";
import { arnOf, newUuid, usableKey, type Account } from "./account.ts";

/** What Secrets Manager keeps of a secret beside its values. */
export interface SecretRecord {
  readonly arn: string;
  readonly name: string;
  readonly kmsKeyId: string | undefined;
  /** Service that made it for itself, which alone may change it. */
  readonly owner?: "rds";
  /** Version ids by staging label. */
  readonly stages: Readonly<Record<string, string>>;
  readonly rotates?: true;
  /** When it was deleted, ISO 8601, and days until it is gone. */
  readonly deleted?: { readonly at: string; readonly windowDays: number };
}

/** One version of a secret: text, or bytes in Base64. */
export interface SecretValue {
  readonly secretString?: string | undefined;
  readonly secretBinary?: string | undefined;
}

/** A version as it is kept, with the time it was made, ISO 8601. */
type KeptValue = SecretValue & { readonly createdAt: string };

/** The staging label of the version that everybody gets. */
export const current = "AWSCURRENT";
const previous = "AWSPREVIOUS";

/** Secrets by ARN. */
export function secretsOf({ store }: Account): Collection<SecretRecord> {
  return store.collection("aws-secrets");
}

/** The secret of this ARN or name, unless it is deleted. */
export function findSecret(account: Account, arnOrName: string): SecretRecord | undefined {
  return secretsOf(account)
    .items()
    .find(
      ({ arn, name, deleted }) =>
        deleted === undefined && (arn === arnOrName || name === arnOrName),
    );
}

/** @throws ApiError when there is no such secret */
export function requireSecret(
  account: Account,
  arnOrName: string,
  operation: string,
): SecretRecord {
  const secret = findSecret(account, arnOrName);
  if (secret !== undefined) return secret;
  throw new ApiError(
    operation,
    "ResourceNotFoundException",
    "Secrets Manager can't find the specified secret.",
  );
}

/** @throws ApiError when the name is taken, also by one whose recovery window is still open */
export function makeSecret(
  account: Account,
  { name, kmsKeyId, owner }: Pick<SecretRecord, "name" | "kmsKeyId" | "owner">,
): SecretRecord {
  const secrets = secretsOf(account);
  const operation = "Secrets Manager: CreateSecret";
  for (const taken of secrets.items().filter((each) => each.name === name)) {
    if (taken.deleted === undefined) {
      throw new ApiError(
        operation,
        "ResourceExistsException",
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    if (isGone(account, taken.deleted)) eraseSecret(account, taken.arn);
    else {
      throw new ApiError(
        operation,
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
  }
  const suffix = randomBytes(3).toString("hex");
  const arn = arnOf(account, "secretsmanager", `secret:${name}-${suffix}`);
  const secret: SecretRecord = {
    arn,
    name,
    kmsKeyId,
    ...(owner === undefined ? {} : { owner }),
    stages: {},
  };
  secrets.set(arn, secret);
  return secret;
}

/**
 * Puts a new version under its labels, AWSCURRENT by default, and returns its id. The values lie in a file that only
 * its owner reads.
 *
 * @throws ApiError when the secret's key cannot be used
 */
export function putSecretValue(
  account: Account,
  secret: SecretRecord,
  value: SecretValue,
  labels: readonly string[] = [current],
): string {
  const { kmsKeyId } = secret;
  const isManagedByAws = kmsKeyId === undefined || /(^|:)alias\/aws\//.test(kmsKeyId);
  if (!isManagedByAws && usableKey(account, kmsKeyId) === undefined) {
    throw new ApiError(
      "Secrets Manager: PutSecretValue",
      "EncryptionFailure",
      "Secrets Manager can't encrypt the protected secret text using the provided KMS key.",
    );
  }
  const versionId = newUuid();
  valuesOf(account).set(valueKey(secret.arn, versionId), {
    ...value,
    createdAt: new Date().toISOString(),
  });
  secretsOf(account).set(secret.arn, {
    ...secret,
    stages: labels.reduce((stages, label) => staged(stages, label, versionId), secret.stages),
  });
  return versionId;
}

/** The labels, with one of them moved to a version; what was current is the previous one then. */
export function staged(
  stages: SecretRecord["stages"],
  label: string,
  versionId: string,
): SecretRecord["stages"] {
  const before = stages[current];
  return {
    ...stages,
    ...(label === current && before !== undefined && before !== versionId
      ? { [previous]: before }
      : {}),
    [label]: versionId,
  };
}

/** The value of a version, if there is one. */
export function secretValue(
  account: Account,
  { arn }: SecretRecord,
  versionId: string,
): KeptValue | undefined {
  return valuesOf(account).get(valueKey(arn, versionId));
}

/** Forgets a secret and all its values at once. */
export function eraseSecret(account: Account, arn: string): void {
  const values = valuesOf(account);
  for (const [key] of values.entries().filter(([key]) => key.startsWith(valueKey(arn, "")))) {
    values.delete(key);
  }
  secretsOf(account).delete(arn);
}

const dayMilliseconds = 86_400_000;

function isGone(
  { clockScale }: Account,
  { at, windowDays }: NonNullable<SecretRecord["deleted"]>,
): boolean {
  return (Date.now() - Date.parse(at)) * clockScale > windowDays * dayMilliseconds;
}

function valuesOf({ store }: Account): Collection<KeptValue> {
  return store.collection("aws-secret-values");
}

function valueKey(arn: string, versionId: string): string {
  return `${arn}|${versionId}`;
}
