import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { RefusedError, type ResourceType } from "../../../infra/provider/serve.ts";
import { isFlattened, servedTypes, zoneOf, type ZoneRecord } from "../dns-zone.ts";
import { computedOf, standIn, type Known } from "../kind.ts";
import type { Collection, Store } from "../store.ts";
import { CloudflareError, hexId, newId } from "./api.ts";

/** A DNS record as the zone holds it. */
export interface DnsRecordItem extends ZoneRecord {
  readonly zoneId: string;
  readonly type: (typeof servedTypes)[number];
  readonly comment?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** The records of every zone, by id: what the name server serves. */
export function dnsRecords(store: Store): Collection<DnsRecordItem> {
  return store.collection("cloudflare-dns-records");
}

const dnsRecordInputs = z.strictObject({
  zoneId: hexId,
  // A short name would be completed with the zone's, and differ from the state for ever.
  name: z.string().regex(/^(\*\.)?([\w-]{1,63}\.)+[a-zA-Z][\w-]*$/, {
    error: "must be the full name, with the zone, as in app.example.com",
  }),
  type: z.enum(servedTypes, {
    error: `the rehearsal only has records of types ${servedTypes.join(", ")}`,
  }),
  content: z.string().optional(),
  data: z
    .strictObject({
      flags: z.int().min(0).max(255),
      tag: z.string().min(1),
      value: z.string(),
    })
    .optional(),
  priority: z.int().min(0).max(65_535).optional(),
  ttl: z.number(),
  proxied: z.boolean().default(false),
  comment: z.string().optional(),
  tags: z.array(z.string()).optional(),
});

type DnsRecordInputs = z.output<typeof dnsRecordInputs>;

/**
 * DNS records: served from the moment when they are made. A zone is taken to have a name of two labels, as in
 * `example.com`. An import finds one by `<zone id>/<record id>`.
 */
export function dnsRecordType(records: Collection<DnsRecordItem>): ResourceType {
  return standIn({
    inputs: dnsRecordInputs,
    replaceOn: (name) => name === "zoneId",
    create(inputs) {
      judgeRecord(records, undefined, inputs);
      const id = newId();
      records.set(id, itemOf(inputs));
      const now = new Date().toISOString();
      return Promise.resolve({
        id,
        outputs: { ...computed(inputs), createdOn: now, modifiedOn: now },
      });
    },
    update(olds, inputs) {
      if (records.get(olds.id) === undefined) throw noSuchRecord();
      judgeRecord(records, olds.id, inputs);
      records.set(olds.id, itemOf(inputs));
      const modifiedOn = new Date().toISOString();
      return Promise.resolve({
        ...computedOf(olds, ["createdOn"]),
        ...computed(inputs),
        modifiedOn,
      });
    },
    exists: ({ id }) => records.get(id) !== undefined,
    find: (path) => find(records, path),
    delete({ id }) {
      records.delete(id);
      return Promise.resolve();
    },
  });
}

function itemOf(inputs: DnsRecordInputs): DnsRecordItem {
  return { ...inputs, content: contentOf(inputs) };
}

/** What the API adds to what it was given. */
function computed(inputs: DnsRecordInputs): {
  readonly content: string;
  readonly proxiable: boolean;
} {
  return { content: contentOf(inputs), proxiable: rules[inputs.type].proxiable };
}

/** The content, which the API makes from the parts of a CAA record. */
function contentOf({ content = "", data }: DnsRecordInputs): string {
  return data === undefined ? content : `${data.flags} ${data.tag} "${data.value}"`;
}

function find(records: Collection<DnsRecordItem>, path: string): Known {
  const [zoneId, id, ...more] = path.split("/");
  if (zoneId === undefined || id === undefined || more.length > 0) {
    throw new RefusedError(
      `invalid ID "${path}"; expected urlencoded segments "<zone_id>/<dns_record_id>"`,
    );
  }
  const item = records.get(id);
  if (item?.zoneId !== zoneId) throw noSuchRecord();
  const { content, data, ...rest } = item;
  const inputs = { ...rest, ...(data === undefined ? { content } : { data }) };
  return { id, inputs, outputs: { ...item, proxiable: rules[item.type].proxiable } };
}

function noSuchRecord(): CloudflareError {
  return new CloudflareError("404 Not Found", 81_044, "Record does not exist.");
}

/** What Cloudflare asks of a type. */
interface Rule {
  readonly fits: (content: string) => boolean;
  readonly error: string;
  readonly proxiable: boolean;
  /** Inputs without which there is no such record. */
  readonly needs: readonly ("content" | "data" | "priority")[];
}

const isHost = (content: string): boolean => content.includes(".") && !isIPv4(content);
const plain = { proxiable: false, needs: ["content"] } as const;
const address = { proxiable: true, needs: ["content"] } as const;

const rules: Readonly<Record<DnsRecordItem["type"], Rule>> = {
  A: { ...address, fits: isIPv4, error: "Content for A record must be a valid IPv4 address." },
  AAAA: {
    ...address,
    fits: isIPv6,
    error: "Content for AAAA record must be a valid IPv6 address.",
  },
  CNAME: { ...address, fits: isHost, error: "Content for CNAME record is invalid." },
  NS: { ...plain, fits: isHost, error: "Content for NS record is invalid." },
  MX: {
    fits: isHost,
    error: "Content for MX record must be a hostname.",
    proxiable: false,
    needs: ["content", "priority"],
  },
  TXT: { ...plain, fits: (text) => text !== "", error: "Content for TXT record is invalid." },
  CAA: {
    fits: (content) => /^\d+ (?:issue|issuewild|iodef) "/.test(content),
    error: "Content for CAA record is invalid.",
    proxiable: false,
    needs: ["data"],
  },
};

function judgeRecord(
  records: Collection<DnsRecordItem>,
  id: string | undefined,
  inputs: DnsRecordInputs,
): void {
  const { zoneId, name, type, ttl, proxied } = inputs;
  const content = contentOf(inputs);
  const rule = rules[type];
  const refuse = (code: number, message: string): never => {
    throw new CloudflareError("400 Bad Request", code, message);
  };
  const missing = rule.needs.find((need) => inputs[need] === undefined);
  if (missing !== undefined) refuse(9101, `${missing} is a required data field.`);
  if (!rule.fits(content)) refuse(9005, rule.error);
  if (ttl !== 1 && (!Number.isInteger(ttl) || ttl < 60 || ttl > 86_400)) {
    refuse(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.");
  }
  if (proxied && !rule.proxiable) refuse(9004, "This record type cannot be proxied.");
  if (proxied && ttl !== 1) refuse(9004, "ttl must be set to 1 when proxied is true.");
  const others = records.entries().flatMap(([key, record]) => (key === id ? [] : [record]));
  judgeZone(others, zoneId, name);
  const beside = others.filter(
    (record) => record.zoneId === zoneId && record.name.toLowerCase() === name.toLowerCase(),
  );
  if (beside.some((other) => other.type === type && other.content === content)) {
    refuse(81_058, "An identical record already exists.");
  }
  // A name with an alias has nothing else: RFC 1034, 3.6.2. One that is flattened has no alias for who asks.
  const item = itemOf(inputs);
  for (const other of beside) {
    if (type === "CNAME" && !goTogether(item, other)) {
      refuse(81_053, "An A, AAAA, or CNAME record with that host already exists.");
    }
    if (other.type === "CNAME" && !goTogether(other, item)) {
      refuse(81_054, "A CNAME record with that host already exists.");
    }
  }
}

function goTogether(alias: DnsRecordItem, other: DnsRecordItem): boolean {
  return isFlattened(alias) && !rules[other.type].proxiable && other.type !== "NS";
}

/** Cloudflare would take a name from elsewhere for a short one, and hang it below the zone's. */
function judgeZone(others: readonly DnsRecordItem[], zoneId: string, name: string): void {
  const known = others.find((record) => record.zoneId === zoneId);
  if (known === undefined || zoneOf(known.name) === zoneOf(name)) return;
  throw new RefusedError(
    `zone ${zoneId} holds names of ${zoneOf(known.name)}, and ${name} is none of them; the rehearsal does not imitate ` +
      `${name}.${zoneOf(known.name)}. To do: give it the id of ${zoneOf(name)}`,
  );
}
