import { phases, type Phase } from "../../contract/phase.ts";
import type { GuardFacts } from "../../contract/facts.ts";
import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";

/** Phases in which the old release still runs, so that traffic may go back to it. */
const wayBack: readonly Phase[] = ["cutover", "observe"];

/**
 * The callbacks of the old system are accepted while traffic may go back to it, and no longer when the release is
 * through. In between the stack config decides. What the clients at Google, Azure or Keycloak accept is not told here:
 * the system's checklist asks for it.
 */
export const legacyRedirectsKept = defineGate({
  id: "legacy-redirects-kept",
  about: "facts",
  requires:
    "Legacy redirect URIs are told to services until the old release is gone, and no longer.",
  because: "Going back would end at the login, and a forgotten callback could take logins later.",
  severity: "high",
  required: "all legacy URIs in cutover and observe, none in the last phase",
  remedy: "set keepLegacyUntil of the client in cutover:identity.redirectUris",
  judge: (facts) => {
    if (!facts.phases.includes(facts.phase)) {
      return [inconclusive(`the system has no phase ${facts.phase}`)];
    }
    const last = facts.phases.at(-1) ?? facts.phase;
    return Object.entries(facts.identity.redirects).flatMap(([client, redirects]) =>
      judgeClient(client, redirects, facts.phase, last),
    );
  },
});

type Redirects = GuardFacts["identity"]["redirects"][string];

function judgeClient(
  client: string,
  { legacy, told }: Redirects,
  phase: Phase,
  last: Phase,
): readonly Reason[] {
  const kept = legacy.filter((uri) => told.includes(uri)).length;
  const all = `${legacy.length} legacy redirect ${legacy.length === 1 ? "URI" : "URIs"} of ${client}`;
  const remedy = `set cutover:identity.redirectUris.${client}.keepLegacyUntil to ${last}`;
  if (wayBack.includes(phase) && kept < legacy.length) {
    return [fail(`services are told ${kept} of ${all}`, { remedy })];
  }
  const isOver = phase === last && phases.indexOf(phase) > phases.indexOf("observe");
  if (isOver && kept > 0) {
    return [fail(`services are still told ${kept} of ${all}`, { remedy })];
  }
  return [];
}
