import { defineGate, fail, type Reason } from "../../gate.ts";
import { isRecord } from "../../contract/path.ts";
import { isAtLeast, isText, listOf, shown } from "../../values.ts";

const restartPolicies: readonly unknown[] = ["always", "unless-stopped", "on-failure"];
const millisecondsOf: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * A container proves its health before it counts as deployed, comes back when it dies, and cannot take the host's
 * memory with it. A zero or absent term of the healthcheck means "as the image says", which nobody reviewed.
 */
export const serviceHealthChecked = defineGate({
  id: "service-health-checked",
  about: "resource",
  noun: "services",
  requires: "Every container is waited for until healthy, restarts, and has a memory limit.",
  because: "Traffic would move to a container that does not answer or does not stay up.",
  severity: "high",
  required: "a full healthcheck, wait, a restart policy and a memory limit",
  remedy: "set it where the container is declared, in infra/services",
  judge: ({ props }) => {
    const { wait, restart, memory } = props;
    return [
      ...judgeHealthcheck(props["healthcheck"]),
      ...(wait === true ? [] : [fail(`wait is ${shown(wait)}`)]),
      ...(restartPolicies.includes(restart) ? [] : [fail(`restart is ${shown(restart, ["no"])}`)]),
      ...(isAtLeast(memory, 1) ? [] : [fail(`memory is ${shown(memory)}`)]),
    ];
  },
});

function judgeHealthcheck(healthcheck: unknown): readonly Reason[] {
  if (!isRecord(healthcheck)) return [fail(`healthcheck is ${shown(healthcheck)}`)];
  const reasons: Reason[] = [];
  const [form, ...command] = listOf(healthcheck["tests"]);
  if ((form !== "CMD" && form !== "CMD-SHELL") || command.length === 0 || !command.every(isText)) {
    reasons.push(fail("healthcheck.tests holds no command"));
  }
  for (const term of ["interval", "timeout"]) {
    if (!(milliseconds(healthcheck[term]) > 0)) {
      reasons.push(fail(`healthcheck.${term} is ${shown(healthcheck[term], ["0s", "0ms"])}`));
    }
  }
  if (!isAtLeast(healthcheck["retries"], 1)) {
    reasons.push(fail(`healthcheck.retries is ${shown(healthcheck["retries"])}`));
  }
  return reasons;
}

/** A duration as Docker writes it, such as `1m30s`, in milliseconds; 0 for anything else. */
function milliseconds(value: unknown): number {
  if (typeof value !== "string" || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(value)) return 0;
  return [...value.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (millisecondsOf[unit ?? ""] ?? 0),
    0,
  );
}
