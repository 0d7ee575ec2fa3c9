import type { ProviderDefinition } from "../../infra/provider/serve.ts";
import type { Account } from "./aws/account.ts";
import { backupTypes } from "./aws/backup.ts";
import { iamTypes } from "./aws/iam.ts";
import { kmsTypes } from "./aws/kms.ts";
import { openRds } from "./aws/rds.ts";
import { s3Types } from "./aws/s3.ts";
import { notImitated } from "./refusal.ts";

/** The provider `aws` on local means: see the types for what each of them does. Its databases run until it closes. */
export async function openAws(account: Account): Promise<ProviderDefinition> {
  const rds = await openRds(account);
  return {
    name: "aws",
    version: "7.48.0",
    types: {
      ...kmsTypes(account),
      ...iamTypes(account),
      ...rds.types,
      ...backupTypes(account),
      ...s3Types(account),
    },
    configure(_variables, { region }) {
      if (typeof region === "string") account.region = region;
    },
    unsupported: notImitated,
    onShutdown: () => rds.close(),
  };
}
