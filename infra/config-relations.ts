import { countsFromPlan } from "../policies/contract/phase.ts";
import { stepIds } from "../policies/contract/steps.ts";
import { alarmRelations } from "./alarms/relations.ts";
import { backupRelations } from "./backups/relations.ts";
import { bucketRelations } from "./buckets/relations.ts";
import type { Config } from "./config.ts";
import { dotted, removeValue, setSecret, setValue } from "./config-path.ts";
import { databaseRelations } from "./databases/relations.ts";
import { relations as dnsRelations } from "./dns/relations.ts";
import type { Problem } from "./errors.ts";
import { identityRelations } from "./identity/relations.ts";
import { legacyPortSaid, legacyRelations } from "./legacy/relations.ts";
import { phasesOf } from "./release/phases.ts";
import { secretRelations } from "./secrets/relations.ts";
import { startOrder } from "./services/start-order.ts";

/** What single keys of the stack config cannot say: every problem between them. */
export function relations(config: Config): Problem[] {
  return relationTable.flatMap((relation) => relation(config));
}

/** One relation between keys. */
type Relation = (config: Config) => Problem[];

const relationTable: readonly Relation[] = [
  ({ dns }) => dnsRelations(dns),
  bucketRelations,
  secretRelations,
  alarmRelations,
  backupRelations,
  databaseRelations,
  legacyRelations,
  legacyPortSaid,
  identityRelations,
  webhooksFitAnnouncements,
  addressesDiffer,
  portsDiffer,
  servicesHavePlaces,
  unitsHaveHosts,
  servicesStartInOrder,
  platformStandsAlone,
  slotsShareNoVolumes,
  namesAreFree,
  namesHaveServices,
  jobsHaveImages,
  secretsAreDeclared,
  databaseIsComplete,
  timesFitPhases,
];

function webhooksFitAnnouncements({ announcements, webhooks }: Config): Problem[] {
  const where = (name: string): string => dotted(["webhooks", name]);
  return [
    ...Object.keys(announcements)
      .filter((name) => !Object.hasOwn(webhooks, name))
      .map((name) => ({
        where: where(name),
        found: `nothing, but there is an announcement ${name}`,
        required: "a webhook for every announcement",
        todo: setSecret(["webhooks", name]),
      })),
    ...Object.keys(webhooks)
      .filter((name) => !Object.hasOwn(announcements, name))
      .map((name) => ({
        where: where(name),
        found: `a webhook, but no announcement ${name}`,
        required: "an announcement for every webhook",
        todo: removeValue(["webhooks", name]),
      })),
  ];
}

function addressesDiffer({ slots, legacy }: Config): Problem[] {
  if (slots === undefined) return [];
  const targets = [slots.blue, slots.green, ...(legacy === undefined ? [] : [legacy.address])];
  if (new Set(targets).size === targets.length) return [];
  const required = legacy === undefined ? "two different addresses" : "three different addresses";
  return [
    {
      where: dotted(["slots"]),
      found: targets.join(", "),
      required: `${required} for ${["blue", "green", ...(legacy === undefined ? [] : ["legacy"])].join(", ")}`,
      todo: setValue(["slots", "green"], "203.0.113.20"),
    },
  ];
}

/** Two processes cannot listen on one port of one address. */
function portsDiffer({ services, slots, database }: Config): Problem[] {
  const taken = new Map<string, string>();
  if (database.kind === "container") taken.set(`${database.address}:${database.port}`, "database");
  return Object.entries(services).flatMap(([name, { placement, address, port }]) => {
    const inSlots = slots === undefined ? [] : [slots.blue, slots.green];
    const at = placement === "two-slot" ? inSlots : address === undefined ? [] : [address];
    const places = at.map((one) => `${one}:${port}`);
    const place = places.find((one) => taken.has(one));
    places.forEach((one) => taken.set(one, taken.get(one) ?? name));
    if (place === undefined) return [];
    return [
      {
        where: dotted(["services", name, "port"]),
        found: `${port}, which ${taken.get(place) ?? ""} has at ${place}`,
        required: "a port of its own",
        todo: setValue(["services", name, "port"], String(port + 1)),
      },
    ];
  });
}

