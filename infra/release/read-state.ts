import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { releaseRecordType } from "../provider/type-tokens.ts";
import { emptyLedger, wholeLedger, type Ledger } from "./ledger.ts";

interface StackResources {
  readonly outputs: Readonly<
    Record<string, { readonly type: string; readonly outputs: Record<string, unknown> }>
  >;
}

/** What the stack's own state says before a run. */
export interface StackState {
  readonly ledger: Ledger;
  /** How to reach the database; undefined before it was made. */
  readonly database: z.infer<typeof instance> | undefined;
}

const instance = z
  .object({
    address: z.string().min(1),
    port: z.number().int(),
    dbName: z.string().min(1),
    username: z.string().min(1),
  })
  .transform(({ address, port, dbName, username }) => ({
    host: address,
    port,
    database: dbName,
    user: username,
  }));

/**
 * Reads this stack's own state: the resources that hold what is asked, not the stack's outputs, which a failed run
 * overwrites. A stack that never ran has the empty ledger.
 */
export async function readState(): Promise<StackState> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {
    stackName,
  })) as StackResources;
  const outputsOf = (type: string): Record<string, unknown> | undefined =>
    Object.values(outputs).find((resource) => resource.type === type)?.outputs;
  const ledger = outputsOf(releaseRecordType)?.["ledger"] as Partial<Ledger> | undefined;
  return {
    ledger: ledger === undefined ? emptyLedger : wholeLedger(ledger),
    database: instance.safeParse(outputsOf("aws:rds/instance:Instance")).data,
  };
}
