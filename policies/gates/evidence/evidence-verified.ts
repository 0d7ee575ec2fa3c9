import { defineGate, inconclusive } from "../../gate.ts";

/**
 * Every document in the evidence location can be read, and is signed by somebody whom the pack trusts with it. One that
 * is not proves nothing and closes the way: it may be what is left of something that went wrong.
 */
export const evidenceVerified = defineGate({
  id: "evidence-verified",
  about: "told",
  requires: "Every signed document of the release can be read and trusted.",
  because: "Nobody vouches for what it says.",
  severity: "critical",
  required: "documents signed by signers of policies/trust, each for what it may sign",
  remedy: "find out where it comes from, then sign it again or remove it",
  judge: ({ attested }, facts) => {
    if (attested.trustProblem !== undefined) {
      return [
        inconclusive(`the pack's trusted signers cannot be read: ${attested.trustProblem}`, {
          remedy: "correct the files of policies/trust",
        }),
      ];
    }
    const changed =
      attested.digest === facts.evidenceDigest
        ? []
        : [
            inconclusive("the documents are not those that the facts are about", {
              remedy: "run pulumi up again",
            }),
          ];
    return [
      ...changed,
      ...attested.refused.map(({ document, why }) => inconclusive(`${document}: ${why}`)),
    ];
  },
});
