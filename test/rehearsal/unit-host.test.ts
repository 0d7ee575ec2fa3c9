import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseDocument } from "yaml";
import type { Cloud } from "../../rehearsal/cloud.ts";
import { rehearsedConfig } from "../../rehearsal/rehearsed-config.ts";
import { databaseInputs, startTestCloud, temporaryFolder, type TestCloud } from "./support.ts";

let folder: string;
let testCloud: TestCloud;

beforeAll(async () => {
  folder = await temporaryFolder();
  testCloud = await startTestCloud({ folder, hasUnits: true });
});

afterAll(async () => {
  await testCloud.close();
  await rm(folder, { recursive: true });
});

const config = parseDocument(`
config:
  cutover:dns:
    names:
      dashboard.example.com: { service: web }
  cutover:database: { kind: rds }
  cutover:hosts:
    203.0.113.9: ssh://deploy@203.0.113.9:22
    203.0.113.10: ssh://deploy@203.0.113.10:22
  cutover:services:
    cache: { placement: in-place, address: 203.0.113.9, port: 6379 }
    web: { placement: in-place, address: 203.0.113.10, port: 8080, systemd: {} }
    mailer: { placement: in-place, address: 203.0.113.10, port: 8081, systemd: {} }
`);

function rehearsed(cloud: Cloud): Record<string, Record<string, unknown>> {
  const options = { cloud, clockScale: 1 };
  return (rehearsedConfig(config, options).toJS() as { config: never }).config;
}

test("services of systemd run on the host that is reached over SSH, others where containers do", () => {
  const { cloud } = testCloud;
  const { unitHost, places } = cloud.network;
  const { "cutover:hosts": hosts, "cutover:services": services } = rehearsed(cloud);
  expect(hosts).toEqual({
    [String(places[0])]: cloud.containerHost,
    [unitHost]: cloud.unitHost?.url,
  });
  expect(services).toMatchObject({
    cache: { address: places[0] },
    web: { address: unitHost },
    mailer: { address: unitHost },
  });
  expect(cloud.unitHost?.url).toBe(`ssh://deploy@${unitHost}:${String(cloud.network.sshPort)}`);
  expect(cloud.env).toMatchObject({
    CUTOVER_SSH_KEY: expect.stringContaining(folder) as string,
    CUTOVER_KNOWN_HOSTS: expect.stringContaining(folder) as string,
  });
});

test("an instance that belongs to no stack can be imported", async () => {
  await testCloud.cloud.makeInstance(databaseInputs("adopted"));
  const found = await testCloud.subject("aws:rds/instance:Instance").find("adopted");
  expect(found?.outputs).toMatchObject({ status: "available" });
});

test("a cloud that is not asked for a host has none", async () => {
  const other = await startTestCloud();
  try {
    expect(other.cloud.unitHost).toBeUndefined();
    expect(other.cloud.env).not.toHaveProperty("CUTOVER_SSH_KEY");
  } finally {
    await other.close();
  }
});
