import { certificateDeclared } from "../../../../policies/gates/identity/certificate-declared.ts";
import { set, testGate, unknown, type Change } from "../../../support/gate-tester.ts";

const host = "orders.example.com";
const none = (name: string): string => `release v1.1.0: ${name} moves and has no certificate`;
const undeclared = `release v1.1.0: no declared Certificate is for ${host}`;
const unproven = `release v1.1.0: the certificate of ${host} does not prove itself by DNS`;

/** Who issues the certificates of the names that move. */
function issuers(certificates: Readonly<Record<string, string>>): Change {
  return set("facts.identity.certificates", certificates);
}

/** A name whose certificate AWS issues, and the certificate that is declared for it. */
function fromAws(change: object = {}): Change[] {
  const props = { domainName: host, validationMethod: "DNS", ...change };
  return [
    issuers({ [host]: "acm" }),
    (world) => {
      world.resources["certificate"] = { type: "aws:acm/certificate:Certificate", props };
    },
  ];
}

testGate(certificateDeclared, {
  needs: [],
  mayRead: ["facts.identity"],
  passes: {
    "one that others issue": [issuers({ [host]: "external" })],
    "one that AWS issues": fromAws(),
    "no name that moves": [issuers({})],
  },
  fails: {
    "a name without one": [[issuers({ [host]: "none" })], "fail", none(host)],
    "one of two names without one": [
      [...fromAws(), issuers({ [host]: "acm", "new.example.com": "" })],
      "fail",
      none("new.example.com"),
    ],
    "a kind that nobody knows": [[issuers({ [host]: "letsencrypt" })], "fail", none(host)],
    "one from AWS that is not declared": [[issuers({ [host]: "acm" })], "inconclusive", undeclared],
    "one from AWS for another name": [
      fromAws({ domainName: "example.com" }),
      "inconclusive",
      undeclared,
    ],
    "one from AWS for a name that is not known yet": [
      fromAws({ domainName: unknown }),
      "inconclusive",
      undeclared,
    ],
    "one that this run leaves out": [
      fromAws({ domainName: undefined, validationMethod: undefined }),
      "inconclusive",
      undeclared,
    ],
    "one that is proven by mail": [fromAws({ validationMethod: "EMAIL" }), "fail", unproven],
    "one that is proven by nothing": [fromAws({ validationMethod: undefined }), "fail", unproven],
    "a proof that is not known yet": [
      fromAws({ validationMethod: unknown }),
      "inconclusive",
      "release v1.1.0: validationMethod is unknown until the update",
    ],
    "facts that say nothing of certificates": [
      [set("facts.identity.certificates", null)],
      "inconclusive",
      "facts: facts.identity.certificates is not texts by name",
    ],
    "facts that say nothing of identity": [
      [set("facts.identity", null)],
      "inconclusive",
      "facts: facts.identity.certificates is not texts by name",
    ],
    "facts that are unknown": [
      [set("facts.identity", unknown)],
      "inconclusive",
      "facts: facts.identity is unknown",
    ],
  },
});
