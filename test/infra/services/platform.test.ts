import { describe, expect, test } from "vitest";
import type { Config } from "../../../infra/config.ts";
import { databaseConfig } from "../../../infra/databases/config.ts";
import { hostOf, hostsOf } from "../../../infra/services/hosts.ts";
import { networks, platform } from "../../../infra/services/platform.ts";
import type { Run } from "../../../infra/release/run.ts";
import { sampleConfig } from "../../support/config.ts";
import { firstStep } from "../../support/declared.ts";
import { image, service } from "../release/samples.ts";
import { registered, type Registered } from "../../support/registered.ts";

const networkType = "docker:index/network:Network";
const containerType = "docker:index/container:Container";
const { legacy: _legacy, ...sample } = sampleConfig();

function ofType(resources: readonly Registered[], type: string): Registered[] {
  return resources.filter((resource) => resource.type === type);
}

describe("hosts", () => {
  test("are the daemon that the engine uses by default, where the table says nothing", () => {
    expect(hostOf("203.0.113.10", { hosts: {} })).toBeUndefined();
    expect(hostsOf(["203.0.113.10", "203.0.113.20"], { hosts: {} })).toEqual([
      { provider: undefined, address: "203.0.113.10" },
    ]);
    expect(hostsOf([], { hosts: {} })).toEqual([]);
  });

  test("have one provider for each daemon, whatever its addresses", async () => {
    const hosts = {
      "198.51.100.1": "tcp://hosts-test.example.com:2375",
      "198.51.100.2": "tcp://hosts-test.example.com:2375",
      "198.51.100.3": "tcp://hosts-test.example.com:2376",
    };
    const found: ReturnType<typeof hostOf>[] = [];
    const declared = await registered(() => {
      found.push(...Object.keys(hosts).map((address) => hostOf(address, { hosts })));
    });
    expect(found[0]).toBe(found[1]);
    expect(found[2]).not.toBe(found[0]);
    expect(ofType(declared, "pulumi:providers:docker").map(({ inputs }) => inputs["host"])).toEqual(
      ["tcp://hosts-test.example.com:2375", "tcp://hosts-test.example.com:2376"],
    );
    expect(hostsOf([...Object.keys(hosts), "203.0.113.9"], { hosts })).toHaveLength(3);
  });
});

describe("the network of a system", () => {
  const networksOf = async (config: Config): Promise<Registered[]> =>
    ofType(await registered(() => networks(config, firstStep)), networkType);

  test("is one where all run on one daemon, and has the system's name", async () => {
    expect(await networksOf(sampleConfig())).toMatchObject([
      { name: "network", inputs: { name: "flagship", driver: "bridge" } },
    ]);
  });

  test("is one on each daemon: of slots, of what stays in place, of a database in a container", async () => {
    const hosts = {
      "203.0.113.10": "ssh://deploy@networks-test.example.com:1",
      "203.0.113.40": "ssh://deploy@networks-test.example.com:2",
      "203.0.113.50": "ssh://deploy@networks-test.example.com:3",
    };
    const database = databaseConfig.parse({
      ...{ kind: "container", name: "flagship", username: "flagship", engineVersion: "18.1" },
      ...{ address: "203.0.113.50", port: 5432, image, memoryMib: 1024 },
      dumps: { bucket: "documents", keepDays: 30 },
    });
    const cache = service({ placement: "in-place", address: "203.0.113.40", image });
    const services = { ...sample.services, cache };
    const found = await networksOf({ ...sample, hosts, services, database });
    expect(found.map(({ provider }) => provider).toSorted()).toEqual([
      // Of the green slot, of which the table says nothing.
      "",
      "host-203.0.113.10",
      "host-203.0.113.40",
      "host-203.0.113.50",
    ]);
    expect(new Set(found.map(({ name }) => name)).size).toBe(4);
    expect(new Set(found.map(({ inputs }) => inputs["name"]))).toEqual(new Set(["flagship"]));
  });

  test("is not needed where a unit of systemd runs", async () => {
    const systemd = {
      ...{ environment: "app", command: ["run"], workingDirectory: "/srv", user: "app" },
      watchdogSeconds: 30,
    };
    const web = service({ placement: "in-place", address: "203.0.113.41", systemd });
    const { slots: _slots, ...config } = sample;
    expect(await networksOf({ ...config, services: { web } })).toEqual([]);
  });
});

describe("the platform", () => {
  const settings = { placement: "in-place", address: "203.0.113.40", image };
  const services = {
    api: service({ port: 8081, dependsOn: ["keycloak"] }),
    keycloak: service({ ...settings, port: 8090, dependsOn: ["redis"], secrets: { KEY: "idp" } }),
    redis: service({ ...settings, port: 6379, volumes: { data: "/data" }, env: { MODE: "aof" } }),
  };
  const run = {
    config: { ...sample, services },
    secrets: { idp: "secretsmanager:arn:idp" },
  } as object as Run;

  test("is what has an image of its own, in the order in which it starts, and protected", async () => {
    const containers = ofType(await registered(() => platform(run, firstStep)), containerType);
    expect(containers).toMatchObject([
      { name: "redis-container", protect: true },
      { name: "keycloak-container", protect: true },
    ]);
    const [redis, keycloak] = containers;
    expect(redis?.inputs).toMatchObject({
      name: "flagship-redis",
      image,
      envs: ["PORT=6379", "MODE=aof"],
      ports: [{ internal: 6379, external: 6379, ip: "203.0.113.40" }],
      volumes: [{ volumeName: "flagship-redis-data", containerPath: "/data" }],
    });
    expect(keycloak?.inputs["envs"]).toEqual(["PORT=8090", "KEY=secretsmanager:arn:idp"]);
    expect(keycloak?.behind).toContain("redis-container");
    expect(redis?.behind).not.toContain("keycloak-container");
  });

  test("is nothing in a system whose services are all of a release", async () => {
    const none = { ...run, config: sample } as Run;
    expect(await registered(() => platform(none, firstStep))).toEqual([]);
  });
});
