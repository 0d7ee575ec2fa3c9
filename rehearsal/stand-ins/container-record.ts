import type { HealthCheck } from "./container-health.ts";

/** A port of a container that is published on an address of the machine. */
interface PublishedPort {
  readonly internal: number;
  readonly external: number;
  readonly ip: string;
}

/** A volume of a container: a folder that outlives it. */
export interface Mount {
  readonly name: string;
  /** Where the container has it. */
  readonly path: string;
  readonly readOnly: boolean;
}

/** What a container is made from. */
export interface ContainerSpec {
  readonly name: string;
  /** Image reference. */
  readonly image: string;
  /** Lines `NAME=value`. */
  readonly envs: readonly string[];
  /** What runs in place of what the image runs; empty for that. */
  readonly command: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly PublishedPort[];
  readonly networks: readonly string[];
  readonly volumes: readonly Mount[];
  readonly healthCheck: HealthCheck | undefined;
  readonly restart: RestartPolicy;
  /** How often `on-failure` starts it again; 0 for always. */
  readonly maxRetryCount: number;
  /** Whether it is removed when it ends. */
  readonly autoRemove: boolean;
  /** What a process of the rehearsal has no use for, as the Engine API names it in `HostConfig`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What happens when a container ends by itself. */
export type RestartPolicy = "no" | "on-failure" | "always" | "unless-stopped";

/** What changes while a container lives. Times in ISO 8601. */
export interface ContainerState {
  readonly status: "created" | "running" | "exited";
  readonly exitCode: number;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  readonly restartCount: number;
}

/** What the daemon keeps of a container. */
export interface ContainerRecord extends ContainerSpec, ContainerState {
  readonly id: string;
  readonly digest: string;
  readonly createdAt: string;
  /** Name of the file with all that it writes; both of its streams in one. */
  readonly log: string;
}

/** An error of the daemon, in its words, with the status that its API gives it. */
export class DaemonError extends Error {
  override readonly name = "DaemonError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
