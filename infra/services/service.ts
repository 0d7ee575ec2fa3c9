import type * as pulumi from "@pulumi/pulumi";
import { Container, type ContainerArgs } from "@pulumi/docker/container.js";
import type { Provider } from "@pulumi/docker/provider.js";
import { Volume } from "@pulumi/docker/volume.js";
import { Component, type StepOptions } from "../component.ts";
import { InPlaceService } from "../release/resources.ts";
import type { ServiceConfig } from "./config.ts";
import { probing } from "./probing.ts";

/** What a service is made from. */
export interface ServiceArgs {
  /** Name of the container. */
  readonly container: string;
  /** Image reference; a gate asks that it is given by digest. */
  readonly image: string;
  /** The IPv4 address on which its port is published. */
  readonly address: string;
  readonly settings: Partial<ServiceConfig> & Pick<ServiceConfig, "port">;
  /** Name of the system, whose network it joins. */
  readonly system: string;
  /** Environment of the process; values may be secret. */
  readonly env: Readonly<Record<string, pulumi.Input<string>>>;
  /** How long the service may take to be healthy. */
  readonly healthSeconds: number;
  readonly protect: boolean;
  /** False for one that something else may stop. */
  readonly mustRun?: boolean;
  /** The daemon that runs it; the default one where it is undefined. */
  readonly host: Provider | undefined;
}

/** One container: health-checked, limited, restarted when it ends, and waited for until it is healthy. */
export class Service extends Component {
  constructor(name: string, args: ServiceArgs, step: StepOptions) {
    super("services:Service", name, step);
    const { protect, host } = args;
    const provider = host === undefined ? {} : { provider: host };
    const volumes = Object.entries(args.settings.volumes ?? {}).map(
      ([volume]) =>
        new Volume(
          `${name}-${volume}`,
          { name: `${args.container}-${volume}` },
          { ...this.child, ...provider, protect: true },
        ),
    );
    new Container(
      `${name}-container`,
      containerArgs(args),
      // Name and port stay, so the old container must go first; nobody is sent to this slot meanwhile.
      { ...this.after(...volumes), ...provider, deleteBeforeReplace: true, protect },
    );
    this.registerOutputs({});
  }
}

/** What a service that keeps its port is made from. */
export interface InPlaceArgs extends ServiceArgs {
  readonly stack: string;
  readonly release: string;
}

/** One container that keeps its port: the new one takes the old one's place, or the old one comes back. */
export class InPlace extends Component {
  constructor(name: string, args: InPlaceArgs, step: StepOptions) {
    super("services:InPlace", name, step);
    const { stack, release, host } = args;
    new InPlaceService(
      `${name}-container`,
      { ...containerArgs(args), stack, release, host: host?.host },
      this.child,
    );
    this.registerOutputs({});
  }
}

/** A container that may do nothing that it need not do. */
function containerArgs(args: ServiceArgs): ContainerArgs & { readonly name: string } {
  const { container, image, address, settings, system, healthSeconds } = args;
  const { port, memoryMib = 256, drainSeconds = 30, health = "/healthz", volumes = {} } = settings;
  return {
    name: container,
    image,
    ports: [{ internal: port, external: port, ip: address }],
    envs: environment(args),
    healthcheck: {
      tests: ["CMD", ...(settings.healthCommand ?? probing(port, health))],
      interval: "1s",
      timeout: "2s",
      retries: 3,
      startPeriod: "10s",
    },
    wait: true,
    waitTimeout: healthSeconds,
    restart: "unless-stopped",
    mustRun: args.mustRun ?? true,
    // Without it the provider kills a container in the middle of a request.
    destroyGraceSeconds: drainSeconds,
    memory: memoryMib,
    // The provider shows a difference for ever unless swap is given; twice the memory is Docker's own default.
    memorySwap: memoryMib * 2,
    ...(settings.cpus === undefined ? {} : { cpus: String(settings.cpus) }),
    readOnly: settings.writable !== true,
    tmpfs: { "/tmp": "size=64m" },
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    privileged: false,
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    networksAdvanced: [{ name: system }],
    volumes: Object.entries(volumes).map(([volume, containerPath]) => ({
      volumeName: `${container}-${volume}`,
      containerPath,
    })),
  };
}

function environment({ env, settings }: ServiceArgs): pulumi.Input<string>[] {
  return Object.entries({ PORT: `${settings.port}`, ...env }).map(([name, value]) =>
    joined(name, value),
  );
}

function joined(name: string, value: pulumi.Input<string>): pulumi.Input<string> {
  return typeof value === "string"
    ? `${name}=${value}`
    : (value as pulumi.Output<string>).apply((text) => `${name}=${text}`);
}
