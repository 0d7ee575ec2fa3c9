import { describe, expect, test } from "vitest";
import { parseConfig } from "../../infra/config.ts";
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
          required: one of system, folder, phase, release, clockScale,
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

  test("keys of other namespaces are none of its business", () => {
    expect(() => parseConfig({ ...engineConfig(), "aws:profile": "x" }, secret)).not.toThrow();
  });
});

function errorOf(values: Record<string, string>, secrets = secret): string {
  try {
    parseConfig(values, secrets);
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}
