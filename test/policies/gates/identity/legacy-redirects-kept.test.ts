import type { Phase } from "../../../../policies/contract/phase.ts";
import { legacyRedirectsKept } from "../../../../policies/gates/identity/legacy-redirects-kept.ts";
import { set, testGate, unset, type Change } from "../../../support/gate-tester.ts";

const now = "https://orders.example.com/auth/callback";
const old = "https://old.example.com/auth/callback";
const older = "https://old.example.com/oauth";

/** Client `google` in a phase: what it is told, and what of it is legacy. */
function told(phase: Phase, uris: readonly string[], legacy: readonly string[] = [old]): Change[] {
  return [
    set("facts.phase", phase),
    set("facts.identity.redirects", { google: { legacy, told: uris } }),
  ];
}

const withoutLegacySystem = set("facts.phases", ["prepare", "cutover", "observe", "finalize"]);

testGate(legacyRedirectsKept, {
  needs: ["facts.phases"],
  mayRead: ["facts.phase", "facts.identity"],
  passes: {
    "kept while the release is watched": told("observe", [now, old]),
    "not yet a matter before the cutover": told("prepare", [now]),
    "kept in finalize": told("finalize", [now, old]),
    "taken away in finalize": told("finalize", [now]),
    "gone with the legacy system": told("decommission", [now]),
    "gone in the last phase of a system without a legacy one": [
      ...told("finalize", [now]),
      withoutLegacySystem,
    ],
    "no legacy URI at all": told("cutover", [now], []),
    "no client": [set("facts.identity.redirects", {})],
  },
  fails: {
    "gone in the cutover": [
      told("cutover", [now]),
      "fail",
      "release v1.1.0: services are told 0 of 1 legacy redirect URI of google",
    ],
    "one of two gone while the release is watched": [
      told("observe", [now, old], [old, older]),
      "fail",
      "release v1.1.0: services are told 1 of 2 legacy redirect URIs of google",
    ],
    "there still, though the legacy system goes": [
      told("decommission", [now, old]),
      "fail",
      "release v1.1.0: services are still told 1 of 1 legacy redirect URI of google",
    ],
    "there still in the last phase of a system without a legacy one": [
      [...told("finalize", [now, old]), withoutLegacySystem],
      "fail",
      "release v1.1.0: services are still told 1 of 1 legacy redirect URI of google",
    ],
    "a client that says nothing of legacy URIs": [
      [unset("facts.identity.redirects.google.legacy")],
      "inconclusive",
      "facts: facts.identity.redirects is not redirect URIs by client",
    ],
    "a phase that the system does not have": [
      [set("facts.phase", "lower-ttl"), withoutLegacySystem],
      "inconclusive",
      "release v1.1.0: the system has no phase lower-ttl",
    ],
  },
});
