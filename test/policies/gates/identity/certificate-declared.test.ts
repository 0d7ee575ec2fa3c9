import { certificateDeclared } from "../../../../policies/gates/identity/certificate-declared.ts";
import { set, testGate, unknown, without } from "../../../support/gate-tester.ts";

const found = (host: string): string => `release v1.1.0: ${host} moves and has no certificate`;

testGate(certificateDeclared, {
  needs: ["certificate.validationMethod"],
  names: ["certificate.domainName"],
  mayRead: ["facts.identity"],
  passes: {
    "one that others issue": [
      set("facts.identity.certificates", { "orders.example.com": "external" }),
      without("certificate"),
    ],
    "no name that moves": [set("facts.identity.certificates", {}), without("certificate")],
  },
  fails: {
    "a name without one": [
      [set("facts.identity.certificates", { "orders.example.com": "none" })],
      "fail",
      found("orders.example.com"),
    ],
    "one of two names without one": [
      [set("facts.identity.certificates", { "orders.example.com": "acm", "new.example.com": "" })],
      "fail",
      found("new.example.com"),
    ],
    "a kind that nobody knows": [
      [set("facts.identity.certificates", { "orders.example.com": "letsencrypt" })],
      "fail",
      found("orders.example.com"),
    ],
    "one from AWS that is not declared": [
      [without("certificate")],
      "inconclusive",
      "release v1.1.0: no declared Certificate is for orders.example.com",
    ],
    "one from AWS for another name": [
      [set("certificate.domainName", "example.com")],
      "inconclusive",
      "release v1.1.0: no declared Certificate is for orders.example.com",
    ],
    "one that is proven by mail": [
      [set("certificate.validationMethod", "EMAIL")],
      "fail",
      "release v1.1.0: the certificate of orders.example.com does not prove itself by DNS",
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
