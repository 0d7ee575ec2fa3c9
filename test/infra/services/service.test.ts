import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/docker/provider.js";
import { describe, expect, test } from "vitest";
import { serviceConfig } from "../../../infra/services/config.ts";
import { InPlace, Service, type ServiceArgs } from "../../../infra/services/service.ts";
import { firstStep, only } from "../../support/declared.ts";
import { registered, type Registered } from "../../support/registered.ts";

const containerType = "docker:index/container:Container";
const volumeType = "docker:index/volume:Volume";
const inPlaceType = "cutover:index:InPlaceService";
/** What the SDK marks secrets with. */
const secretMark = "4dabf18193072939515e22adb298388d";
const secretKind = "1b47061264138c4ac30d75fd1eb44270";

const args: ServiceArgs = {
  container: "flagship-blue-api",
  image: "registry.example.com/api@sha256:0",
  address: "203.0.113.10",
  settings: { port: 8081 },
  system: "flagship",
  env: { SLOT: "blue", DATABASE_URL: pulumi.secret("postgres://secret") },
  healthSeconds: 60,
  protect: false,
  host: undefined,
};

/** What a service with other settings declares. */
function service(
  settings: Partial<ServiceArgs["settings"]> = {},
  more: Partial<ServiceArgs> = {},
): Promise<Registered[]> {
  const whole = { ...args, ...more, settings: { ...args.settings, ...settings } };
  return registered(() => new Service("blue-api", whole, firstStep));
}

async function container(...given: Parameters<typeof service>): Promise<Registered> {
  return only(await service(...given), containerType) as Registered;
}

describe("the container of a service", () => {
  test("is health-checked, waited for, limited and restarted", async () => {
    const { inputs, deleteBeforeReplace } = await container();
    expect(inputs).toMatchObject({
      name: "flagship-blue-api",
      image: "registry.example.com/api@sha256:0",
      ports: [{ internal: 8081, external: 8081, ip: "203.0.113.10" }],
      healthcheck: {
        tests: ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:8081/healthz"],
        interval: "1s",
        timeout: "2s",
        retries: 3,
        startPeriod: "10s",
      },
      wait: true,
      waitTimeout: 60,
      restart: "unless-stopped",
      mustRun: true,
      destroyGraceSeconds: 30,
      memory: 256,
      memorySwap: 512,
    });
    expect(inputs).not.toHaveProperty("cpus");
    expect(deleteBeforeReplace).toBe(true);
  });

  test("may do nothing that it need not do", async () => {
    expect((await container()).inputs).toMatchObject({
      readOnly: true,
      tmpfs: { "/tmp": "size=64m" },
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      privileged: false,
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      networksAdvanced: [{ name: "flagship" }],
      volumes: [],
    });
  });

  test.each<[string, Partial<ServiceArgs["settings"]>, object]>([
    ["its memory, and twice that with swap", { memoryMib: 512 }, { memory: 512, memorySwap: 1024 }],
    ["its CPUs, as a text", { cpus: 0.5 }, { cpus: "0.5" }],
    ["the time that it drains", { drainSeconds: 120 }, { destroyGraceSeconds: 120 }],
    ["whether it writes to its own files", { writable: true }, { readOnly: false }],
    ["that it does not", { writable: false }, { readOnly: true }],
    [
      "its port and the path that tells its health",
      { port: 3000, health: "/api/health" },
      {
        ports: [{ internal: 3000, external: 3000, ip: "203.0.113.10" }],
        healthcheck: {
          tests: ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:3000/api/health"],
        },
      },
    ],
    [
      "a command in place of the path",
      { healthCommand: ["redis-cli", "ping"], health: "/unused" },
      { healthcheck: { tests: ["CMD", "redis-cli", "ping"] } },
    ],
  ])("says as the stack config does: %s", async (_, settings, inputs) => {
    expect((await container(settings)).inputs).toMatchObject(inputs);
  });

  test("is the same with the defaults of the stack config", async () => {
    const whole = serviceConfig.parse({ port: 8081 });
    expect((await container(whole)).inputs).toEqual((await container()).inputs);
  });

  test("has the port in its environment, and secrets stay secret", async () => {
    expect((await container()).inputs["envs"]).toEqual({
      [secretMark]: secretKind,
      value: ["PORT=8081", "SLOT=blue", "DATABASE_URL=postgres://secret"],
    });
    const plain = await container({}, { env: { SLOT: "blue" } });
    expect(plain.inputs["envs"]).toEqual(["PORT=8081", "SLOT=blue"]);
  });

  test("is protected only when it is told so, and may be one that others stop", async () => {
    expect((await container()).protect).toBe(false);
    const legacy = await container({}, { protect: true, mustRun: false });
    expect(legacy).toMatchObject({ protect: true, inputs: { mustRun: false } });
  });
});

