import type { Phase } from "../../contract/phase.ts";
import { defineGate, fail, inconclusive } from "../../gate.ts";

/** Phases in which the old release still runs, so that traffic may go back to it. */
const wayBack: readonly Phase[] = ["cutover", "observe"];

/**
 * The callbacks of the old system are accepted while traffic may go back to it. Services keep what they were started
 * with, so the next release ends it; what the clients at Google, Azure or Keycloak accept, and when they no longer do, the
 * system's checklist asks.
 */
export const legacyRedirectsKept = defineGate({
  id: "legacy-redirects-kept",
  about: "facts",
  requires:
    "Services accept every legacy redirect URI while traffic may go back to the old release.",
  because: "A login that began before the switch, or after going back, would end in an error.",
  severity: "high",
  required: `all legacy redirect URIs in the phases ${wayBack.join(" and ")}`,
  remedy: "set keepLegacyUntil of the client in cutover:identity.redirectUris",
  judge: ({ phase, phases, identity }) => {
    if (!phases.includes(phase)) return [inconclusive(`the system has no phase ${phase}`)];
    if (!wayBack.includes(phase)) return [];
    return Object.entries(identity.redirects).flatMap(([client, { legacy, told }]) => {
      const kept = legacy.filter((uri) => told.includes(uri)).length;
      if (kept === legacy.length) return [];
      const last = phases.at(-1) ?? phase;
      return [
        fail(
          `services are told ${kept} of the ${legacy.length} legacy redirect URIs of ${client}`,
          {
            remedy: `set cutover:identity.redirectUris.${client}.keepLegacyUntil to ${last}`,
          },
        ),
      ];
    });
  },
});
