import { describe, expect, test } from "vitest";
import { openConfig, parseConfig } from "../../infra/config.ts";
import { engineConfig } from "../support/config.ts";

const secret = ["cutover:databasePassword"];

describe("parseConfig", () => {
  test.each(["staging", "production"])("reads the committed config of %s", (stack) => {
    const config = parseConfig(engineConfig(stack), secret);
    expect(config.system).toBe("flagship");
    expect(config.database).toMatchObject({ kind: "rds", storageEncrypted: true });
    expect(config.clockScale).toBe(1);
  });

  test("names every bad key at once, with what was found, required and to do", () => {
    const values = {
      ...engineConfig(),
      "cutover:phase": "go",
      "cutover:bogus": "1",
      "cutover:dns": JSON.stringify({
        zones: { "example.com": "z" },
        names: { "no host": {}, "app.example.com": { service: 7 } },
        ttl: { baseline: 3600, lowered: 30 },
        resolvers: [],
      }),
      "cutover:database": JSON.stringify({
        ...(JSON.parse(engineConfig()["cutover:database"] ?? "") as object),
        backupRetentionDays: "seven",
        colour: "red",
      }),
    };
    expect(errorOf(values)).toMatchInlineSnapshot(`
      "The stack config cannot be used: 9 keys are wrong.

        cutover:phase
          found:    "go"
          required: one of prepare, lower-ttl, cutover, observe, finalize,
                    decommission
          to do:    pulumi config set --path 'cutover:phase' 'prepare'

        cutover:database.backupRetentionDays
          found:    "seven"
          required: whole days, 0 to 35
          to do:    pulumi config set --path 'cutover:database.backupRetentionDays' '7'

        cutover:database.colour
          found:    a key that nothing reads
          required: one of kind, name, username, engineVersion, identifier, adopt,
                    instanceClass, storageGib, storageEncrypted, kmsKeyArn,
                    backupRetentionDays, deletionProtection, skipFinalSnapshot,
                    tlsForced, caFile, parameterGroup, password, upgradeTo
          to do:    pulumi config rm --path 'cutover:database.colour'

        cutover:dns.zones["example.com"]
          found:    "z"
          required: a Cloudflare zone id
          to do:    pulumi config set --path 'cutover:dns.zones["example.com"]' '0123…cdef'

        cutover:dns.names["no host"]
          found:    no host
          required: a full host name in small letters, such as app.example.com
          to do:    pulumi config rm --path 'cutover:dns.names["no host"]', and set it under another name

        cutover:dns.names["app.example.com"].service
          found:    7
          required: the service that answers there
          to do:    pulumi config set --path 'cutover:dns.names["app.example.com"].service' 'web'

        cutover:dns.ttl.lowered
          found:    30
          required: seconds, 60 to 86400
          to do:    pulumi config set --path 'cutover:dns.ttl.lowered' '60'

        cutover:dns.resolvers
          found:    []
          required: a list of resolvers as address:port
          to do:    pulumi config set --path 'cutover:dns.resolvers' '1.1.1.1:53'

        cutover:bogus
          found:    a key that nothing reads
          required: one of system, folder, phase, release, cutoverAt, notBefore,
                    clockScale, evidence, owners, contacts, announcements, webhooks,
                    readings, databasePassword, database, backups, restoreTest,
                    buckets, secrets, dns, slots, hosts, services, jobs, flags,
                    safeMode, alarms, identity, legacy, deadlines
          to do:    pulumi config rm --path 'cutover:bogus'"
    `);
  });

  test("refuses a secret in plain text and never shows it", () => {
    const text = errorOf(engineConfig(), []);
    expect(text).toContain("a Pulumi secret");
    expect(text).toContain("pulumi config set --secret cutover:databasePassword");
    expect(text).not.toContain("correct-horse");
  });

  test("a secret that is too short is not shown either", () => {
    const text = errorOf({ ...engineConfig(), "cutover:databasePassword": "hunter2" });
    expect(text).toContain("at least 12 characters");
    expect(text).not.toContain("hunter2");
  });

  test("a missing secret says how to set it", () => {
    const { "cutover:databasePassword": _gone, ...values } = engineConfig();
    expect(errorOf(values)).toContain("pulumi config set --secret cutover:databasePassword");
  });

  test("text that looks like a number stays text where text is wanted", () => {
    expect(errorOf({ ...engineConfig(), "cutover:release": "1" })).toContain('"1"');
  });

  test.each([
    [
      "lowered TTL above the baseline",
      "dns",
      { ttl: { baseline: 60, lowered: 61 } },
      "dns.ttl.lowered",
    ],
    ["slot that is the legacy address", "slots", { blue: "203.0.113.30" }, "cutover:slots"],
  ])("refuses a %s", (_, name, change, where) => {
    const values = engineConfig();
    const group = JSON.parse(values[`cutover:${name}`] ?? "") as object;
    expect(
      errorOf({ ...values, [`cutover:${name}`]: JSON.stringify({ ...group, ...change }) }),
    ).toContain(where);
  });

  test.each([
    "examples/flagship/evidence",
    "s3://evidence",
    "s3://evidence/flagship",
    "https://evidence.example.com:8443/flagship",
  ])("takes %s for where evidence lies", (evidence) => {
    expect(errorOf({ ...engineConfig(), "cutover:evidence": evidence })).toBe("no error");
  });

  test.each([
    "",
    "/etc",
    "ftp://evidence.example.com",
    "https://user:hunter2@evidence.example.com/",
    "https://evidence.example.com/?token=hunter2",
    "https://",
  ])("does not take %j for where evidence lies", (evidence) => {
    expect(errorOf({ ...engineConfig(), "cutover:evidence": evidence })).toContain(
      "cutover:evidence",
    );
  });

  test("names what is wrong with a reading at its place", () => {
    const readings = {
      database: { kind: "sql-activity", longSeconds: "60" },
      alarms: { kind: "cloudwatch-alarm" },
      bucket: { kind: "s3-bucket", bucket: "documents", colour: "red" },
    };
    const text = errorOf({ ...engineConfig(), "cutover:readings": JSON.stringify(readings) });
    expect(text).toContain("3 keys are wrong");
    expect(text).toContain("cutover:readings.database.longSeconds");
    expect(text).toContain("seconds after which a transaction counts as long");
    expect(text).toContain("cutover:readings.alarms.kind");
    expect(text).toMatch(/one of .*cloudwatch-alarms/s);
    expect(text).toContain("cutover:readings.bucket.colour");
    expect(text).toMatch(/required: one of kind, bucket/);
  });

  test("an owner is somebody", () => {
    const owners = JSON.stringify({ rollback: "the team" });
    const text = errorOf({ ...engineConfig(), "cutover:owners": owners });
    expect(text).toContain("cutover:owners.rollback");
    expect(text).toContain("a principal of the allowed signers");
  });

  test("reads contacts and announcements, which are optional", () => {
    expect(parseConfig(engineConfig(), secret)).toMatchObject({ contacts: {}, announcements: {} });
    const config = parseConfig(announcing(), webhookSecrets);
    expect(config.announcements).toEqual(announcements);
    expect(config.webhooks).toEqual(webhooks);
    expect(openConfig(config)).toMatchObject({ announcements });
    expect(JSON.stringify(openConfig(config))).not.toContain("canary");
  });

  test.each(["", "  ", "(configure)", " (configure) "])("a contact is not %j", (address) => {
    const contacts = { onCall: { address, escalation: "Primary" } };
    const text = errorOf({ ...engineConfig(), "cutover:contacts": JSON.stringify(contacts) });
    expect(text).toContain("1 key is wrong");
    expect(text).toContain("cutover:contacts.onCall.address");
    expect(text).toContain(JSON.stringify(address));
    expect(text).toContain("where somebody can be reached");
  });

  test("names what is wrong with an announcement at its place", () => {
    const wrong = {
      "Maintenance 1": { on: "freeze", text: "x" },
      team: { on: "monday", text: "(configure)", dueWithin: "two days", to: "all" },
    };
    expect(errorOf(announcing(wrong), webhookSecrets)).toMatchInlineSnapshot(`
      "The stack config cannot be used: 5 keys are wrong.

        cutover:announcements["Maintenance 1"]
          found:    Maintenance 1
          required: a name in kebab case
          to do:    pulumi config rm --path 'cutover:announcements["Maintenance 1"]', and set it under another name

        cutover:announcements.team.on
          found:    "monday"
          required: when it is made: one of lower-ttl, freeze, live, rollback
          to do:    pulumi config set --path 'cutover:announcements.team.on' 'freeze'

        cutover:announcements.team.text
          found:    "(configure)"
          required: what is said, not empty and not (configure)
          to do:    pulumi config set --path 'cutover:announcements.team.text' 'Orders cannot be changed from 02:00 to 02:15 UTC.'

        cutover:announcements.team.dueWithin
          found:    "two days"
          required: a length of time such as 48h, within which what it asks for is due
          to do:    pulumi config set --path 'cutover:announcements.team.dueWithin' '48h'

        cutover:announcements.team.to
          found:    a key that nothing reads
          required: one of on, text, dueWithin
          to do:    pulumi config rm --path 'cutover:announcements.team.to'"
    `);
  });

  test.each(["contacts", "announcements"])("wants %s by name", (name) => {
    expect(errorOf({ ...engineConfig(), [`cutover:${name}`]: "[]" })).toContain(`${name} by name`);
  });

  test("wants a webhook for every announcement and an announcement for every webhook", () => {
    const { maintenance: url } = webhooks;
    expect(errorOf(announcing(announcements, { other: url }), webhookSecrets))
      .toMatchInlineSnapshot(`
      "The stack config cannot be used: 3 keys are wrong.

        cutover:webhooks.maintenance
          found:    nothing, but there is an announcement maintenance
          required: a webhook for every announcement
          to do:    pulumi config set --secret --path 'cutover:webhooks.maintenance'

        cutover:webhooks.postmortem
          found:    nothing, but there is an announcement postmortem
          required: a webhook for every announcement
          to do:    pulumi config set --secret --path 'cutover:webhooks.postmortem'

        cutover:webhooks.other
          found:    a webhook, but no announcement other
          required: an announcement for every webhook
          to do:    pulumi config rm --path 'cutover:webhooks.other'"
    `);
  });

  test("refuses webhooks in plain text and never shows them", () => {
    const text = errorOf(announcing());
    expect(text).toContain("2 keys are wrong");
    expect(text).toContain("a Pulumi secret");
    expect(text).toContain("pulumi config set --secret --path 'cutover:webhooks.maintenance'");
    expect(text).not.toContain("canary");
  });

  test("takes what is still encrypted, as a stack's file has it, but no plain one beside it", () => {
    const secure = { secure: "v1:abc" };
    expect(errorOf(announcing(announcements, secure))).toBe("no error");
    const each = { maintenance: secure, postmortem: secure };
    expect(errorOf(announcing(announcements, each))).toBe("no error");
    const text = errorOf(announcing(announcements, { ...each, maintenance: webhooks.maintenance }));
    expect(text).toContain("1 key is wrong");
    expect(text).toContain("cutover:webhooks.maintenance");
    expect(text).not.toContain("canary");
    // The engine hands over no such thing.
    expect(errorOf(announcing(announcements, each), webhookSecrets)).toContain("2 keys are wrong");
  });

  test.each([
    "http://hooks.example.com/canary",
    "https://user:canary@hooks.example.com",
    "canary",
    "",
  ])("takes no webhook %j, and does not show it", (url) => {
    const values = announcing(announcements, { ...webhooks, maintenance: url });
    const text = errorOf(values, webhookSecrets);
    expect(text).toContain("cutover:webhooks.maintenance");
    expect(text).toContain("an https URL");
    expect(text).toContain("pulumi config set --secret --path 'cutover:webhooks.maintenance'");
    expect(text).not.toContain("canary");
  });

  test("does not show what stands where a webhook's name belongs", () => {
    const text = errorOf(announcing({}, { [webhooks.maintenance]: "maintenance" }), webhookSecrets);
    expect(text).toContain("a name in kebab case");
    expect(text).not.toContain("canary");
  });

  test("webhooks that are no list of names are not shown either", () => {
    const values = { ...engineConfig(), "cutover:webhooks": "canary" };
    for (const secrets of [secret, webhookSecrets]) {
      const text = errorOf(values, secrets);
      expect(text).toContain("the URL of a webhook for each announcement");
      expect(text).not.toContain("canary");
    }
  });

  test.each([
    ["digits only", "123456789012"],
    ["JSON", '"twelve-signs"'],
    ["something true", "true         "],
  ])("a password of %s stays a text", (_, password) => {
    const config = parseConfig({ ...engineConfig(), "cutover:databasePassword": password }, secret);
    expect(config.databasePassword).toBe(password);
  });

  test("a time stays a text, and one without its offset is refused", () => {
    const at = (cutoverAt: string): Record<string, string> => ({
      ...engineConfig(),
      "cutover:cutoverAt": cutoverAt,
    });
    expect(parseConfig(at("2026-12-01T02:00:00Z"), secret).cutoverAt).toBe("2026-12-01T02:00:00Z");
    for (const wrong of ["2026-12-01T02:00:00", "2026", "null"]) {
      expect(errorOf(at(wrong))).toContain("cutover:cutoverAt");
    }
  });

  test.each(["0h", "-24h", "90m", "7d"])("takes %s for when a phase may begin", (offset) => {
    expect(errorOf(withKey("notBefore", { finalize: offset, prepare: "0h" }, planned))).toBe(
      "no error",
    );
  });

  test.each(["0d", "-0h", "0", "", "24", "+24h", "--24h", "soon", 24])(
    "does not take %j for when a phase may begin",
    (offset) => {
      const text = errorOf(withKey("notBefore", { finalize: offset }, planned));
      expect(text).toContain("cutover:notBefore.finalize");
      expect(text).toContain("a length of time such as 24h, with a minus");
    },
  );

  test("what has several forms is judged by the one that it names", () => {
    const database = { kind: "container", name: "orders", colour: "red" };
    const text = errorOf(withKey("database", database));
    expect(text).toContain("cutover:database.dumps");
    expect(text).toMatch(/required: a group of keys: bucket, keepDays/);
    expect(text).toMatch(/database\.colour[\s\S]*?required: one of kind, name, .*address/);
    expect(text).not.toContain("instanceClass");
    const rds = errorOf(withKey("database", { kind: "rds", address: "203.0.113.9" }));
    expect(rds).toMatch(/database\.address[\s\S]*?required: one of kind, name, .*instanceClass/s);
    expect(rds).not.toContain("keepDays");
  });

  test.each([
    ["database", { kind: "mysql" }, "cutover:database.kind", '"mysql"', "rds, container"],
    ["database", {}, "cutover:database.kind", "nothing", "rds, container"],
    ["buckets", { docs: { store: "gcs" } }, "cutover:buckets.docs.store", '"gcs"', "s3, r2"],
    [
      "secrets",
      { jwt: { store: "here" } },
      "cutover:secrets.jwt.store",
      '"here"',
      "secrets-manager, key-vault",
    ],
  ])("a form of %s that is none: %j", (name, value, where, found, forms) => {
    expect(errorOf(withKey(name, value))).toBe(
      [
        "The stack config cannot be used: 1 key is wrong.",
        "",
        `  ${where}`,
        `    found:    ${found}`,
        `    required: one of ${forms}`,
        `    to do:    pulumi config set --path '${where}' '${forms.split(",")[0]}'`,
      ].join("\n"),
    );
  });

  test("an entry of a list of groups is named by its number", () => {
    const kept = [
      { name: "example.com", type: "TXT", content: '"a"', ttl: 3600 },
      { name: "example.com", type: "TXT", content: '"b"', ttl: 5, colour: "red" },
    ];
    const dns = { ...keyOf("dns"), kept };
    const text = errorOf(withKey("dns", dns));
    expect(text).toContain("2 keys are wrong");
    expect(text).toMatch(/cutover:dns\.kept\[1\]\.ttl\n {4}found: {4}5\n/);
    expect(text).toMatch(
      /cutover:dns\.kept\[1\]\.colour[\s\S]*?required: one of name, type, content/,
    );
    const list = errorOf(withKey("dns", { ...dns, kept: [7] }));
    expect(list).toMatch(
      /cutover:dns\.kept\n {4}found: {4}7\n {4}required: a list of groups of keys: name, type/,
    );
  });

  test("a name that is no name says what it must be", () => {
    expect(errorOf(withKey("hosts", { here: "ssh://deploy@203.0.113.10" }))).toMatch(
      /cutover:hosts\.here[\s\S]*required: an IPv4 address/,
    );
    expect(errorOf(withKey("services", { Web: { port: 80 } }))).toMatch(
      /cutover:services\.Web[\s\S]*required: a name in kebab case/,
    );
  });

  test("keys of other namespaces are none of its business", () => {
    expect(() => parseConfig({ ...engineConfig(), "aws:profile": "x" }, secret)).not.toThrow();
  });
});

