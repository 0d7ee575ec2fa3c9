import { z } from "zod";
import { digestOf } from "../../policies/contract/digest.ts";
import { connectionSchema } from "./postgres-session.ts";
import type { Patience, Rds } from "./rds-client.ts";
import { RefusedError, type Call } from "./resource-type.ts";

/** Inputs of a blue/green upgrade, as they come. */
export const blueGreenInputs = z.strictObject({
  stack: z.string().min(1),
  release: z.string().min(1),
  /** Identifier of the instance, before and after. */
  identifier: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "required is an RDS identifier"),
  /** The version of PostgreSQL that it is to have. */
  targetVersion: z.string().regex(/^\d+(\.\d+)?$/, "required is a PostgreSQL version"),
  /** Name of the parameter group of the new version; without one, as RDS decides. */
  parameterGroup: z.string().min(1).optional(),
  /** Where the instance is. Default: AWS_REGION. */
  region: z.string().min(1).optional(),
  /** Identifies the write freeze that this stands in. */
  token: z.string().min(1),
  /** How clients reach the database: it must answer with the new version. */
  connection: connectionSchema,
  /** For all of it. Making the new instance alone takes RDS tens of minutes. */
  deadlineSeconds: z.number().positive(),
  /** How long RDS may take to switch over before it takes it back. Default 300. */
  switchoverSeconds: z.number().int().min(30).optional(),
  /** Milliseconds between two questions. Default 15,000. */
  intervalMs: z.number().positive().optional(),
});

/** What a blue/green upgrade is made from. */
export type BlueGreenInputs = Readonly<z.infer<typeof blueGreenInputs>>;

/** Tags of the old instance, from the switch on. */
export const tagNames = {
  blueOf: "cutover:blue-of",
  deployment: "cutover:deployment",
  token: "cutover:freeze",
  switchedAt: "cutover:switched-at",
} as const;

/** The name of the deployment: RDS allows 60 letters, digits and single hyphens. */
export function deploymentName(
  of: Pick<BlueGreenInputs, "stack" | "identifier" | "targetVersion">,
): string {
  const { stack, identifier, targetVersion } = of;
  return `cutover-${digestOf({ stack, identifier, targetVersion }).slice(0, 24)}`;
}

/** An upgrade that is under way. */
export interface Upgrade {
  readonly parsed: BlueGreenInputs;
  readonly rds: Rds;
  readonly call: Call;
  readonly patience: Patience;
}

/** Why an upgrade does not go on. */
export interface Trouble {
  readonly found: string;
  readonly required: string;
  readonly todo: string;
}

/** Whether a version is the wanted one, or a minor one of the wanted major one. */
export function isVersion(version: string, wanted: string): boolean {
  return version === wanted || (!wanted.includes(".") && version.startsWith(`${wanted}.`));
}

/** An error about the time that is over. */
export function late(parsed: BlueGreenInputs, found: string): RefusedError {
  return refused(parsed, {
    found: `${found}, after ${String(parsed.deadlineSeconds)} s`,
    required: `PostgreSQL ${parsed.targetVersion} serves, and the old instance is kept`,
    todo: "wait until RDS is done with it, then run pulumi up again: it goes on from there",
  });
}

/** An error about an upgrade. */
export function refused(
  { identifier, targetVersion }: BlueGreenInputs,
  { found, required, todo }: Trouble,
): RefusedError {
  return new RefusedError(
    [
      `${identifier} is not brought to PostgreSQL ${targetVersion}.`,
      `found:    ${found}`,
      `required: ${required}`,
      `to do:    ${todo}`,
    ].join("\n"),
  );
}

/** The major version of a PostgreSQL version, from 10 on. */
export function majorOf(version: string): string | undefined {
  return version.split(".")[0];
}
