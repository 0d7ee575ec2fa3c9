import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import { Component, type StepOptions } from "../component.ts";

/** What a set of records is made from. */
export interface DnsRecordsArgs {
  readonly zoneId: string;
  /** Host names that move together. */
  readonly names: readonly string[];
  /** The IPv4 address that they all answer with. */
  readonly address: string;
  readonly ttlSeconds: number;
}

/** DNS-only address records whose target and TTL follow the phase. Proxied ones would ignore the TTL. */
export class DnsRecords extends Component {
  constructor(name: string, args: DnsRecordsArgs, step: StepOptions) {
    super("dns:DnsRecords", name, step);
    const records = args.names.map((host) => this.#createRecord(name, host, args));
    // What the zone answers, not what was wanted: outputs are written even when a record could not be changed.
    this.registerOutputs({ answers: records.map((record) => record.content) });
  }

  #createRecord(
    name: string,
    host: string,
    { zoneId, address, ttlSeconds }: DnsRecordsArgs,
  ): DnsRecord {
    return new DnsRecord(
      `${name}-${host}`,
      { zoneId, name: host, type: "A", content: address, ttl: ttlSeconds, proxied: false },
      { ...this.child, protect: true },
    );
  }
}
