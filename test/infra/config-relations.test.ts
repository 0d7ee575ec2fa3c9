import { describe, expect, test } from "vitest";
import { relations } from "../../infra/config-relations.ts";
import type { Config } from "../../infra/config.ts";
import { databaseConfig } from "../../infra/databases/config.ts";
import { identityConfig } from "../../infra/identity/config.ts";
import type { Problem } from "../../infra/errors.ts";
import { jobConfig, serviceConfig, type ServiceConfig } from "../../infra/services/config.ts";
import { sampleConfig } from "../support/config.ts";

const image = `registry.example.com/redis@sha256:${"0".repeat(64)}`;
const sample = sampleConfig();

const container = databaseConfig.parse({
  kind: "container",
  name: "flagship",
  username: "flagship",
  engineVersion: "18.1",
  address: "203.0.113.50",
  port: 5432,
  image,
  memoryMib: 1024,
  dumps: { bucket: "documents", keepDays: 30 },
});

/** A row of the table `services`. */
function row(settings: object = {}): ServiceConfig {
  return serviceConfig.parse({ port: 9000, ...settings });
}

/** The production stack's services, with others beside or in place of them. */
function services(more: Record<string, ServiceConfig>): Pick<Config, "services"> {
  return { services: { ...sample.services, ...more } };
}

function jobs(more: Record<string, object>): Pick<Config, "jobs"> {
  const common = { step: "data-jobs", image: "api", command: ["run"], deadlineSeconds: 60 };
  const rows = Object.entries(more).map(
    ([name, settings]) => [name, jobConfig.parse({ ...common, ...settings })] as const,
  );
  return { jobs: Object.fromEntries(rows) };
}

function problemsOf(changes: Partial<Config>): Problem[] {
  return relations(sampleConfig(changes));
}

test("the production stack has no problem", () => {
  expect(relations(sample)).toEqual([]);
});

describe("tables that have relations of their own are asked", () => {
  test.each<[string, Partial<Config>, string]>([
    [
      "dns: a name in no zone",
      { dns: { ...sample.dns, zones: {} }, identity: undefined },
      "cutover:dns.zones",
    ],
    [
      "identity: a certificate for a host in no zone",
      {
        identity: identityConfig.parse({
          certificates: { "app.example.net": { kind: "external" } },
        }),
      },
      'cutover:identity.certificates["app.example.net"]',
    ],
    [
      "legacy: names that lead to several ports",
      {
        dns: {
          ...sample.dns,
          names: { ...sample.dns.names, "api.example.com": { service: "api" } },
        },
      },
      "cutover:legacy.port",
    ],
    [
      "database: an upgrade to the version that it has",
      { database: databaseConfig.parse({ ...sample.database, upgradeTo: "18.1" }) },
      "cutover:database.upgradeTo",
    ],
    [
      "buckets: access logs to no bucket",
      {
        buckets: {
          documents: {
            ...(sample.buckets["documents"] as never as object),
            accessLogTo: "nowhere",
          },
        } as never,
      },
      "cutover:buckets.documents.accessLogTo",
    ],
    [
      "secrets: one name twice",
      {
        secrets: {
          jwt: { store: "secrets-manager", name: "app/jwt", rotateDays: 90 },
          copy: { store: "secrets-manager", name: "app/jwt", rotateDays: 90 },
        },
      },
      "cutover:secrets.copy.name",
    ],
    [
      "alarms: nobody is told",
      { alarms: { topic: "alarms", receivers: {}, rules: {}, dashboard: true } },
      "cutover:alarms.receivers",
    ],
    [
      "backups: kept shorter than locked",
      { backups: { vault: "v1", lockMinRetentionDays: 14, keepDays: 13, schedule: "cron(0)" } },
      "cutover:backups.keepDays",
    ],
  ])("%s", (_, changes, where) => {
    expect(problemsOf(changes).map((problem) => problem.where)).toEqual([where]);
  });
});

