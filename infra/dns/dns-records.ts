import type { ResourceHookBinding } from "@pulumi/pulumi";
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import { Component, type StepOptions } from "../component.ts";
import { adoption, changesOnlyFrom, lookAtUpdates } from "./adoption.ts";
import type { DnsConfig } from "./config.ts";
import { knownZone } from "./zones.ts";

/** What the records of the moved names are made from. */
export interface DnsRecordsArgs {
  readonly dns: DnsConfig;
  /** The IPv4 address that a name answers with. */
  readonly addressOf: (host: string) => string;
  /** The addresses that a name which was adopted may be changed from. */
  readonly knownAddresses: (host: string) => readonly string[];
  /** How long answers of the names that are not proxied live. */
  readonly ttlSeconds: number;
}

/** What Cloudflare calls an automatic TTL: the only one that it takes for a proxied record. */
const automaticTtl = 1;

/**
 * Address records whose target follows the phase, and whose TTL does where no proxy answers. A proxied one carries the
 * reason for it as its comment.
 */
export class DnsRecords extends Component {
  constructor(name: string, args: DnsRecordsArgs, step: StepOptions) {
    super("dns:DnsRecords", name, step);
    const records = Object.keys(args.dns.names).map((host) => this.#createRecord(name, host, args));
    // What the zone answers, not what was wanted: outputs are written even when a record could not be changed.
    this.registerOutputs({ answers: records.map((record) => record.content) });
  }

  #createRecord(
    name: string,
    host: string,
    { dns, addressOf, knownAddresses, ttlSeconds }: DnsRecordsArgs,
  ): DnsRecord {
    const { proxied, adopt } = dns.names[host] ?? {};
    const zone = knownZone(host, dns.zones);
    return new DnsRecord(
      `${name}-${host}`,
      {
        zoneId: zone.id,
        name: host,
        type: "A",
        content: addressOf(host),
        ...(proxied === undefined
          ? { ttl: ttlSeconds, proxied: false }
          : { ttl: automaticTtl, proxied: true, comment: proxied }),
      },
      {
        ...this.child,
        ...adoption(zone, adopt),
        ...(adopt === undefined ? {} : { hooks: this.#hooksFor(host, knownAddresses(host)) }),
        protect: true,
      },
    );
  }
  #hooksFor(host: string, known: readonly string[]): ResourceHookBinding {
    const name = `changes only from known addresses: ${host}`;
    return lookAtUpdates(this.child.hooks, name, changesOnlyFrom(host, known));
  }
}
