import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { DatabaseConfig } from "../databases/config.ts";
import { releaseRecordType } from "../provider/type-tokens.ts";
import { emptyLedger, wholeLedger, type Ledger } from "./ledger.ts";
import type { StateResource } from "./replaced.ts";

interface StackResources {
  readonly outputs: Readonly<
    Record<string, { readonly type: string; readonly outputs: Record<string, unknown> }>
  >;
}

/** Where a database listens, and as whom it is reached. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** What the stack's own state says before a run. */
export interface StackState {
  readonly ledger: Ledger;
  /** How to reach the database; undefined before it was made. */
  readonly database: DatabaseAddress | undefined;
  readonly resources: readonly StateResource[];
}

const instance = z.object({
  address: z.string().min(1),
  port: z.number().int(),
  dbName: z.string().min(1),
  username: z.string().min(1),
});

/**
 * Reads this stack's own state: the resources that hold what is asked, not the stack's outputs, which a failed run
 * overwrites. A stack that never ran has the empty ledger.
 */
export async function readState(database: DatabaseConfig): Promise<StackState> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {
    stackName,
  })) as StackResources;
  const outputsOf = (type: string): Record<string, unknown> | undefined =>
    Object.values(outputs).find((resource) => resource.type === type)?.outputs;
  const ledger = outputsOf(releaseRecordType)?.["ledger"] as Partial<Ledger> | undefined;
  return {
    resources: Object.entries(outputs).map(([urn, resource]) => ({
      type: resource.type,
      name: urn.split("::").slice(3).join("::"),
      outputs: resource.outputs,
    })),
    ledger: ledger === undefined ? emptyLedger : wholeLedger(ledger),
    database:
      database.kind === "rds"
        ? addressOf(outputsOf("aws:rds/instance:Instance"))
        : // One that never ran has no database yet, wherever it is going to listen.
          ledger && {
            host: database.address,
            port: database.port,
            database: database.name,
            user: database.username,
          },
  };
}

function addressOf(outputs: unknown): DatabaseAddress | undefined {
  const { data } = instance.safeParse(outputs);
  if (data === undefined) return undefined;
  const { address, port, dbName, username } = data;
  return { host: address, port, database: dbName, user: username };
}