function servicesHavePlaces({ services, slots }: Config): Problem[] {
  return Object.entries(services).flatMap(([name, service]): Problem[] => {
    const { placement, address, image, systemd } = service;
    if (placement === "two-slot") {
      const stays = image === undefined ? systemd && "a unit of systemd" : "an image of its own";
      if (stays !== undefined) {
        return [
          {
            where: dotted(["services", name, "placement"]),
            found: `two-slot, but ${name} has ${stays}`,
            required: "in-place: it does not change with the slot",
            todo: setValue(["services", name, "placement"], "in-place"),
          },
        ];
      }
      if (slots !== undefined) return [];
      return [
        {
          where: dotted(["slots"]),
          found: `nothing, but ${name} is placed in two slots`,
          required: "the addresses of the two slots",
          todo: setValue(["slots", "blue"], "203.0.113.10"),
        },
      ];
    }
    if (address !== undefined) return [];
    return [
      {
        where: dotted(["services", name, "address"]),
        found: `nothing, but ${name} stays in place`,
        required: "the address at which it stays",
        todo: setValue(["services", name, "address"], "203.0.113.10"),
      },
    ];
  });
}

/** systemd is told over SSH what to run. */
function unitsHaveHosts({ services, hosts }: Config): Problem[] {
  return Object.entries(services).flatMap(([name, { placement, address, systemd }]) => {
    if (systemd === undefined || placement !== "in-place" || address === undefined) return [];
    const host = hosts[address];
    if (host?.startsWith("ssh://") === true) return [];
    return [
      {
        where: dotted(["hosts", address]),
        found: host ?? `nothing, but systemd runs ${name} there`,
        required: "ssh://user@host:port of the host whose systemd runs it",
        todo: setValue(["hosts", address], `ssh://deploy@${address}:22`),
      },
    ];
  });
}

function servicesStartInOrder({ services }: Config): Problem[] {
  const unknown = Object.entries(services).flatMap(([name, { dependsOn }]) =>
    dependsOn
      .filter((other) => !Object.hasOwn(services, other))
      .map((other) => ({
        where: dotted(["services", name, "dependsOn"]),
        found: `${other}, which is no service`,
        required: `names of services: ${Object.keys(services).join(", ")}`,
        todo: `correct or remove ${other} there`,
      })),
  );
  const { circle } = startOrder(services);
  if (circle === undefined) return unknown;
  return [
    ...unknown,
    {
      where: dotted(["services", circle[0] ?? "", "dependsOn"]),
      found: `a circle: ${circle.join(" waits for ")}`,
      required: "an order in which one service can start first",
      todo: `remove one of ${circle.slice(1).join(", ")} from a dependsOn of the circle`,
    },
  ];
}

/** What has an image of its own is there before any release, so it cannot wait for a service of one. */
function platformStandsAlone({ services }: Config): Problem[] {
  const released = releasedServices(services);
  return Object.entries(services)
    .filter(([name]) => !released.includes(name))
    .flatMap(([name, { dependsOn }]) =>
      dependsOn
        .filter((other) => released.includes(other))
        .map((other) => ({
          where: dotted(["services", name, "dependsOn"]),
          found: `${other}, which a release starts, but ${name} has an image of its own`,
          required: "services with an image of their own: they stand before any release",
          todo: `remove ${other} there`,
        })),
    );
}

/** What a release writes beside the database would stay behind in its slot, and end with it. */
function slotsShareNoVolumes({ services }: Config): Problem[] {
  return Object.entries(services)
    .filter(
      ([, { placement, volumes }]) => placement === "two-slot" && Object.keys(volumes).length > 0,
    )
    .map(([name, { volumes }]) => ({
      where: dotted(["services", name, "volumes"]),
      found: `${Object.keys(volumes).join(", ")}, but ${name} is placed in two slots`,
      required: "none: the other slot would not have what was written there",
      todo: removeValue(["services", name, "volumes"]),
    }));
}

