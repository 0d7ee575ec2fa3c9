import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { DatabaseConfig } from "../databases/config.ts";
import type { UpgradeState } from "../databases/database.ts";
import {
  blueGreenType,
  generatedPasswordType,
  releaseRecordType,
} from "../provider/type-tokens.ts";
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
  /** The blue/green upgrade that was done last; undefined before one. */
  readonly upgraded: UpgradeState | undefined;
  /** The password that the stack made; undefined when it made none. */
  readonly generatedPassword: string | undefined;
  /** ARN of the secret in which RDS keeps the password; undefined when it keeps none. */
  readonly passwordSecretArn: string | undefined;
  readonly resources: readonly StateResource[];
}

const instance = z.object({
  address: z.string().min(1),
  port: z.number().int(),
  dbName: z.string().min(1),
  username: z.string().min(1),
});

const upgrade = z.object({ resourceId: z.string().min(1), version: z.string().min(1) });
const password = z.object({ password: z.string().min(1) });
const managed = z.object({
  masterUserSecrets: z.tuple([z.object({ secretArn: z.string().min(1) })], z.unknown()),
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
    upgraded: upgrade.safeParse(outputsOf(blueGreenType)).data,
    generatedPassword: password.safeParse(outputsOf(generatedPasswordType)).data?.password,
    passwordSecretArn: managed.safeParse(outputsOf("aws:rds/instance:Instance")).data
      ?.masterUserSecrets[0].secretArn,
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
