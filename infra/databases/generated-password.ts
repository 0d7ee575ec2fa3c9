import * as pulumi from "@pulumi/pulumi";
import { generatedPasswordType } from "../provider/type-tokens.ts";

/** A password that is made once, and kept in the state as a secret. Protect it: nobody else knows it. */
export class GeneratedPassword extends pulumi.CustomResource {
  declare readonly password: pulumi.Output<string>;

  /** @param args what it opens */
  constructor(name: string, args: { readonly of: string }, opts: pulumi.CustomResourceOptions) {
    super(
      generatedPasswordType,
      name,
      { ...args, password: undefined },
      { ...opts, additionalSecretOutputs: ["password"] },
    );
  }
}
