import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import type { Config } from "../../../infra/config.ts";
import { systemdUnitType } from "../../../infra/provider/type-tokens.ts";
import type { PlacedRelease } from "../../../infra/release/ledger.ts";
import type { Run } from "../../../infra/release/run.ts";
import { service } from "../../../infra/release/steps/services.ts";
import { serviceConfig } from "../../../infra/services/config.ts";
import { sampleConfig } from "../../support/config.ts";
import { declared, firstStep, only } from "../../support/declared.ts";

const address = "203.0.113.10";

const gunicorn = {
  placement: "in-place",
  address,
  port: 8080,
  drainSeconds: 20,
  systemd: {
    unit: "dashboard",
    environment: "dashboard",
    command: ["gunicorn", "dashboard.server:app"],
    workingDirectory: "/srv/dashboard",
    user: "dashboard",
    watchdogSeconds: 30,
  },
};

const release = {
  version: "v1.1.0",
  images: { web: `registry.example.com/dashboard/web@sha256:${"0".repeat(64)}` },
  flags: { navigation: "spa" },
  safeMode: false,
} as unknown as PlacedRelease;

/** A run in which green serves the release, and the database's password is `right-password`. */
function run(web: object, changes: Partial<Config> = {}): Run {
  const config = {
    ...sampleConfig(),
    system: "dashboard",
    services: { web: serviceConfig.parse(web) },
    hosts: { [address]: "ssh://deploy@203.0.113.10:22" },
    ...changes,
  };
  return {
    config,
    plan: { serving: "green", slots: { blue: { ...release, version: "v1.0.0" }, green: release } },
    stack: "production",
    secrets: {},
    database: {
      connection: {
        host: "db.example.com",
        port: 5432,
        database: "dashboard",
        user: "dashboard",
        password: pulumi.secret("right-password"),
      },
    },
  } as unknown as Run;
}

function unitOf(of: Run): ReturnType<typeof declared> {
  return declared(() => service(of, firstStep, "web"));
}

describe("a service that systemd runs", () => {
  test("is the serving release's unit on its host", async () => {
    const { name, inputs } = only(await unitOf(run(gunicorn)), systemdUnitType);
    expect(name).toBe("web");
    expect(inputs).toMatchObject({
      stack: "production",
      release: "v1.1.0",
      name: "dashboard",
      host: "ssh://deploy@203.0.113.10:22",
      required: ["/srv/dashboard/releases/v1.1.0", "/opt/conda/envs/dashboard/bin/gunicorn"],
      health: { url: "http://203.0.113.10:8080/healthz", address },
      graceSeconds: 20,
    });
  });

  test("is told its secrets by a file that only root reads, and by nothing else", async () => {
    const { inputs } = only(await unitOf(run(gunicorn)), systemdUnitType);
    // The SDK's mocks show a secret in it as a secret of the whole.
    const { value: files } = inputs["files"] as {
      value: Record<string, { text: string; mode: string }>;
    };
    const { "/etc/dashboard/web.env": secret, ...others } = files;
    expect(secret?.mode).toBe("0600");
    expect(JSON.stringify(secret)).toContain("postgres://dashboard:right-password@db.example.com");
    expect(JSON.stringify(others)).not.toContain("right-password");
    const unit = others["/etc/systemd/system/dashboard.service"]?.text;
    expect(unit).toContain("EnvironmentFile=/etc/dashboard/web.env");
    expect(unit).toContain(String.raw`Environment="FLAGS={\"navigation\":\"spa\"}"`);
    // What stands in the unit is not told twice.
    expect(JSON.stringify(secret)).not.toMatch(/SLOT|FLAGS/);
  });

  test("is told where its password is kept when a store keeps it", async () => {
    const of = run(gunicorn);
    const { password: _password, ...connection } = of.database!.connection;
    const database = { connection: { ...connection, passwordSecretArn: pulumi.output("arn:it") } };
    const kept = { ...of, database } as unknown as Run;
    const { inputs } = only(await unitOf(kept), systemdUnitType);
    expect(JSON.stringify(inputs["files"])).toContain(String.raw`DATABASE_SECRET_ARN=\"arn:it\"`);
  });

  test("without a port is asked nowhere", async () => {
    const silent = { ...gunicorn, systemd: { ...gunicorn.systemd, listens: false } };
    const { inputs } = only(await unitOf(run(silent)), systemdUnitType);
    expect(inputs["health"]).toBeUndefined();
  });

  test("that the release does not have is not declared", async () => {
    const of = run(gunicorn);
    const without = { ...of.plan, slots: { blue: null, green: { ...release, images: {} } } };
    expect(await unitOf({ ...of, plan: without })).toEqual([]);
  });
});
