import { z } from "zod";
import { codeOf, messageOf } from "./error-text.ts";
import { RefusedError } from "./resource-type.ts";

const arnForm = /^arn:[\w-]+:secretsmanager:(?<region>[a-z\d-]+):\d{12}:secret:[\w/+=.@!-]+$/;

/** ARN of a secret in AWS Secrets Manager. */
export const secretArn = z
  .string()
  .regex(arnForm, "required is the ARN of a secret in AWS Secrets Manager");

// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
const valueSchema = z.object({ password: z.string().min(1) });

/** What each secret said last. */
const lastRead = new Map<string, string>();

/**
 * The password that a secret of RDS keeps. It is read anew for each session, because it may have been rotated since; when
 * it cannot be read, what it said last is tried, so that a freeze can be lifted while Secrets Manager does not answer.
 *
 * @param arn of the secret; it is asked in its own region
 * @throws RefusedError in words for the operator; nothing of the value is in it
 */
export async function keptPassword(arn: string, signal?: AbortSignal): Promise<string> {
  try {
    const password = await readPassword(arn, signal);
    lastRead.set(arn, password);
    return password;
  } catch (error) {
    signal?.throwIfAborted();
    const last = lastRead.get(arn);
    if (last !== undefined) return last;
    throw error;
  }
}

async function readPassword(arn: string, signal: AbortSignal | undefined): Promise<string> {
  // Loaded here, because most databases have a password of their own.
  const aws = await import("@aws-sdk/client-secrets-manager");
  const region = arnForm.exec(arn)?.groups?.["region"] ?? "";
  const client = new aws.SecretsManagerClient({ region, maxAttempts: 3 });
  const limit = AbortSignal.timeout(readMilliseconds);
  const abortSignal = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  let text: string | undefined;
  try {
    const command = new aws.GetSecretValueCommand({ SecretId: arn });
    text = (await client.send(command, { abortSignal })).SecretString;
  } catch (error) {
    throw unreadable(arn, error);
  } finally {
    client.destroy();
  }
  const password = passwordIn(text);
  if (password !== undefined) return password;
  throw new RefusedError(
    [
      `the secret ${arn} cannot be used.`,
      "found:    a value in another form (not shown)",
      'required: JSON with a key "password", as RDS writes it',
      "to do:    see that it is the master user secret of the instance",
    ].join("\n"),
  );
}

const readMilliseconds = 10_000;

function passwordIn(text: string | undefined): string | undefined {
  try {
    return valueSchema.safeParse(JSON.parse(text ?? "")).data?.password;
  } catch {
    // What the parser says quotes the value.
    return undefined;
  }
}

function unreadable(arn: string, error: unknown): RefusedError {
  const name = error instanceof Error ? error.name : "error";
  const found = codeOf(error) ?? (name === "Error" ? messageOf(error) : name);
  const isGone = name === "ResourceNotFoundException";
  return new RefusedError(
    [
      `the password of the database cannot be read from ${arn}.`,
      `found:    ${found}`,
      "required: secretsmanager:GetSecretValue on it, and kms:Decrypt on its key",
      isGone
        ? "to do:    see in RDS which secret the instance has, then run pulumi up again"
        : "to do:    give the credentials of this run these rights, and see that it can be reached",
    ].join("\n"),
    { cause: error },
  );
}
