import type { Phase } from "../../../../policies/contract/phase.ts";
import { legacyRedirectsKept } from "../../../../policies/gates/identity/legacy-redirects-kept.ts";
import { set, testGate, type Change } from "../../../support/gate-tester.ts";

const now = "https://orders.example.com/auth/callback";
const old = "https://old.example.com/auth/callback";
const older = "https://old.example.com/oauth";

/** Client `google` in a phase: what services are told of it, and what of that is legacy. */
function told(phase: Phase, uris: readonly string[], legacy: readonly string[] = [old]): Change[] {
  return [
    set("facts.phase", phase),
    set("facts.identity.redirects", { google: { legacy, told: uris } }),
  ];
}

testGate(legacyRedirectsKept, {
  needs: ["facts.phases"],
  mayRead: ["facts.phase", "facts.identity"],
  passes: {
    "kept in the cutover": told("cutover", [now, old]),
    "kept while the release is watched": told("observe", [old, now, older], [older, old]),
    "not yet a matter before the cutover": told("prepare", [now]),
    "taken away once nothing can go back": told("finalize", [now]),
    "kept longer than needed": told("decommission", [now, old]),
    "no legacy URI at all": told("cutover", [now], []),
    "no client": [set("facts.identity.redirects", {})],
  },
  fails: {
    "gone in the cutover": [
      told("cutover", [now]),
      "fail",
      "release v1.1.0: services are told 0 of the 1 legacy redirect URIs of google",
    ],
    "one of two gone while the release is watched": [
      told("observe", [now, old], [old, older]),
      "fail",
      "release v1.1.0: services are told 1 of the 2 legacy redirect URIs of google",
    ],
    "gone at one client of two": [
      [
        set("facts.identity.redirects", {
          google: { legacy: [old], told: [now, old] },
          azure: { legacy: [older], told: [old] },
        }),
      ],
      "fail",
      "release v1.1.0: services are told 0 of the 1 legacy redirect URIs of azure",
    ],
    "a client that says nothing of legacy URIs": [
      [set("facts.identity.redirects", { google: { told: [now] } })],
      "inconclusive",
      "facts: facts.identity.redirects is not redirect URIs by client",
    ],
    "facts that say nothing of logins": [
      [set("facts.identity.redirects", null)],
      "inconclusive",
      "facts: facts.identity.redirects is not redirect URIs by client",
    ],
    "a phase that the system does not have": [
      [set("facts.phases", ["prepare", "observe", "finalize"])],
      "inconclusive",
      "release v1.1.0: the system has no phase cutover",
    ],
  },
});
