import * as pulumi from "@pulumi/pulumi";
import type { StepOptions } from "../component.ts";
import type { SecretConfig } from "./config.ts";
import { Secret } from "./secret.ts";

/** What declared secrets are to the rest of the program. */
export interface DeclaredSecrets {
  readonly resources: pulumi.Resource[];
  /**
   * Where each secret lies, by its name in the table: `secretsmanager:<arn>` or `key-vault:<vault>/<name>`. It is what a
   * service is given in its environment, and fetches the value with; the program never has a value.
   */
  readonly references: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Declares the secrets of the table that AWS keeps. Those of a key vault are kept elsewhere: readings tell of them. */
export function declareSecrets(
  table: Readonly<Record<string, SecretConfig>>,
  { kmsKeyArn }: { readonly kmsKeyArn: pulumi.Input<string> },
  step: StepOptions,
): DeclaredSecrets {
  const resources: pulumi.Resource[] = [];
  const references: Record<string, pulumi.Input<string>> = {};
  for (const [name, settings] of Object.entries(table)) {
    if (settings.store === "key-vault") {
      references[name] = `key-vault:${settings.vault}/${settings.name}`;
      continue;
    }
    const secret = new Secret(name, { settings, kmsKeyArn }, step);
    resources.push(secret);
    references[name] = pulumi.interpolate`secretsmanager:${secret.arn}`;
  }
  return { resources, references };
}