/** A service's name becomes a step's. */
function namesAreFree({ services, jobs }: Config): Problem[] {
  const rows = [
    ...Object.keys(services).map((name) => ["services", name] as const),
    ...Object.keys(jobs).map((name) => ["jobs", name] as const),
  ];
  return rows
    .filter(
      ([table, name]) =>
        stepIds.some((id) => id === name) || (table === "jobs" && Object.hasOwn(services, name)),
    )
    .map(([table, name]) => ({
      where: dotted([table, name]),
      found: `the name ${name}, which a step or a service has`,
      required: "a name of its own",
      todo: `give it another name, such as ${name}-${table === "jobs" ? "job" : "service"}`,
    }));
}

function namesHaveServices({ dns, services }: Config): Problem[] {
  return Object.entries(dns.names)
    .filter(
      ([, { service }]) =>
        services[service]?.image !== undefined || !Object.hasOwn(services, service),
    )
    .map(([host, { service }]) => ({
      where: dotted(["dns", "names", host, "service"]),
      found: `${service}, which is no service of a release`,
      required: `one of ${releasedServices(services).join(", ")}`,
      todo: setValue(["dns", "names", host, "service"], releasedServices(services)[0] ?? "web"),
    }));
}

function jobsHaveImages({ jobs, services }: Config): Problem[] {
  return Object.entries(jobs)
    .filter(([, { image }]) => !releasedServices(services).includes(image))
    .map(([name, { image }]) => ({
      where: dotted(["jobs", name, "image"]),
      found: `${image}, which is no service of a release`,
      required: `one of ${releasedServices(services).join(", ")}`,
      todo: setValue(["jobs", name, "image"], releasedServices(services)[0] ?? "api"),
    }));
}

function secretsAreDeclared({ services, secrets }: Config): Problem[] {
  return Object.entries(services).flatMap(([name, service]) =>
    Object.entries(service.secrets)
      .filter(([, secret]) => !Object.hasOwn(secrets, secret))
      .map(([variable, secret]) => ({
        where: dotted(["services", name, "secrets", variable]),
        found: `${secret}, which is no secret`,
        required: `a name in cutover:secrets: ${Object.keys(secrets).join(", ") || "none yet"}`,
        todo: `add ${secret} to cutover:secrets`,
      })),
  );
}

function databaseIsComplete({ database, databasePassword, backups }: Config): Problem[] {
  const problems: Problem[] = [];
  const fromConfig = database.kind === "container" || database.password === "config";
  if (fromConfig && databasePassword === undefined) {
    problems.push({
      where: dotted(["databasePassword"]),
      found: "nothing",
      required: "a secret of at least 12 characters",
      todo: setSecret(["databasePassword"]),
    });
  }
  if (!fromConfig && databasePassword !== undefined) {
    problems.push({
      where: dotted(["databasePassword"]),
      found: `a password, but database.password is ${database.password}`,
      required: "one place that the password comes from",
      todo: removeValue(["databasePassword"]),
    });
  }
  if (database.kind === "rds" && backups === undefined) {
    problems.push({
      where: dotted(["backups"]),
      found: "nothing, but the database is on RDS",
      required: "the vault of its backups",
      todo: setValue(["backups", "vault"], database.identifier),
    });
  }
  return problems;
}

function timesFitPhases(config: Config): Problem[] {
  const known = phasesOf(config);
  const foreign = Object.keys(config.notBefore)
    .filter((phase) => !known.some((one) => one === phase))
    .map((phase) => ({
      where: dotted(["notBefore", phase]),
      found: "a phase that this system does not have",
      required: `one of ${known.join(", ")}`,
      todo: removeValue(["notBefore", phase]),
    }));
  const planned = known.filter((phase) => {
    const offset = config.notBefore[phase];
    return offset !== undefined && countsFromPlan(phase, offset);
  });
  if (planned.length === 0 || config.cutoverAt !== undefined) return foreign;
  return [
    ...foreign,
    {
      where: dotted(["cutoverAt"]),
      found: `nothing, but notBefore of ${planned.join(", ")} counts from the planned cutover`,
      required: "when the cutover is to begin",
      todo: "pulumi config set cutoverAt 2026-12-01T02:00:00Z",
    },
  ];
}

/** The services whose image comes from the release. */
function releasedServices(services: Config["services"]): string[] {
  return Object.entries(services)
    .filter(([, { image }]) => image === undefined)
    .map(([name]) => name);
}
