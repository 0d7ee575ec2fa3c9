import type { CustomResourceOptions } from "@pulumi/pulumi";
import { OperatorError, problemText } from "../errors.ts";
import type { RdsConfig } from "./config.ts";
import type { UpgradeState } from "./database.ts";

/**
 * What an import cannot know, or only a new instance could change: an instance that is taken over keeps it. All else is
 * brought to what the stack config says in the same run, and what could not be brought without a replacement is refused,
 * because the instance is protected.
 */
const keptOnImport = [
  "password",
  "manageMasterUserPassword",
  "masterUserSecretKmsKeyId",
  "dbName",
  "kmsKeyId",
];

/**
 * Which instance the state is to follow; nothing where it is the one that the stack made. After an upgrade the state
 * still follows the old one, by RDS's own id; an import of another id makes it follow that one, and only forgets the old
 * one, because that is retained.
 */
export function importOf(
  { adopt, identifier, kmsKeyArn }: Pick<RdsConfig, "adopt" | "identifier" | "kmsKeyArn">,
  upgraded: UpgradeState | undefined,
): Pick<CustomResourceOptions, "import" | "ignoreChanges"> {
  const id = upgraded?.resourceId ?? (adopt ? identifier : undefined);
  if (id === undefined) return {};
  const isKept = (name: string): boolean => name !== "kmsKeyId" || kmsKeyArn === undefined;
  return { import: id, ignoreChanges: keptOnImport.filter(isKept) };
}

/**
 * Where the instance listens.
 *
 * @param found identifier of the instance that the state follows
 * @throws OperatorError when that is another one: the old one, after an upgrade that the state does not tell of
 */
export function addressOf(
  { identifier }: Pick<RdsConfig, "identifier">,
  found: string,
  address: string,
): string {
  if (found === identifier) return address;
  throw new OperatorError(
    problemText("The state follows another instance than the one that serves.", [
      {
        where: "cutover:database.identifier",
        found,
        required: identifier,
        todo: "pulumi config set --path cutover:database.adopt true",
      },
    ]),
  );
}

/**
 * ARN of the secret that RDS keeps the password of the instance in.
 *
 * @throws OperatorError when RDS does not manage it
 */
export function secretArnOf(
  { identifier }: Pick<RdsConfig, "identifier">,
  kept: readonly { readonly secretArn: string }[],
): string {
  const [secret] = kept;
  if (secret !== undefined) return secret.secretArn;
  throw new OperatorError(
    problemText("The database's password cannot be read.", [
      {
        where: "cutover:database.password",
        found: `secrets-manager, but RDS does not manage the password of ${identifier}`,
        required: "a master user secret of the instance",
        todo: `aws rds modify-db-instance --db-instance-identifier ${identifier} --manage-master-user-password`,
      },
    ]),
  );
}
