import { randomUUID } from "node:crypto";
import { z } from "zod";
import { ApiError } from "../kind.ts";
import type { Network } from "../network.ts";
import type { Store } from "../store.ts";

/** The AWS account of a rehearsal. */
export interface Account {
  readonly store: Store;
  readonly network: Network;
  /** How much faster than the wall the rehearsal's clock runs. */
  readonly clockScale: number;
  /** Region that the provider is configured for. */
  region: string;
}

/** The account's id: the one that AWS uses in its own examples; nobody has it. */
export const accountId = "123456789012";

/** ARN of something in the account's region. */
export function arnOf({ region }: Account, service: string, resource: string): string {
  return `arn:aws:${service}:${region}:${accountId}:${resource}`;
}

/** ARN of something that belongs to no region. */
export function globalArnOf(service: string, resource: string): string {
  return `arn:aws:${service}::${accountId}:${resource}`;
}

/** An ARN, as the provider checks it. */
export const arn = z.string().regex(/^arn:[\w-]*:[\w-]+:[\w-]*:(\d{12}|aws)?:.+$/, {
  error: "is not an ARN. To do: pass the arn output of the resource",
});

/** A whole number in a range, with the provider's text when it is not in it. */
export function whole(least: number, most: number): z.ZodNumber {
  const error = `expected a whole number in the range (${String(least)} - ${String(most)})`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** Text of JSON. */
export const jsonText = z.string().refine(isJson, { error: "contains invalid JSON" });

/** A policy document: statements with an effect and actions. */
const policyDocument = z.object({
  Statement: z.preprocess(
    (value) => (Array.isArray(value) ? value : [value]),
    z
      .array(
        z.looseObject({
          Effect: z.enum(["Allow", "Deny"]),
          Principal: z.unknown().optional(),
          Resource: z.union([z.string(), z.array(z.string())]).optional(),
          Condition: z.unknown().optional(),
        }),
      )
      .min(1),
  ),
});

/** What a policy document says. */
export type PolicyDocument = z.output<typeof policyDocument>;

/** The document in a policy's text; undefined when it is none. */
export function policyOf(text: string): PolicyDocument | undefined {
  return isJson(text) ? policyDocument.safeParse(JSON.parse(text)).data : undefined;
}

/** Text of a policy document. */
export const policyText = z.string().refine((text) => policyOf(text) !== undefined, {
  error: "must be a policy in JSON: statements, each with an Effect of Allow or Deny",
});

/** Tags, which the stand-ins keep and nobody reads. */
export const tags = z.record(z.string(), z.string()).optional();

/** A customer managed key. */
export interface KeyRecord {
  readonly arn: string;
  /** When it was scheduled for deletion, ISO 8601. */
  readonly deletedAt?: string;
}

/** The key of this ARN or id, usable; undefined when there is none or it is going to be deleted. */
export function usableKey({ store }: Account, arnOrId: string): KeyRecord | undefined {
  const keyId = arnOrId.slice(arnOrId.lastIndexOf("/") + 1);
  const key = store.collection<KeyRecord>("aws-kms-keys").get(keyId);
  return key === undefined || key.deletedAt !== undefined ? undefined : key;
}

/** @throws ApiError when no usable key has this ARN; `undefined` stands for the key that AWS manages itself */
export function requireKey(account: Account, keyArn: string | undefined, operation: string): void {
  if (keyArn === undefined || usableKey(account, keyArn) !== undefined) return;
  throw new ApiError(
    operation,
    "KMSKeyNotAccessibleFault",
    `The specified KMS key [${keyArn}] does not exist, is not enabled or you do not have permissions to access it.`,
  );
}

/** An id as AWS makes them up. */
export function newUuid(): string {
  return randomUUID();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
