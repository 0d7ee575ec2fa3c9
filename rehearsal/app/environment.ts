import type { Image } from "../registry/registry.ts";

/** A port of the container that is published on an address of the machine. */
interface PublishedPort {
  readonly internal: number;
  readonly external: number;
  readonly ip: string;
}

/** The image that this process runs as. */
export const image = JSON.parse(variable("CONTAINER_IMAGE")) as Image;

/** What it runs in place of what the image runs; empty for that. */
export const command = JSON.parse(variable("CONTAINER_COMMAND")) as readonly string[];

/** The port that this process believes it listens on. */
export const port = Number(process.env["PORT"] ?? (image.service === "redis" ? "6379" : "8080"));

/** The slot it belongs to; empty when it was told none. */
export const slot = process.env["SLOT"] ?? "";

/** Where to listen: where the container publishes the port, or only inside of it when it does not. */
export function places(): { host: string; port: number }[] {
  const ports = JSON.parse(variable("CONTAINER_PORTS")) as readonly PublishedPort[];
  const published = ports.filter(({ internal }) => internal === port);
  return published.length === 0
    ? [{ host: "127.0.0.1", port: 0 }]
    : published.map(({ ip, external }) => ({ host: ip, port: external }));
}

/** Tells whether a switch is on: its variable is 1 or true. */
export function isOn(name: string): boolean {
  return ["1", "true"].includes(process.env[name] ?? "");
}

/**
 * A variable that must be there.
 *
 * @throws Error when it is not
 */
export function variable(name: string): string {
  const value = process.env[name];
  if (value !== undefined) return value;
  throw new Error(`environment variable ${name} is not set`);
}

/** What an error says. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
