import { defineGate, fail, inconclusive, type Reason } from "../../gate.ts";
import type { Seen } from "../../run.ts";
import { readName } from "../../values.ts";

const certificateType = "aws:acm/certificate:Certificate";

const key = "cutover:identity.certificates";

/**
 * Every name that moves has a certificate, from AWS or from others. One from AWS must be declared, and prove itself by
 * DNS; one from others is theirs to show, and a reading of the system's checklist tells whether they do.
 */
export const certificateDeclared = defineGate({
  id: "certificate-declared",
  about: "told",
  requires: "Every host name that moves has a certificate, and the stack says who issues it.",
  because: "Clients would be sent to a host that they refuse to talk to.",
  severity: "high",
  required: `${key} with kind acm or external for every name of cutover:dns.names`,
  remedy: `add it to ${key}, with kind acm, or external where others issue it`,
  judge: (_told, { identity }, _judge, seen) =>
    Object.entries(identity.certificates).flatMap(([host, kind]) =>
      (judgments[kind] ?? judgments["none"])(host, seen),
    ),
});

type Judgment = (host: string, seen: Seen) => readonly Reason[];

const judgments: Readonly<Record<string, Judgment>> & { readonly none: Judgment } = {
  none: (host) => [fail(`${host} moves and has no certificate`)],
  external: () => [],
  acm: (host, seen) => {
    const own = seen.ofType(certificateType).filter((certificate) => {
      const domain = readName(certificate, "domainName");
      return typeof domain === "object" && domain.name === host;
    });
    const remedy = "run it again without --target and --exclude";
    if (own.length === 0) {
      return [inconclusive(`no declared Certificate is for ${host}`, { remedy })];
    }
    return own.some(({ props }) => props["validationMethod"] === "DNS")
      ? []
      : [
          fail(`the certificate of ${host} does not prove itself by DNS`, {
            required: "validationMethod DNS, which renews by itself",
            remedy: "set it where the certificate is declared, in infra/identity",
          }),
        ];
  },
};