describe("addresses", () => {
  const { blue } = sample.slots as NonNullable<Config["slots"]>;
  const { legacy: _gone, ...withoutLegacy } = sample;

  test("of slots and the legacy system are three", () => {
    expect(problemsOf({ slots: { blue, green: "203.0.113.30" } })).toEqual([
      {
        where: "cutover:slots",
        found: "203.0.113.10, 203.0.113.30, 203.0.113.30",
        required: "three different addresses for blue, green, legacy",
        todo: "pulumi config set --path 'cutover:slots.green' '203.0.113.20'",
      },
    ]);
  });

  test("of slots alone are two", () => {
    expect(relations({ ...withoutLegacy, slots: { blue, green: blue } })).toMatchObject([
      { where: "cutover:slots", required: "two different addresses for blue, green" },
    ]);
    expect(relations(withoutLegacy)).toEqual([]);
  });
});

describe("ports", () => {
  test("no two services of the slots have the same", () => {
    expect(problemsOf(services({ mailer: row({ port: 8080 }) }))).toEqual([
      {
        where: "cutover:services.mailer.port",
        found: "8080, which web has at 203.0.113.10:8080",
        required: "a port of its own",
        todo: "pulumi config set --path 'cutover:services.mailer.port' '8081'",
      },
    ]);
  });

  test("one that stays in place has another than the slot at its address", () => {
    const settings = { placement: "in-place", address: "203.0.113.20", port: 8080 };
    expect(problemsOf(services({ cache: row(settings) }))).toMatchObject([
      {
        where: "cutover:services.cache.port",
        found: "8080, which web has at 203.0.113.20:8080",
      },
    ]);
    expect(problemsOf(services({ cache: row({ ...settings, address: "203.0.113.40" }) }))).toEqual(
      [],
    );
    expect(problemsOf(services({ cache: row({ ...settings, port: 8083 }) }))).toEqual([]);
  });

  test("a database in a container has one too", () => {
    const settings = { placement: "in-place", address: "203.0.113.50", port: 5432 };
    const { backups: _vault, ...config } = sampleConfig(services({ cache: row(settings) }));
    expect(relations({ ...config, database: container })).toMatchObject([
      {
        where: "cutover:services.cache.port",
        found: "5432, which database has at 203.0.113.50:5432",
      },
    ]);
  });
});

