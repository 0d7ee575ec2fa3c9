import type * as pulumi from "@pulumi/pulumi";
import { Container } from "@pulumi/docker/container.js";
import { Component, type StepOptions } from "../component.ts";

/** What a service is made from. */
export interface ServiceArgs {
  /** Name of the container. */
  readonly container: string;
  /** Image reference; a gate asks that it is given by digest. */
  readonly image: string;
  /** The IPv4 address on which its port is published. */
  readonly address: string;
  readonly port: number;
  /** Environment of the process; values may be secret. */
  readonly env: Readonly<Record<string, pulumi.Input<string>>>;
  readonly memoryMib: number;
  /** How long the service may take to be healthy. */
  readonly healthSeconds: number;
  readonly protect: boolean;
}

/** Seconds that a service gets to finish what it has begun; `docker stop` gives 10 by default. */
const drainSeconds = 30;

/** One container: health-checked, limited, restarted when it ends, and waited for until it is healthy. */
export class Service extends Component {
  constructor(name: string, args: ServiceArgs, step: StepOptions) {
    super("services:Service", name, step);
    this.#createContainer(name, args);
    this.registerOutputs({});
  }

  #createContainer(name: string, args: ServiceArgs): void {
    const { container, image, address, port, memoryMib, healthSeconds, protect } = args;
    new Container(
      `${name}-container`,
      {
        name: container,
        image,
        ports: [{ internal: port, external: port, ip: address }],
        envs: this.#environment(args),
        healthcheck: {
          tests: ["CMD", "wget", "-q", "--spider", `http://127.0.0.1:${port}/healthz`],
          interval: "1s",
          timeout: "2s",
          retries: 3,
          startPeriod: "10s",
        },
        wait: true,
        waitTimeout: healthSeconds,
        restart: "unless-stopped",
        mustRun: true,
        // Without it the provider kills a container in the middle of a request.
        destroyGraceSeconds: drainSeconds,
        memory: memoryMib,
        // The provider shows a difference for ever unless swap is given; twice the memory is Docker's own default.
        memorySwap: memoryMib * 2,
      },
      // Name and port stay, so the old container must go first; nobody is sent to this slot meanwhile.
      { ...this.child, deleteBeforeReplace: true, protect },
    );
  }

  #environment({ env, port }: ServiceArgs): pulumi.Input<string>[] {
    return Object.entries({ PORT: `${port}`, ...env }).map(([name, value]) => joined(name, value));
  }
}

function joined(name: string, value: pulumi.Input<string>): pulumi.Input<string> {
  return typeof value === "string"
    ? `${name}=${value}`
    : (value as pulumi.Output<string>).apply((text) => `${name}=${text}`);
}