const webhookSecrets = [...secret, "cutover:webhooks"];
const announcements = {
  maintenance: { on: "freeze", text: "Orders cannot be changed from 02:00 to 02:15 UTC." },
  postmortem: { on: "rollback", text: "What happened is due in two days.", dueWithin: "48h" },
};
const webhooks = {
  maintenance: "https://hooks.example.com/canary-a",
  postmortem: "http://127.0.0.1:8080/canary-b",
};

const planned = { "cutover:cutoverAt": "2026-12-01T02:00:00Z" };

/** A group of the production stack, as it is written. */
function keyOf(name: string): object {
  return JSON.parse(engineConfig()[`cutover:${name}`] ?? "{}") as object;
}

/** The production stack with one key set to something else. */
function withKey(
  name: string,
  value: unknown,
  more: Record<string, string> = {},
): Record<string, string> {
  return { ...engineConfig(), ...more, [`cutover:${name}`]: JSON.stringify(value) };
}

function announcing(
  said: object = announcements,
  hooks: object = webhooks,
): Record<string, string> {
  return {
    ...engineConfig(),
    "cutover:announcements": JSON.stringify(said),
    "cutover:webhooks": JSON.stringify(hooks),
  };
}

function errorOf(values: Record<string, string>, secrets = secret): string {
  try {
    parseConfig(values, secrets);
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}
