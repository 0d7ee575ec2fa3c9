import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../databases/database.ts";
import type { Connection as PlainConnection } from "../provider/postgres-session.ts";

/**
 * A hook that opens writes again as soon as anything behind the freeze fails. What no hook can see (a closed gate,
 * Ctrl-C) is the provider's to lift when the engine lets go of it.
 */
export function liftOnError(
  connection: Connection,
  stack: string,
  release: string,
): pulumi.ErrorHook {
  let plain: PlainConnection | undefined;
  pulumi.output(connection).apply((value) => {
    plain = value;
  });
  return new pulumi.ErrorHook("lift-freeze", async ({ name }) => {
    if (plain !== undefined) {
      const { liftFreeze } = await import("../provider/freeze.ts");
      await liftFreeze(plain, { stack, release, reason: `${name} failed` });
    }
    return false;
  });
}
