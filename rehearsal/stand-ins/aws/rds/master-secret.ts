import { randomBytes } from "node:crypto";
import { arnOf, newUuid } from "../account.ts";
import {
  eraseSecret,
  findSecret,
  makeSecret,
  putSecretValue,
  type SecretRecord,
} from "../secrets.ts";
import type { InstanceRecord, Service } from "./service.ts";

/** A password of a kind that RDS makes for itself. */
export function newMasterPassword(): string {
  return randomBytes(24).toString("base64url");
}

/** Keeps the master password of an instance in a new secret that only RDS changes. */
export function makeMasterSecret(
  { account }: Service,
  { username }: InstanceRecord,
  password: string,
  kmsKeyId: string | undefined,
): NonNullable<InstanceRecord["masterSecret"]> {
  const secret = makeSecret(account, { name: `rds!db-${newUuid()}`, kmsKeyId, owner: "rds" });
  putSecretValue(account, secret, secretValueOf(username, password));
  const awsManaged = arnOf(account, "kms", "alias/aws/secretsmanager");
  return { arn: secret.arn, kmsKeyId: kmsKeyId ?? awsManaged };
}

/** Forgets the secret of an instance's master password at once, as RDS does. */
export function eraseMasterSecret({ account }: Service, { masterSecret }: InstanceRecord): void {
  if (masterSecret !== undefined) eraseSecret(account, masterSecret.arn);
}

/** Gives the instance whose secret this is a new master password. */
export async function rotateMasterSecret(rds: Service, { arn }: SecretRecord): Promise<void> {
  const instance = rds.instances.items().find(({ masterSecret }) => masterSecret?.arn === arn);
  const secret = findSecret(rds.account, arn);
  if (instance === undefined || secret === undefined) return;
  const { identifier, username } = instance;
  const password = newMasterPassword();
  await rds.servers.get(identifier)?.setPassword({ username, password });
  putSecretValue(rds.account, secret, secretValueOf(username, password));
}

function secretValueOf(username: string, password: string): { secretString: string } {
  return { secretString: JSON.stringify({ username, password }) };
}
