import { createHash } from "node:crypto";
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import { Component, type StepOptions } from "../component.ts";
import { adoption, changesOnlyTtl, lookAtUpdates } from "./adoption.ts";
import type { DnsConfig, KeptRecord } from "./config.ts";
import { saidBy } from "./relations.ts";
import { knownZone } from "./zones.ts";

/** What the kept records are made from. */
export interface KeptRecordsArgs {
  readonly dns: Pick<DnsConfig, "zones" | "kept">;
}

/**
 * Records that no release changes. Each is known by what it says, so that their order means nothing; one that says
 * something else is another record, and the old one must be unprotected by hand before it goes. Of one that is there
 * only the TTL can be changed.
 */
export class KeptRecords extends Component {
  constructor(name: string, { dns }: KeptRecordsArgs, step: StepOptions) {
    super("dns:KeptRecords", name, step);
    for (const record of dns.kept) this.#createRecord(name, record, dns.zones);
    this.registerOutputs();
  }

  #createRecord(name: string, record: KeptRecord, zones: DnsConfig["zones"]): DnsRecord {
    const zone = knownZone(record.name, zones);
    const own = keptRecordName(name, record);
    return new DnsRecord(
      own,
      {
        zoneId: zone.id,
        name: record.name,
        type: record.type,
        ...answerOf(record),
        ttl: record.ttl,
        proxied: record.proxied,
      },
      {
        ...this.child,
        ...adoption(zone, record.adopt),
        hooks: lookAtUpdates(this.child.hooks, `changes only its TTL: ${own}`, changesOnlyTtl(own)),
        protect: true,
      },
    );
  }
}

/** The program's name of a kept record, which follows from what it says. */
export function keptRecordName(name: string, record: KeptRecord): string {
  return `${name}-${record.name}-${record.type.toLowerCase()}-${shortDigest(saidBy(record))}`;
}

function answerOf({ content, caa, priority }: KeptRecord): {
  readonly content?: string;
  readonly data?: NonNullable<KeptRecord["caa"]>;
  readonly priority?: number;
} {
  return {
    ...(content === undefined ? {} : { content }),
    ...(caa === undefined ? {} : { data: caa }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function shortDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
