import type { ProviderDefinition } from "../../infra/provider/serve.ts";
import type { Account } from "./aws/account.ts";
import { acmTypes } from "./aws/acm.ts";
import { backupPlanTypes } from "./aws/backup-plans.ts";
import { backupVaultTypes } from "./aws/backup.ts";
import { cloudwatchTypes } from "./aws/cloudwatch.ts";
import { iamTypes } from "./aws/iam.ts";
import { kmsTypes } from "./aws/kms.ts";
import { openRds } from "./aws/rds.ts";
import { s3SettingTypes } from "./aws/s3-settings.ts";
import { s3BucketTypes } from "./aws/s3.ts";
import { secretRotationTypes } from "./aws/secret-rotation.ts";
import { secretFunctions, secretTypes } from "./aws/secret-types.ts";
import { snsTypes } from "./aws/sns-types.ts";
import { publish, type Delivery } from "./aws/sns.ts";
import { notImitated } from "./refusal.ts";

/** The provider `aws` on local means, and what the rehearsal itself does with the account. */
export interface Aws extends ProviderDefinition {
  /** Absolute path of a PEM file with the CA of the databases: what clients give as `caFile`. */
  readonly databaseCaFile: string;
  /**
   * Publishes a message to an SNS topic, and tells what became of it for each subscriber.
   *
   * @throws ApiError when there is no such topic
   */
  publish(topicArn: string, message: string): Promise<Delivery[]>;
}

/** Opens the account: see the types for what each of them does. Its databases run until it closes. */
export async function openAws(account: Account): Promise<Aws> {
  const rds = await openRds(account);
  return {
    name: "aws",
    version: "7.48.0",
    types: {
      ...kmsTypes(account),
      ...iamTypes(account),
      ...rds.types,
      ...backupVaultTypes(account),
      ...backupPlanTypes(account),
      ...s3BucketTypes(account),
      ...s3SettingTypes(account),
      ...secretTypes(account),
      ...secretRotationTypes(account, (secret) => rds.rotate(secret)),
      ...snsTypes(account),
      ...cloudwatchTypes(account),
      ...acmTypes(account),
    },
    functions: secretFunctions(account),
    configure(_variables, { region }) {
      if (typeof region === "string") account.region = region;
    },
    unsupported: notImitated,
    onShutdown: () => rds.close(),
    databaseCaFile: rds.caFile,
    publish: (topicArn, message) => publish(account, topicArn, message),
  };
}
