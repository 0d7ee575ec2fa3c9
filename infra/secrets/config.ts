import { z } from "zod";
import { key } from "../config-key.ts";

const secretsManager = z.strictObject({
  store: z.literal("secrets-manager"),
  name: key(z.string().regex(/^[\w/+=.@-]{1,512}$/), "the secret's name", "stageos/jwt"),
  rotateDays: key(z.number().int().min(1).max(1000), "whole days until it is rotated", "90"),
  rotationLambdaArn: key(
    z
      .string()
      .regex(/^arn:[\w-]*:lambda:[\w-]+:\d{12}:function:.+$/)
      .optional(),
    "the ARN of the function that rotates it; without it people do, and a reading tells the age",
    "arn:aws:lambda:eu-central-1:123456789012:function:rotate-jwt",
  ),
});

const external = z.strictObject({
  store: z.literal("key-vault"),
  vault: key(z.string().regex(/^[a-zA-Z][a-zA-Z0-9-]{2,23}$/), "a vault's name", "ignition-vault"),
  name: key(z.string().regex(/^[0-9a-zA-Z-]{1,127}$/), "the secret's name", "r2-access-key"),
});

/** A row of the table `secrets`: where a secret lies, never what it is. */
export const secretConfig = z.discriminatedUnion("store", [secretsManager, external]);

/** A secret of the stack config. */
export type SecretConfig = z.infer<typeof secretConfig>;

/** A secret of the stack config that AWS Secrets Manager keeps. */
export type SecretsManagerConfig = z.infer<typeof secretsManager>;