describe("volumes", () => {
  test("are protected, named for the container, and there before it", async () => {
    const resources = await service({ volumes: { data: "/data", log: "/var/log/app" } });
    const volumes = resources.filter(({ type }) => type === volumeType);
    expect(volumes).toMatchObject([
      { name: "blue-api-data", inputs: { name: "flagship-blue-api-data" }, protect: true },
      { name: "blue-api-log", inputs: { name: "flagship-blue-api-log" }, protect: true },
    ]);
    const { inputs, behind } = only(resources, containerType) as Registered;
    expect(inputs["volumes"]).toEqual([
      { volumeName: "flagship-blue-api-data", containerPath: "/data" },
      { volumeName: "flagship-blue-api-log", containerPath: "/var/log/app" },
    ]);
    expect(behind).toEqual(expect.arrayContaining(["blue-api-data", "blue-api-log"]));
  });

  test("are none where the stack config has none", async () => {
    expect((await service()).filter(({ type }) => type === volumeType)).toEqual([]);
  });
});

describe("the daemon", () => {
  test("is the default one, or that of a provider, for the volumes as well", async () => {
    expect((await container()).provider).not.toBe("host");
    const resources = await registered(() => {
      const host = new Provider("host", { host: "ssh://deploy@203.0.113.10:22" });
      const settings = { port: 8081, volumes: { data: "/data" } };
      return new Service("blue-api", { ...args, settings, host }, firstStep);
    });
    for (const type of [containerType, volumeType]) {
      expect((only(resources, type) as Registered).provider).toBe("host");
    }
  });
});

describe("a service in place", () => {
  const inPlace = (more: Partial<ServiceArgs> = {}): Promise<Registered[]> =>
    registered(
      () =>
        new InPlace(
          "api",
          {
            ...args,
            container: "flagship-api",
            ...more,
            stack: "flagship/test",
            release: "v1.1.0",
          },
          firstStep,
        ),
    );

  test("has the inputs of a container, of a release of a stack", async () => {
    const resources = await inPlace();
    const { inputs } = only(resources, inPlaceType);
    const { inputs: inSlot } = await container({}, { container: "flagship-api" });
    expect(inputs).toMatchObject({ stack: "flagship/test", release: "v1.1.0" });
    const { stack: _stack, release: _release, ...plain } = inputs;
    expect(plain).toEqual(inSlot);
    expect(resources.filter(({ type }) => type === containerType)).toEqual([]);
  });

  test("is told the address of its daemon", async () => {
    const resources = await registered(() => {
      const host = new Provider("host", { host: "ssh://deploy@203.0.113.10:22" });
      const more = { ...args, host, stack: "flagship/test", release: "v1.1.0" };
      return new InPlace("api", more, firstStep);
    });
    expect(only(resources, inPlaceType).inputs["host"]).toBe("ssh://deploy@203.0.113.10:22");
    expect(only(await inPlace(), inPlaceType).inputs).not.toHaveProperty("host");
  });
});
