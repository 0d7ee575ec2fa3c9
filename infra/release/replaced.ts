import { isDeepStrictEqual } from "node:util";
import type { ReplacedFacts } from "../../policies/contract/facts.ts";
import { keptRecordName } from "../dns/kept-records.ts";
import { zoneOf } from "../dns/zones.ts";
import { acmHosts, certificateNames } from "../identity/acm-hosts.ts";
import type { Config } from "../config.ts";

/** A resource as the stack's own state has it. */
export interface StateResource {
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** A resource that must stay, as this run is about to declare it. */
interface Staying {
  readonly type: string;
  readonly name: string;
  /** As an operator would call it. */
  readonly resource: string;
  /** Every property that only a replacement can change, with where the stack config says it. */
  readonly fixed: readonly {
    readonly property: string;
    readonly value: unknown;
    readonly key: string;
  }[];
}

const types = {
  database: "aws:rds/instance:Instance",
  volume: "docker:index/volume:Volume",
  vault: "aws:backup/vault:Vault",
  bucket: "aws:s3/bucket:Bucket",
  archive: "cloudflare:index/r2Bucket:R2Bucket",
  secret: "aws:secretsmanager/secret:Secret",
  record: "cloudflare:index/dnsRecord:DnsRecord",
  certificate: "aws:acm/certificate:Certificate",
} as const;

/** The key of the stack, which a database has whose stack config names none. */
const ownKey = { type: "aws:kms/key:Key", name: "encryption-key" };

/**
 * What a run would replace or drop that must stay: databases with their volumes, vaults, buckets, secrets and records.
 * The engine says so only in the middle of the update, and the policy pack sees neither the state nor a deletion.
 *
 * @param state the resources of the stack's own state
 */
export function replacedBy(config: Config, state: readonly StateResource[]): ReplacedFacts[] {
  const staying = tables.flatMap((table) => table(config, state));
  const watched: readonly string[] = Object.values(types);
  const replaced = staying.flatMap(({ type, name, resource, fixed }) => {
    const before = state.find((one) => one.type === type && one.name === name);
    if (before === undefined) return [];
    return fixed
      .filter(({ property, value }) => differs(before.outputs[property], value))
      .map(({ property, key }) => ({ resource, property, key }));
  });
  const dropped = state
    .filter(({ type }) => watched.includes(type))
    .filter(({ type, name }) => !staying.some((one) => one.type === type && one.name === name))
    .map(({ type, name }) => ({ resource: `${wordOf(type)} ${name}`, property: null, key: null }));
  return [...replaced, ...dropped];
}

/** What the state does not know is nothing that a run could change. */
function differs(before: unknown, after: unknown): boolean {
  return before !== undefined && after !== undefined && !isDeepStrictEqual(before, after);
}

function wordOf(type: string): string {
  return Object.entries(types).find(([, token]) => token === type)?.[0] ?? "resource";
}

/** The resources that must stay, by where the stack config has them. */
const tables: readonly ((config: Config, state: readonly StateResource[]) => Staying[])[] = [
  databases,
  volumes,
  vaults,
  buckets,
  secrets,
  records,
  certificates,
];

function databases({ database }: Config, state: readonly StateResource[]): Staying[] {
  if (database.kind !== "rds") return [];
  const { identifier, name, username, storageEncrypted, kmsKeyArn, adopt } = database;
  const own = state.find((one) => one.type === ownKey.type && one.name === ownKey.name);
  return [
    {
      type: types.database,
      name: "database-instance",
      resource: `database ${identifier}`,
      fixed: [
        { property: "identifier", value: identifier, key: "database.identifier" },
        // An instance that is taken over keeps the name that it has, and its key where the stack config names none.
        { property: "dbName", value: adopt ? undefined : name, key: "database.name" },
        { property: "username", value: username, key: "database.username" },
        { property: "storageEncrypted", value: storageEncrypted, key: "database.storageEncrypted" },
        {
          property: "kmsKeyId",
          value: kmsKeyArn ?? (adopt ? undefined : own?.outputs["arn"]),
          key: "database.kmsKeyArn",
        },
      ],
    },
  ];
}

function volumes({ system, database, services }: Config): Staying[] {
  const own = database.kind === "container" ? [["database", "data"] as const] : [];
  const others = Object.entries(services)
    .filter(([, { image }]) => image !== undefined)
    .flatMap(([name, service]) =>
      Object.keys(service.volumes).map((volume) => [name, volume] as const),
    );
  return [...own, ...others].map(([name, volume]) => ({
    type: types.volume,
    name: `${name}-${volume}`,
    resource: `volume ${system}-${name}-${volume}`,
    fixed: [{ property: "name", value: `${system}-${name}-${volume}`, key: "system" }],
  }));
}

function vaults({ backups }: Config): Staying[] {
  if (backups === undefined) return [];
  return [
    {
      type: types.vault,
      name: "backups-vault",
      resource: `backup vault ${backups.vault}`,
      fixed: [{ property: "name", value: backups.vault, key: "backups.vault" }],
    },
  ];
}

function buckets({ buckets: table }: Config): Staying[] {
  return Object.entries(table).map(([row, bucket]) => {
    const key = (name: string): string => `buckets.${row}.${name}`;
    const isS3 = bucket.store === "s3";
    return {
      type: isS3 ? types.bucket : types.archive,
      name: `${row}-bucket`,
      resource: `bucket ${row}`,
      fixed: isS3
        ? [
            { property: "bucket", value: bucket.name, key: key("name") },
            {
              property: "objectLockEnabled",
              value: bucket.objectLockDays !== undefined,
              key: key("objectLockDays"),
            },
          ]
        : [
            { property: "name", value: bucket.name, key: key("name") },
            { property: "accountId", value: bucket.accountId, key: key("accountId") },
          ],
    };
  });
}

function secrets({ secrets: table }: Config): Staying[] {
  return Object.entries(table).flatMap(([row, secret]) =>
    secret.store === "secrets-manager"
      ? [
          {
            type: types.secret,
            name: `${row}-secret`,
            resource: `secret ${row}`,
            fixed: [{ property: "name", value: secret.name, key: `secrets.${row}.name` }],
          },
        ]
      : [],
  );
}

function certificates({ dns, identity }: Config): Staying[] {
  return acmHosts(identity?.certificates ?? {}).flatMap((host) => {
    const { certificate, record } = certificateNames("certificates", host);
    const zoneId = zoneOf(host, dns.zones)?.id;
    return [
      { type: types.certificate, name: certificate, resource: `certificate ${host}`, fixed: [] },
      {
        type: types.record,
        name: record,
        resource: `validation record of ${host}`,
        fixed: [{ property: "zoneId", value: zoneId, key: "dns.zones" }],
      },
    ];
  });
}

function records({ dns }: Config): Staying[] {
  const zoneId = (host: string): string | undefined => zoneOf(host, dns.zones)?.id;
  const moved = Object.keys(dns.names).map((host) => ({
    type: types.record,
    name: `dns-${host}`,
    resource: `record ${host}`,
    fixed: [{ property: "zoneId", value: zoneId(host), key: "dns.zones" }],
  }));
  const kept = dns.kept.map((record) => ({
    type: types.record,
    name: keptRecordName("dns-kept", record),
    resource: `record ${record.type} of ${record.name}`,
    fixed: [{ property: "zoneId", value: zoneId(record.name), key: "dns.zones" }],
  }));
  return [...moved, ...kept];
}
