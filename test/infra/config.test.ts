import { describe, expect, test } from "vitest";
import { openConfig, parseConfig } from "../../infra/config.ts";
import { engineConfig } from "../support/config.ts";

const secret = ["cutover:databasePassword"];

describe("parseConfig", () => {
  test.each(["staging", "production"])("reads the committed config of %s", (stack) => {
    const config = parseConfig(engineConfig(stack), secret);
    expect(config.system).toBe("flagship");
    expect(config.database.storageEncrypted).toBe(true);
    expect(config.clockScale).toBe(1);
  });

  test("names every bad key at once, with what was found, required and to do", () => {
    const values = {
      ...engineConfig(),
      "cutover:phase": "go",
      "cutover:bogus": "1",
      "cutover:dns": JSON.stringify({
        zoneId: "z",
        names: ["no host"],
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
      "The stack config cannot be used: 8 keys are wrong.

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
          required: one of identifier, name, username, engineVersion, instanceClass,
                    storageGib, storageEncrypted, backupRetentionDays,
                    deletionProtection, caFile, skipFinalSnapshot
          to do:    pulumi config rm --path 'cutover:database.colour'

        cutover:dns.zoneId
          found:    "z"
          required: a Cloudflare zone id
          to do:    pulumi config set --path 'cutover:dns.zoneId' '0123…cdef'

        cutover:dns.names
          found:    "no host"
          required: a list of host names that move together
          to do:    pulumi config set --path 'cutover:dns.names' 'app.example.com'

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
          required: one of system, folder, phase, release, cutoverAt, clockScale,
                    evidence, owners, contacts, announcements, webhooks, readings,
                    databasePassword, database, backups, bucket, archive, dns,
                    services, legacy, deadlines
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
    [
      "slot that is the legacy address",
      "services",
      { slots: { blue: "203.0.113.30", green: "203.0.113.20" } },
      "services.slots",
    ],
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

        cutover:announcements.Maintenance 1
          found:    Maintenance 1
          required: a name in kebab case
          to do:    pulumi config rm --path 'cutover:announcements.Maintenance 1', and set it under another name

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
