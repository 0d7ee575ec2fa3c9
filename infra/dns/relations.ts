import { dotted, setValue } from "../config-path.ts";
import type { Problem } from "../errors.ts";
import type { DnsConfig, KeptRecord } from "./config.ts";
import { recordForms } from "./record-forms.ts";
import { zoneOf } from "./zones.ts";

/** What single keys of the group `dns` cannot say: every problem between them. */
export function relations(dns: DnsConfig): Problem[] {
  return relationTable.flatMap((relation) => relation(dns));
}

const relationTable: readonly ((dns: DnsConfig) => Problem[])[] = [
  ttlIsLowered,
  namesHaveZones,
  keptRecordsHaveTheirParts,
  keptRecordsLeaveMovedNames,
  keptRecordsDiffer,
  aliasesAreAlone,
  recordsAreAdoptedOnce,
];

function ttlIsLowered({ ttl }: DnsConfig): Problem[] {
  if (ttl.lowered <= ttl.baseline) return [];
  return [
    {
      where: dotted(["dns", "ttl", "lowered"]),
      found: `${ttl.lowered} seconds, above the baseline`,
      required: `at most dns.ttl.baseline (${ttl.baseline} seconds)`,
      todo: setValue(["dns", "ttl", "lowered"], "60"),
    },
  ];
}

function namesHaveZones({ zones, names, kept }: DnsConfig): Problem[] {
  const all = [...new Set([...Object.keys(names), ...kept.map(({ name }) => name)])];
  const homeless = all.filter((name) => zoneOf(name, zones) === undefined);
  return [...new Set(homeless.map(likelyZone))].map((zone) => ({
    where: dotted(["dns", "zones"]),
    found: `no zone that holds ${homeless.filter((name) => likelyZone(name) === zone).join(", ")}`,
    required: "the zone of every name and kept record",
    todo: setValue(["dns", "zones", zone], "<zone id>"),
  }));
}

function keptRecordsHaveTheirParts({ kept }: DnsConfig): Problem[] {
  return kept.flatMap((record, index) =>
    partTable
      .filter(({ isWrong }) => isWrong(record))
      .map(({ part, found, required, todo }) => ({
        where: `${keptPath(index)}.${part}`,
        found: found(record),
        required: required(record),
        todo: todo(`${keptPath(index)}.${part}`, record),
      })),
  );
}

/** A part of a kept record that its type asks for or does not have. */
interface PartRow {
  readonly part: string;
  readonly isWrong: (record: KeptRecord) => boolean;
  readonly found: (record: KeptRecord) => string;
  readonly required: (record: KeptRecord) => string;
  readonly todo: (path: string, record: KeptRecord) => string;
}

const set = (path: string, value: string): string =>
  `pulumi config set --path '${path}' '${value}'`;
const remove = (path: string): string => `pulumi config rm --path '${path}'`;
const titled = ({ type, name }: KeptRecord): string => `${type} record of ${name}`;

const partTable: readonly PartRow[] = [
  {
    part: "caa",
    isWrong: ({ type, caa }) => type === "CAA" && caa === undefined,
    found: (record) => `nothing, in the ${titled(record)}`,
    required: () => "flags, tag and value of the CAA record",
    todo: (path) =>
      ["flags 0", "tag issue", "value letsencrypt.org"]
        .map((part) => `pulumi config set --path '${path}.${part.replace(" ", "' ")}`)
        .join("; "),
  },
  {
    part: "caa",
    isWrong: ({ type, caa }) => type !== "CAA" && caa !== undefined,
    found: (record) => `parts of a CAA record, in the ${titled(record)}`,
    required: () => "a CAA record around them",
    todo: remove,
  },
  {
    part: "content",
    isWrong: ({ type, content }) => type === "CAA" && content !== undefined,
    found: (record) => `a content, in the ${titled(record)}`,
    required: () => "caa with flags, tag and value in its place",
    todo: remove,
  },
  {
    part: "content",
    isWrong: ({ type, content }) => {
      const form = recordForms[type].content;
      return form !== undefined && (content === undefined || !form.fits(content));
    },
    found: (record) => `${record.content ?? "nothing"}, in the ${titled(record)}`,
    required: ({ type }) => recordForms[type].content?.required ?? "",
    todo: (path, { type }) => set(path, recordForms[type].content?.example ?? ""),
  },
  {
    part: "priority",
    isWrong: ({ type, priority }) => recordForms[type].priority && priority === undefined,
    found: (record) => `nothing, in the ${titled(record)}`,
    required: () => "its priority: the lowest is asked first",
    todo: (path) => set(path, "10"),
  },
  {
    part: "priority",
    isWrong: ({ type, priority }) => !recordForms[type].priority && priority !== undefined,
    found: (record) => `a priority, in the ${titled(record)}`,
    required: () => "an MX record around it",
    todo: remove,
  },
  {
    part: "proxied",
    isWrong: ({ type, proxied }) => proxied && !recordForms[type].proxiable,
    found: (record) => `true, in the ${titled(record)}`,
    required: () => "false: only A, AAAA and CNAME records can be proxied",
    todo: (path) => set(path, "false"),
  },
  {
    part: "ttl",
    isWrong: ({ proxied, ttl }) => proxied && ttl !== 1,
    found: (record) => `${record.ttl} seconds, in the ${titled(record)}, which is proxied`,
    required: () => "1: Cloudflare sets the TTL of proxied records",
    todo: (path) => set(path, "1"),
  },
];