describe("places of services", () => {
  test("one with an image of its own is not placed in two slots", () => {
    expect(problemsOf(services({ cache: row({ image }) }))).toEqual([
      {
        where: "cutover:services.cache.placement",
        found: "two-slot, but cache has an image of its own",
        required: "in-place: it does not change with the slot",
        todo: "pulumi config set --path 'cutover:services.cache.placement' 'in-place'",
      },
    ]);
  });

  test("nor is a unit of systemd", () => {
    const systemd = {
      environment: "app",
      command: ["run"],
      workingDirectory: "/srv",
      user: "app",
      watchdogSeconds: 30,
    };
    expect(problemsOf(services({ mailer: row({ systemd }) }))).toMatchObject([
      {
        where: "cutover:services.mailer.placement",
        found: "two-slot, but mailer has a unit of systemd",
      },
    ]);
  });

  describe("one that systemd runs in its place", () => {
    const systemd = {
      environment: "app",
      command: ["run"],
      workingDirectory: "/srv",
      user: "app",
      watchdogSeconds: 30,
    };
    const placed = services({
      mailer: row({ placement: "in-place", address: "203.0.113.40", systemd }),
    });

    test("is reached over SSH", () => {
      const hosts = { "203.0.113.40": "ssh://deploy@203.0.113.40:22" };
      expect(problemsOf({ ...placed, hosts })).toEqual([]);
    });

    test.each([
      ["no host", {}, "nothing, but systemd runs mailer there"],
      [
        "a host at another address only",
        { "203.0.113.41": "ssh://deploy@203.0.113.41:22" },
        "nothing, but systemd runs mailer there",
      ],
      ["a container daemon", { "203.0.113.40": "tcp://host:2376" }, "tcp://host:2376"],
    ])("has not %s", (_what, hosts, found) => {
      expect(problemsOf({ ...placed, hosts })).toEqual([
        {
          where: 'cutover:hosts["203.0.113.40"]',
          found,
          required: "ssh://user@host:port of the host whose systemd runs it",
          todo: `pulumi config set --path 'cutover:hosts["203.0.113.40"]' 'ssh://deploy@203.0.113.40:22'`,
        },
      ]);
    });
  });

  test("one in two slots needs slots", () => {
    const { slots: _none, ...config } = sample;
    const { web } = sample.services;
    expect(relations({ ...config, services: { web: { ...web!, dependsOn: [] } } })).toEqual([
      {
        where: "cutover:slots",
        found: "nothing, but web is placed in two slots",
        required: "the addresses of the two slots",
        todo: "pulumi config set --path 'cutover:slots.blue' '203.0.113.10'",
      },
    ]);
  });

  test("one in place needs an address", () => {
    expect(problemsOf(services({ cache: row({ placement: "in-place", image }) }))).toEqual([
      {
        where: "cutover:services.cache.address",
        found: "nothing, but cache stays in place",
        required: "the address at which it stays",
        todo: "pulumi config set --path 'cutover:services.cache.address' '203.0.113.10'",
      },
    ]);
  });

  test("one in two slots keeps nothing beside the database", () => {
    expect(problemsOf(services({ mailer: row({ volumes: { data: "/data" } }) }))).toEqual([
      {
        where: "cutover:services.mailer.volumes",
        found: "data, but mailer is placed in two slots",
        required: "none: the other slot would not have what was written there",
        todo: "pulumi config rm --path 'cutover:services.mailer.volumes'",
      },
    ]);
    const inPlace = { placement: "in-place", address: "203.0.113.40", volumes: { data: "/data" } };
    expect(problemsOf(services({ mailer: row(inPlace) }))).toEqual([]);
  });
});

test("a unit of systemd runs on a host that is reached over SSH", () => {
  const systemd = {
    ...{ environment: "app", command: ["run"], workingDirectory: "/srv", user: "app" },
    watchdogSeconds: 30,
  };
  const mailer = row({ placement: "in-place", address: "203.0.113.40", systemd });
  const problem = {
    where: 'cutover:hosts["203.0.113.40"]',
    required: "ssh://user@host:port of the host whose systemd runs it",
    todo: `pulumi config set --path 'cutover:hosts["203.0.113.40"]' 'ssh://deploy@203.0.113.40:22'`,
  };
  const hosts = (host: string): Pick<Config, "hosts"> => ({ hosts: { "203.0.113.40": host } });
  expect(problemsOf(services({ mailer }))).toEqual([
    { ...problem, found: "nothing, but systemd runs mailer there" },
  ]);
  expect(problemsOf({ ...services({ mailer }), ...hosts("tcp://host:2375") })).toEqual([
    { ...problem, found: "tcp://host:2375" },
  ]);
  expect(problemsOf({ ...services({ mailer }), ...hosts("ssh://deploy@host") })).toEqual([]);
});

describe("the order of services", () => {
  test("knows every name", () => {
    expect(problemsOf(services({ mailer: row({ dependsOn: ["api", "queue"] }) }))).toEqual([
      {
        where: "cutover:services.mailer.dependsOn",
        found: "queue, which is no service",
        required: "names of services: api, worker, web, mailer",
        todo: "correct or remove queue there",
      },
    ]);
  });

  test("has no circle", () => {
    const { api } = sample.services;
    expect(problemsOf(services({ api: { ...api!, dependsOn: ["web"] } }))).toEqual([
      {
        where: "cutover:services.api.dependsOn",
        found: "a circle: api waits for web waits for api",
        required: "an order in which one service can start first",
        todo: "remove one of web, api from a dependsOn of the circle",
      },
    ]);
  });

  test("has no service that waits for itself", () => {
    expect(problemsOf(services({ mailer: row({ dependsOn: ["mailer"] }) }))).toMatchObject([
      { found: "a circle: mailer waits for mailer" },
    ]);
  });

  test("one with an image of its own waits for none of a release", () => {
    const settings = { placement: "in-place", address: "203.0.113.40", image };
    const cache = row({ ...settings, dependsOn: ["store"] });
    const store = row({ ...settings, port: 9001 });
    expect(problemsOf(services({ cache, store }))).toEqual([]);
    expect(problemsOf(services({ cache: { ...cache, dependsOn: ["api"] } }))).toEqual([
      {
        where: "cutover:services.cache.dependsOn",
        found: "api, which a release starts, but cache has an image of its own",
        required: "services with an image of their own: they stand before any release",
        todo: "remove api there",
      },
    ]);
  });
});

