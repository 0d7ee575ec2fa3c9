import { defineGate, fail } from "../../gate.ts";
import { requirements } from "../../requirements.ts";
import { isAtLeast, shown } from "../../values.ts";

const days = requirements.secretRecoveryDays;

/** A deleted secret can be had back for a while. It must be spelled out: a default can change, and 0 deletes at once. */
export const secretRecoverable = defineGate({
  id: "secret-recoverable",
  about: "resource",
  noun: "secrets",
  requires: `Every secret can be had back for at least ${days} days after it was deleted.`,
  because: "The release that can still be gone back to would start without its secret.",
  severity: "high",
  required: `recoveryWindowInDays is at least ${days}`,
  remedy: "set it where the secret is declared, in infra/secrets",
  judge: ({ props }) =>
    isAtLeast(props["recoveryWindowInDays"], days)
      ? []
      : [fail(`recoveryWindowInDays is ${shown(props["recoveryWindowInDays"])}`)],
});
