import type { ServiceConfig } from "../config.ts";
import { variable } from "../neighbour.ts";
import { probing } from "../probing.ts";
import type { Told } from "./told.ts";

/** A service of a Compose file, in its words. */
export type ComposeService = Readonly<Record<string, unknown>>;

/** How one service stands in a Compose file. */
export interface ComposePlace {
  readonly system: string;
  /** Its name in the file. */
  readonly name: string;
  readonly image: string;
  readonly settings: ServiceConfig;
  /** What it is told, as {@link environmentOf} makes it. */
  readonly environment: Readonly<Record<string, string | null>>;
  /** Names of services of the same file that must be healthy first. */
  readonly dependsOn: readonly string[];
  /** Address on which its port is published; undefined where only the other services reach it. */
  readonly published?: string | undefined;
}

/**
 * A service that may do nothing that it need not do: the same limits, health check and rights as the container that
 * `pulumi up` starts for the same row of the service table.
 */
export function composeService({
  system,
  name,
  image,
  settings,
  environment,
  dependsOn,
  published,
}: ComposePlace): ComposeService {
  const { port, memoryMib, cpus, drainSeconds, volumes } = settings;
  return {
    image,
    restart: "unless-stopped",
    environment,
    ...(published === undefined
      ? { expose: [`${port}`] }
      : { ports: [`${published}:${port}:${port}`] }),
    ...(dependsOn.length === 0
      ? {}
      : {
          depends_on: Object.fromEntries(
            dependsOn.map((name) => [name, { condition: "service_healthy" }]),
          ),
        }),
    healthcheck: {
      test: ["CMD", ...(settings.healthCommand ?? probing(port, settings.health)).map(literal)],
      interval: "1s",
      timeout: "2s",
      retries: 3,
      start_period: "10s",
    },
    stop_grace_period: `${drainSeconds}s`,
    mem_limit: `${memoryMib}m`,
    memswap_limit: `${memoryMib * 2}m`,
    ...(cpus === undefined ? {} : { cpus }),
    read_only: !settings.writable,
    tmpfs: ["/tmp:size=64m"],
    ...confined,
    networks: [system],
    ...(Object.keys(volumes).length === 0
      ? {}
      : {
          // As `pulumi up` has it, each service has volumes of its own.
          volumes: Object.entries(volumes).map(([volume, path]) => `${name}-${volume}:${path}`),
        }),
  };
}

/** What no container gets, and where all of them write. */
export const confined: ComposeService = {
  cap_drop: ["ALL"],
  security_opt: ["no-new-privileges:true"],
  logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
};

/**
 * The environment of a service in a Compose file: values as they are, and secrets by the name that they have in the
 * file's `.env`. Compose refuses to start while one of those is empty.
 *
 * @param names the name in `.env` by the service's own name of the variable
 */
export function environmentOf(
  port: number,
  { open, secret }: Told,
  names: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    PORT: `${port}`,
    ...Object.fromEntries(Object.entries(open).map(([name, value]) => [name, literal(value)])),
    ...Object.fromEntries(Object.keys(secret).map((name) => [name, required(names[name] ?? name)])),
  };
}

/** A value that whoever starts the file must give. */
export function required(name: string): string {
  return `\${${name}:?}`;
}

/** A text in which Compose finds no variable. */
export function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/**
 * What each secret of some services is called in the `.env` of all of them: as the service calls it, with the service's
 * name before it where two mean different things by it.
 */
export function secretNames(
  told: Readonly<Record<string, Told>>,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const sources = (name: string): Set<string> =>
    new Set(Object.values(told).flatMap(({ secret }) => secret[name] ?? []));
  return Object.fromEntries(
    Object.entries(told).map(([service, { secret }]) => [
      service,
      Object.fromEntries(
        Object.keys(secret).map((name) => [
          name,
          sources(name).size > 1 ? `${variable(service)}_${name}` : name,
        ]),
      ),
    ]),
  );
}