/**
 * What answers a client at a moved name beside the moved record. An AAAA record would keep IPv6 clients at the old
 * target; name servers of its own take the name out of the zone.
 */
const answering: readonly KeptRecord["type"][] = ["A", "AAAA", "CNAME", "NS"];

function keptRecordsLeaveMovedNames({ names, kept, zones }: DnsConfig): Problem[] {
  return kept.flatMap((record, index) => {
    const isApex = zoneOf(record.name, zones)?.name === record.name;
    const stands = answering.includes(record.type) && !(record.type === "NS" && isApex);
    if (!stands || !Object.hasOwn(names, record.name)) return [];
    return [
      {
        where: keptPath(index),
        found: `a kept ${titled(record)}, which is a name that moves`,
        required: "nothing beside the moved record that leads clients elsewhere",
        todo: remove(keptPath(index)),
      },
    ];
  });
}

function keptRecordsDiffer({ kept }: DnsConfig): Problem[] {
  return kept.flatMap((record, index) => {
    const first = kept.findIndex((other) => saidBy(other) === saidBy(record));
    if (first === index) return [];
    return [
      {
        where: keptPath(index),
        found: `the same ${titled(record)} as ${keptPath(first)}`,
        required: "each record once",
        todo: remove(keptPath(index)),
      },
    ];
  });
}

/**
 * An alias stands for everything that its name has (RFC 1034, 3.6.2). Cloudflare flattens one at the zone's apex, and a
 * proxied one, into addresses: such a name may have records that are no addresses as well.
 */
function aliasesAreAlone({ kept, zones }: DnsConfig): Problem[] {
  return kept.flatMap((record, index) => {
    const alias = kept.find((other) => other.type === "CNAME" && other.name === record.name);
    if (alias === undefined || alias === record || saidBy(alias) === saidBy(record)) return [];
    const flattened = alias.proxied || zoneOf(alias.name, zones)?.name === alias.name;
    const isAddress = recordForms[record.type].proxiable;
    if (flattened && !isAddress) return [];
    return [
      {
        where: keptPath(index),
        found: `a kept ${titled(record)} beside an alias for ${alias.content ?? "another name"}`,
        required: "an alias alone at its name",
        todo: remove(keptPath(index)),
      },
    ];
  });
}

function recordsAreAdoptedOnce({ names, kept }: DnsConfig): Problem[] {
  const adopting = [
    ...Object.entries(names).map(([host, { adopt }]) => ({
      path: dotted(["dns", "names", host, "adopt"]),
      adopt,
    })),
    ...kept.map(({ adopt }, index) => ({ path: `${keptPath(index)}.adopt`, adopt })),
  ];
  return adopting.flatMap(({ path, adopt }, index) => {
    const first = adopting.findIndex((other) => adopt !== undefined && other.adopt === adopt);
    if (first === -1 || first === index) return [];
    return [
      {
        where: path,
        found: `${adopt ?? ""}, which ${adopting[first]?.path ?? ""} has`,
        required: "a record of its own",
        todo: remove(path),
      },
    ];
  });
}

/** What tells a record from the others of its zone. */
export function saidBy({ name, type, content, caa, priority }: KeptRecord): string {
  const parts = caa === undefined ? [] : [caa.flags, caa.tag, caa.value];
  return JSON.stringify([name, type, content ?? "", priority ?? "", ...parts]);
}

/** Most zones are registered right below a top level; a guess is enough for an example. */
function likelyZone(name: string): string {
  return name.split(".").slice(-2).join(".");
}

function keptPath(index: number): string {
  return `${dotted(["dns", "kept"])}[${index}]`;
}
