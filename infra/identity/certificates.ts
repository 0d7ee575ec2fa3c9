import { Certificate } from "@pulumi/aws/acm/certificate.js";
import { CertificateValidation } from "@pulumi/aws/acm/certificateValidation.js";
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type StepOptions } from "../component.ts";
import type { DnsConfig } from "../dns/config.ts";
import { knownZone } from "../dns/zones.ts";
import { acmHosts, certificateNames } from "./acm-hosts.ts";
import type { IdentityConfig } from "./config.ts";

/** What the certificates are made from. */
export interface CertificatesArgs {
  readonly certificates: IdentityConfig["certificates"];
  readonly zones: DnsConfig["zones"];
}

/**
 * Seconds that the validation record lives. Nobody but ACM asks for it, once when the certificate is issued and once
 * for each renewal, so the shortest that Cloudflare takes costs nothing.
 */
const recordTtlSeconds = 60;

/**
 * A certificate of ACM for every host that asks for one, proven by a record in the host's zone and waited for until it
 * is issued. The record stays: ACM renews by itself for as long as it finds it.
 */
export class Certificates extends Component {
  /** The ARN of each certificate by its host, once it is issued. */
  readonly arns: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, { certificates, zones }: CertificatesArgs, step: StepOptions) {
    super("identity:Certificates", name, step);
    const hosts = acmHosts(certificates);
    this.arns = Object.fromEntries(hosts.map((host) => [host, this.#issue(name, host, zones)]));
    this.registerOutputs({ arns: this.arns });
  }

  #issue(name: string, host: string, zones: DnsConfig["zones"]): pulumi.Output<string> {
    const names = certificateNames(name, host);
    const certificate = new Certificate(
      names.certificate,
      { domainName: host, validationMethod: "DNS" },
      { ...this.child, protect: true },
    );
    const record = this.#prove(names.record, certificate, knownZone(host, zones).id);
    const validation = new CertificateValidation(
      names.validation,
      { certificateArn: certificate.arn, validationRecordFqdns: [record.name] },
      this.after(record),
    );
    return validation.certificateArn;
  }

  #prove(name: string, certificate: Certificate, zoneId: string): DnsRecord {
    const asked = certificate.domainValidationOptions.apply(([option]) => ({
      name: withoutDot(option?.resourceRecordName),
      type: option?.resourceRecordType ?? "",
      content: withoutDot(option?.resourceRecordValue),
    }));
    return new DnsRecord(
      name,
      {
        zoneId,
        name: asked.name,
        type: asked.type,
        content: asked.content,
        ttl: recordTtlSeconds,
        proxied: false,
      },
      { ...this.child, protect: true },
    );
  }
}

/** ACM ends names with a dot, Cloudflare gives them back without one. */
function withoutDot(text = ""): string {
  return text.replace(/\.$/, "");
}
