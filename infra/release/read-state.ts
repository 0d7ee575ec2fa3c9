import * as pulumi from "@pulumi/pulumi";
import { emptyLedger, wholeLedger, type Ledger } from "./ledger.ts";
import { releaseRecordType } from "../provider/type-tokens.ts";

interface StackResources {
  readonly outputs: Readonly<
    Record<string, { readonly type: string; readonly outputs: Record<string, unknown> }>
  >;
}

/**
 * Reads the ledger from this stack's own state: from the resource that holds it, not from the stack's outputs, which a
 * failed run overwrites. A stack that never ran has the empty ledger.
 */
export async function readLedger(): Promise<Ledger> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {
    stackName,
  })) as StackResources;
  const record = Object.values(outputs).find((resource) => resource.type === releaseRecordType);
  const ledger = record?.outputs["ledger"] as Partial<Ledger> | undefined;
  return ledger === undefined ? emptyLedger : wholeLedger(ledger);
}
