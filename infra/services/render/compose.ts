import type { Config } from "../../config.ts";
import type { Release } from "../../release/release.ts";
import { startOrder } from "../start-order.ts";
import { composeDatabase, databaseService, passwordVariable } from "./compose-database.ts";
import { composeFile, envTemplate, type TemplateLine } from "./compose-file.ts";
import {
  composeService,
  environmentOf,
  literal,
  required,
  secretNames,
  type ComposeService,
} from "./compose-service.ts";
import type { RenderedFile } from "./rendered-file.ts";
import { databaseVariable, toldTo, type Told } from "./told.ts";

/** What files are rendered from. */
export interface RenderSource {
  readonly config: Config;
  readonly release: Pick<Release, "version" | "images">;
}

/** The address of the host in the split form, where services of two slots do not have one of their own. */
const hostVariable = "HOST_ADDRESS";

/**
 * Compose files for two hosts: the application's, and one for what it stands on, with an `.env` template each. Only what
 * a DNS name leads to is published on the application's host, and on the other one what the first one needs.
 */
export function renderCompose(source: RenderSource): RenderedFile[] {
  const { config, release } = source;
  const { system, services, database } = config;
  const released = orderedServices(config, (image) => image === undefined);
  const platform = orderedServices(config, (image) => image !== undefined);
  const app = made(source, released, {
    placeOf: (other) =>
      released.includes(other)
        ? inside(config, other)
        : `${services[other]?.address ?? ""}:${services[other]?.port ?? 0}`,
    published: (name) =>
      leadsTo(config, name) ? (services[name]?.address ?? required(hostVariable)) : undefined,
  });
  const infra = made(source, platform, {
    placeOf: (other) => inside(config, other),
    published: (name) => services[name]?.address,
  });
  const needsHost = JSON.stringify(app.services).includes(required(hostVariable));
  const infraServices = {
    ...(database.kind === "container"
      ? { [databaseService]: composeDatabase(system, database, true) }
      : {}),
    ...infra.services,
  };
  return [
    composeFile(
      "compose.yaml",
      heading(
        `The application's host of ${system}, release ${release.version}.`,
        "env.vps.example",
      ),
      system,
      system,
      app.services,
    ),
    envTemplate("env.vps.example", templateHeading("compose.yaml"), [
      ...(needsHost
        ? [{ name: hostVariable, source: "the address of this host that clients reach" }]
        : []),
      ...app.lines,
    ]),
    ...(Object.keys(infraServices).length === 0
      ? []
      : [
          composeFile(
            "compose.infra.yaml",
            heading(`What ${system} stands on, on a host of its own.`, "env.infra.example"),
            `${system}-infra`,
            system,
            infraServices,
          ),
          envTemplate("env.infra.example", templateHeading("compose.infra.yaml"), [
            ...databaseLines(config),
            ...infra.lines,
          ]),
        ]),
  ];
}

/**
 * One Compose file for Coolify, which runs everything on one host behind its own proxy. Nothing is published: a
 * `SERVICE_URL_<NAME>_<PORT>` tells the proxy where a DNS name leads, and the domain is set in Coolify.
 *
 * The database needs no place of its own: it is in the file when it is a container.
 */
export function renderCoolify(source: RenderSource): RenderedFile[] {
  const { config, release } = source;
  const { system, database } = config;
  const all = orderedServices(config, () => true);
  const { services, lines } = made(source, all, {
    placeOf: (other) => inside(config, other),
    published: () => undefined,
    routed: (name) => leadsTo(config, name),
    ...(database.kind === "container"
      ? {
          databaseUrl: `postgres://${database.username}:${required(passwordVariable)}@${databaseService}:5432/${database.name}`,
          after: databaseService,
        }
      : {}),
  });
  const whole = {
    ...(database.kind === "container"
      ? { [databaseService]: composeDatabase(system, database, false) }
      : {}),
    ...services,
  };
  return [
    composeFile(
      "compose.coolify.yaml",
      heading(
        `${system} on one host under Coolify, release ${release.version}.`,
        "env.coolify.example",
      ),
      system,
      system,
      whole,
    ),
    envTemplate(
      "env.coolify.example",
      [
        "The variables of compose.coolify.yaml, to be filled in in Coolify.",
        "Coolify itself makes those that begin with SERVICE_.",
      ],
      [...databaseLines(config), ...lines],
    ),
  ];
}

/** How the services of one file reach each other, and who reaches them. */
interface Form {
  placeOf(other: string): string;
  published(name: string): string | undefined;
  routed?(name: string): boolean;
  /** Where the file itself says what the database's URL is. */
  readonly databaseUrl?: string;
  /** What every service of the release waits for. */
  readonly after?: string;
}

function made(
  { config, release }: RenderSource,
  names: readonly string[],
  form: Form,
): { services: Record<string, ComposeService>; lines: TemplateLine[] } {
  const told = Object.fromEntries(
    names.map((name) => [name, toldTo(name, config, (other) => form.placeOf(other))]),
  );
  const named = secretNames(told);
  const rows = names.flatMap((name): [string, ComposeService][] => {
    const settings = config.services[name];
    const image = settings?.image ?? release.images[name];
    if (settings === undefined || image === undefined) return [];
    const isReleased = settings.image === undefined;
    const environment = {
      ...environmentOf(settings.port, told[name] as Told, named[name] ?? {}),
      ...(isReleased && form.databaseUrl !== undefined
        ? { [databaseVariable]: form.databaseUrl }
        : {}),
      ...(form.routed?.(name) === true ? { [proxyVariable(name, settings.port)]: null } : {}),
    };
    const service = composeService({
      system: config.system,
      name,
      image: literal(image),
      settings,
      environment,
      dependsOn: [
        ...(isReleased && form.after !== undefined ? [form.after] : []),
        ...settings.dependsOn.filter((other) => names.includes(other)),
      ],
      published: form.published(name),
    });
    return [[name, service]];
  });
  const lines = Object.entries(told).flatMap(([service, { secret }]) =>
    Object.entries(secret)
      .filter(([name]) => name !== databaseVariable || form.databaseUrl === undefined)
      .map(([name, source]) => ({ name: named[service]?.[name] ?? name, source })),
  );
  return { services: Object.fromEntries(rows), lines };
}

/** Services in the order in which they start; those of systemd are in no container. */
function orderedServices(
  { services }: Config,
  wanted: (image: string | undefined) => boolean,
): string[] {
  return (startOrder(services).order ?? []).filter((name) => {
    const settings = services[name];
    return settings !== undefined && settings.systemd === undefined && wanted(settings.image);
  });
}

/** Without a value, because Coolify makes it. It reads a port only behind a name without underscores. */
function proxyVariable(name: string, port: number): string {
  return `SERVICE_URL_${name.toUpperCase()}_${port}`;
}

function inside({ services }: Config, name: string): string {
  return `${name}:${services[name]?.port ?? 0}`;
}

function leadsTo({ dns }: Config, name: string): boolean {
  return Object.values(dns.names).some(({ service }) => service === name);
}

function databaseLines({ database }: Config): TemplateLine[] {
  if (database.kind !== "container") return [];
  return [{ name: passwordVariable, source: "pulumi config get cutover:databasePassword" }];
}

function heading(what: string, template: string): string[] {
  return [
    what,
    `Rendered by npx cutover render: changes here are lost. Its variables: ${template}`,
  ];
}

function templateHeading(file: string): string[] {
  return [
    `The variables of ${file}. Copy it to .env beside that file, with mode 0600, and fill it in.`,
  ];
}
