import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import {
  arnOf,
  jsonText,
  newUuid,
  tags,
  usableKey,
  whole,
  type Account,
  type KeyRecord,
} from "./account.ts";

/** Keys and their aliases. Nothing is encrypted; but only a key that exists can be named. */
export function kmsTypes(account: Account): Record<string, ResourceType> {
  return { "aws:kms/key:Key": keyType(account), "aws:kms/alias:Alias": aliasType(account) };
}

const keyInputs = z.strictObject({
  description: z.string().optional(),
  enableKeyRotation: z.boolean().optional(),
  rotationPeriodInDays: whole(90, 2560).optional(),
  deletionWindowInDays: whole(7, 30).optional(),
  isEnabled: z.literal(true, { error: "the rehearsal has no disabled keys" }).optional(),
  keyUsage: z.literal("ENCRYPT_DECRYPT").default("ENCRYPT_DECRYPT"),
  customerMasterKeySpec: z.literal("SYMMETRIC_DEFAULT").default("SYMMETRIC_DEFAULT"),
  multiRegion: z.boolean().optional(),
  policy: jsonText.optional(),
  tags,
});

function keyType(account: Account): ResourceType {
  const keys = account.store.collection<KeyRecord>("aws-kms-keys");
  return standIn({
    inputs: keyInputs,
    replaceOn: (name) => ["keyUsage", "customerMasterKeySpec", "multiRegion"].includes(name),
    create() {
      const keyId = newUuid();
      const arn = arnOf(account, "kms", `key/${keyId}`);
      keys.set(keyId, { arn });
      return Promise.resolve({ id: keyId, outputs: { arn, keyId } });
    },
    update: (olds) => Promise.resolve(computedOf(olds, ["arn", "keyId"])),
    exists: ({ id }) => keys.get(id) !== undefined && keys.get(id)?.deletedAt === undefined,
    delete({ id }) {
      const key = keys.get(id);
      // A deleted key waits out its window, so it is there and cannot be used.
      if (key !== undefined) keys.set(id, { ...key, deletedAt: new Date().toISOString() });
      return Promise.resolve();
    },
  });
}

const aliasInputs = z.strictObject({
  name: z.string().regex(/^alias\/[\w/-]+$/, { error: 'must begin with "alias/"' }),
  targetKeyId: z.string(),
});

interface AliasRecord {
  readonly arn: string;
}

function aliasType(account: Account): ResourceType {
  const aliases = account.store.collection<AliasRecord>("aws-kms-aliases");
  const targetArn = (target: string, operation: string): string => {
    const key = usableKey(account, target);
    if (key !== undefined) return key.arn;
    throw new ApiError(operation, "NotFoundException", `Key '${target}' does not exist`);
  };
  return standIn({
    inputs: aliasInputs,
    replaceOn: (name) => name === "name",
    physicalName: "name",
    create({ name, targetKeyId }) {
      const arn = arnOf(account, "kms", name);
      if (aliases.get(name) !== undefined) {
        throw new ApiError(
          "KMS: CreateAlias",
          "AlreadyExistsException",
          `An alias with the name ${arn} already exists`,
        );
      }
      const targetKeyArn = targetArn(targetKeyId, "KMS: CreateAlias");
      aliases.set(name, { arn });
      return Promise.resolve({ id: name, outputs: { arn, targetKeyArn } });
    },
    update: (olds, { targetKeyId }) =>
      Promise.resolve({
        ...computedOf(olds, ["arn"]),
        targetKeyArn: targetArn(targetKeyId, "KMS: UpdateAlias"),
      }),
    exists: (olds) => aliases.get(textOf(olds, "name")) !== undefined,
    delete(olds) {
      aliases.delete(textOf(olds, "name"));
      return Promise.resolve();
    },
  });
}