describe("names", () => {
  test.each(["freeze", "data", "switch", "services"])("no service is called %s", (name) => {
    expect(problemsOf(services({ [name]: row() }))).toEqual([
      {
        where: `cutover:services.${name}`,
        found: `the name ${name}, which a step or a service has`,
        required: "a name of its own",
        todo: `give it another name, such as ${name}-service`,
      },
    ]);
  });

  test.each(["web", "record"])("no job is called %s", (name) => {
    expect(problemsOf(jobs({ [name]: {} }))).toMatchObject([
      { where: `cutover:jobs.${name}`, todo: `give it another name, such as ${name}-job` },
    ]);
  });

  test("of dns lead to services of a release", () => {
    const cache = row({ placement: "in-place", address: "203.0.113.40", image });
    const dns = {
      ...sample.dns,
      names: {
        "app.example.com": { service: "cache" },
        "api.example.com": { service: "nobody" },
        "web.example.com": { service: "web" },
      },
    };
    expect(problemsOf({ ...services({ cache }), dns })).toEqual([
      {
        where: 'cutover:dns.names["app.example.com"].service',
        found: "cache, which is no service of a release",
        required: "one of api, worker, web",
        todo: `pulumi config set --path 'cutover:dns.names["app.example.com"].service' 'api'`,
      },
      {
        where: 'cutover:dns.names["api.example.com"].service',
        found: "nobody, which is no service of a release",
        required: "one of api, worker, web",
        todo: `pulumi config set --path 'cutover:dns.names["api.example.com"].service' 'api'`,
      },
    ]);
  });
});

test("a job runs the image of a service of a release", () => {
  const cache = row({ placement: "in-place", address: "203.0.113.40", image });
  const rows = jobs({
    backfill: {},
    purge: { image: "nobody" },
    warm: { image: "cache" },
  });
  const required = "one of api, worker, web";
  expect(problemsOf({ ...services({ cache }), ...rows })).toEqual([
    {
      where: "cutover:jobs.purge.image",
      found: "nobody, which is no service of a release",
      required,
      todo: "pulumi config set --path 'cutover:jobs.purge.image' 'api'",
    },
    {
      where: "cutover:jobs.warm.image",
      found: "cache, which is no service of a release",
      required,
      todo: "pulumi config set --path 'cutover:jobs.warm.image' 'api'",
    },
  ]);
});

test("a service names only secrets that are declared", () => {
  const mailer = row({ secrets: { SMTP_KEY: "smtp" } });
  const problem = {
    where: "cutover:services.mailer.secrets.SMTP_KEY",
    found: "smtp, which is no secret",
    todo: "add smtp to cutover:secrets",
  };
  expect(problemsOf(services({ mailer }))).toEqual([
    { ...problem, required: "a name in cutover:secrets: none yet" },
  ]);
  const secrets: Config["secrets"] = {
    jwt: { store: "key-vault", vault: "vault", name: "jwt" },
  };
  expect(problemsOf({ ...services({ mailer }), secrets })).toEqual([
    { ...problem, required: "a name in cutover:secrets: jwt" },
  ]);
  const smtp = { store: "key-vault", vault: "vault", name: "smtp" } as const;
  expect(problemsOf({ ...services({ mailer }), secrets: { smtp } })).toEqual([]);
});

