import type { Config } from "../../../../infra/config.ts";
import { serviceConfig, type ServiceConfig } from "../../../../infra/services/config.ts";
import type { RenderSource } from "../../../../infra/services/render/compose.ts";
import { sampleConfig } from "../../../support/config.ts";

/** A row of the service table with its defaults. */
export function row(settings: Record<string, unknown>): ServiceConfig {
  return serviceConfig.parse(settings);
}

/** The image of a service, by a digest of its own. */
export function imageOf(name: string): string {
  const hex = Buffer.from(name).toString("hex").padEnd(64, "0");
  return `registry.example.com/shop/${name}@sha256:${hex}`;
}

/** A stack of two applications on a platform of one, under systemd or not. */
export function source(
  services: Record<string, Record<string, unknown>>,
  changes: Partial<Config> = {},
): RenderSource {
  const rows = Object.fromEntries(
    Object.entries(services).map(([name, settings]) => [name, row(settings)]),
  );
  const config = { ...sampleConfig(), system: "shop", services: rows, ...changes };
  const released = Object.keys(rows).filter((name) => rows[name]?.image === undefined);
  return {
    config,
    release: {
      version: "v1.1.0",
      images: Object.fromEntries(released.map((name) => [name, imageOf(name)])),
    },
  };
}

/** The dashboard's one service. */
export const gunicorn = {
  placement: "in-place",
  address: "203.0.113.10",
  port: 8080,
  memoryMib: 512,
  cpus: 1.5,
  systemd: {
    environment: "dashboard",
    command: ["gunicorn", "--workers", "4", "dashboard.server:app"],
    workingDirectory: "/srv/dashboard",
    user: "dashboard",
    watchdogSeconds: 30,
  },
};
