import { dotted, setValue } from "../config-path.ts";
import type { Problem } from "../errors.ts";
import type { SecretConfig } from "./config.ts";

/** What is wrong between the rows of the table `secrets`: AWS knows a secret by its name. */
export function secretRelations({
  secrets,
}: {
  readonly secrets: Readonly<Record<string, SecretConfig>>;
}): Problem[] {
  const taken = new Map<string, string>();
  return Object.entries(secrets).flatMap(([row, { store, name }]) => {
    if (store !== "secrets-manager") return [];
    const owner = taken.get(name);
    if (owner === undefined) {
      taken.set(name, row);
      return [];
    }
    return [
      {
        where: dotted(["secrets", row, "name"]),
        found: `${name}, which is the name of ${owner}`,
        required: "a name of its own",
        todo: setValue(["secrets", row, "name"], `${name}-${row}`),
      },
    ];
  });
}