describe("the database", () => {
  const { backups: _vault, databasePassword, ...bare } = sample;
  const rds = bare.database as Extract<Config["database"], { kind: "rds" }>;
  const withPassword = { ...bare, databasePassword };

  test("on RDS has a vault", () => {
    expect(relations(withPassword)).toEqual([
      {
        where: "cutover:backups",
        found: "nothing, but the database is on RDS",
        required: "the vault of its backups",
        todo: "pulumi config set --path 'cutover:backups.vault' 'flagship-production'",
      },
    ]);
  });

  test("in a container has none, and a bucket for its dumps", () => {
    expect(relations({ ...withPassword, database: container })).toEqual([]);
    const problems = relations({ ...withPassword, database: container, buckets: {} });
    expect(problems).toContainEqual({
      where: "cutover:database.dumps.bucket",
      found: "documents, which is no bucket",
      required: "an S3 bucket in cutover:buckets: there is none yet",
      todo: "pulumi config set --path 'cutover:buckets.documents.store' 's3'",
    });
  });

  const noPassword: Problem = {
    where: "cutover:databasePassword",
    found: "nothing",
    required: "a secret of at least 12 characters",
    todo: "pulumi config set --secret cutover:databasePassword",
  };

  test.each<[string, Config["database"], Problem[]]>([
    ["RDS from the config", rds, [noPassword]],
    ["a container", container, [noPassword]],
    ["RDS with a generated one", { ...rds, password: "generated" }, []],
    ["RDS that keeps its own", { ...rds, password: "secrets-manager" }, []],
  ])("without databasePassword: %s", (_, database, problems) => {
    const backups = database.kind === "rds" ? { backups: sample.backups } : {};
    expect(relations({ ...bare, ...backups, database })).toEqual(problems);
  });

  test.each(["generated", "secrets-manager"] as const)("has not two passwords: %s", (password) => {
    expect(problemsOf({ database: { ...rds, password } })).toEqual([
      {
        where: "cutover:databasePassword",
        found: `a password, but database.password is ${password}`,
        required: "one place that the password comes from",
        todo: "pulumi config rm --path 'cutover:databasePassword'",
      },
    ]);
  });
});

describe("times", () => {
  const cutoverAt = "2026-12-01T02:00:00Z";
  const { legacy: _gone, ...withoutLegacy } = sample;

  test("are of phases that the system has", () => {
    const notBefore = { decommission: "7d", finalize: "24h" };
    expect(relations({ ...withoutLegacy, notBefore })).toEqual([
      {
        where: "cutover:notBefore.decommission",
        found: "a phase that this system does not have",
        required: "one of prepare, lower-ttl, cutover, observe, finalize",
        todo: "pulumi config rm --path 'cutover:notBefore.decommission'",
      },
    ]);
    expect(problemsOf({ notBefore })).toEqual([]);
  });

  test.each([
    ["a time before the planned cutover", { finalize: "-24h" }, "finalize"],
    ["the cutover's own", { cutover: "0h" }, "cutover"],
    ["phases that come before it", { prepare: "1h", "lower-ttl": "0h" }, "prepare, lower-ttl"],
  ])("%s needs cutoverAt", (_, notBefore, phases) => {
    expect(problemsOf({ notBefore })).toEqual([
      {
        where: "cutover:cutoverAt",
        found: `nothing, but notBefore of ${phases} counts from the planned cutover`,
        required: "when the cutover is to begin",
        todo: "pulumi config set cutoverAt 2026-12-01T02:00:00Z",
      },
    ]);
    expect(problemsOf({ notBefore, cutoverAt })).toEqual([]);
  });

  test("after the cutover that was need none", () => {
    expect(
      problemsOf({ notBefore: { observe: "1h", finalize: "0h", decommission: "7d" } }),
    ).toEqual([]);
  });
});
