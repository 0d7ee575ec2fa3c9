import * as pulumi from "@pulumi/pulumi";
import { Container } from "@pulumi/docker/container.js";
import { Volume } from "@pulumi/docker/volume.js";
import { Component, type StepOptions } from "../component.ts";
import { hostOf } from "../services/hosts.ts";
import type { ContainerDatabaseConfig } from "./config.ts";
import { DatabaseDump } from "./database-dump.ts";
import type {
  DatabaseArgs,
  PasswordConnection,
  RecoveryPoint,
  RecoveryPointArgs,
  ReleaseDatabase,
  RestoreSource,
} from "./database.ts";
import { dumpStore } from "./dump-store.ts";
import { postgresContainer, postgresPort } from "./postgres-image.ts";

/** Seconds that the server gets to end: a checkpoint of its memory comes first. Then it would be killed, and recover. */
const graceSeconds = 60;

/**
 * A PostgreSQL server in a container: its data in a volume of its own with checksums on, no root and no capability, and
 * its recovery points dumps in a bucket.
 */
export class ContainerDatabase extends Component implements ReleaseDatabase {
  readonly resource: pulumi.Resource = this;
  readonly connection: PasswordConnection;
  readonly backedUp: readonly pulumi.Input<string>[] = [];
  readonly restoresFrom: RestoreSource;
  readonly #args: DatabaseArgs<ContainerDatabaseConfig>;

  constructor(name: string, args: DatabaseArgs<ContainerDatabaseConfig>, step: StepOptions) {
    super("databases:ContainerDatabase", name, step);
    this.#args = args;
    const { settings, system, hosts, buckets } = args;
    this.connection = {
      host: settings.address,
      port: settings.port,
      database: settings.name,
      user: settings.username,
      password: passwordOf(args),
    };
    this.restoresFrom = {
      kind: "container",
      system,
      container: databaseContainerName(system),
      ...(hosts[settings.address] === undefined ? {} : { host: hosts[settings.address] }),
      image: settings.image,
      engineVersion: settings.engineVersion,
      memory: settings.memoryMib,
      store: dumpStore(settings, buckets),
    };
    this.#createServer(name);
    this.registerOutputs({});
  }

  takeRecoveryPoint(
    name: string,
    { stack, release, token }: RecoveryPointArgs,
    step: StepOptions,
  ): RecoveryPoint {
    const { settings, system, hosts, buckets } = this.#args;
    const resource = new DatabaseDump(
      name,
      {
        stack,
        system,
        release,
        name: settings.name,
        token,
        user: settings.username,
        password: this.connection.password,
        container: databaseContainerName(system),
        host: hosts[settings.address],
        store: dumpStore(settings, buckets),
      },
      step,
    );
    return { resource, id: resource.key };
  }

  #createServer(name: string): void {
    const { settings, system, hosts, healthSeconds } = this.#args;
    const host = hostOf(settings.address, { hosts });
    const provider = host === undefined ? {} : { provider: host };
    const container = databaseContainerName(system);
    const { envs, user, dataPath, tmpfs, shmMib, healthCommand } = postgresContainer(settings);
    const volumeName = `${container}-data`;
    const volume = new Volume(
      `${name}-data`,
      { name: volumeName },
      { ...this.child, ...provider, protect: true },
    );
    new Container(
      `${name}-container`,
      {
        name: container,
        image: settings.image,
        user,
        ports: [{ internal: postgresPort, external: settings.port, ip: settings.address }],
        // The image takes the password so; whoever may ask the container host can read it.
        envs: [...envs, pulumi.interpolate`POSTGRES_PASSWORD=${this.connection.password}`],
        volumes: [{ volumeName, containerPath: dataPath }],
        healthcheck: {
          tests: ["CMD", ...healthCommand],
          interval: "2s",
          timeout: "5s",
          retries: 5,
          startPeriod: "60s",
        },
        wait: true,
        waitTimeout: healthSeconds,
        restart: "unless-stopped",
        mustRun: true,
        destroyGraceSeconds: graceSeconds,
        memory: settings.memoryMib,
        // The provider shows a difference for ever unless swap is given; twice the memory is Docker's own default.
        memorySwap: settings.memoryMib * 2,
        shmSize: shmMib,
        readOnly: true,
        tmpfs: { ...tmpfs },
        capabilities: { drops: ["ALL"] },
        securityOpts: ["no-new-privileges"],
        privileged: false,
        logDriver: "json-file",
        logOpts: { "max-size": "10m", "max-file": "3" },
        networksAdvanced: [{ name: system }],
      },
      // Two servers must never work on one volume.
      { ...this.after(volume), ...provider, deleteBeforeReplace: true, protect: true },
    );
  }
}

/** Name of the container that a system's database runs in. */
export function databaseContainerName(system: string): string {
  return `${system}-database`;
}

function passwordOf({ password }: Pick<DatabaseArgs, "password">): pulumi.Output<string> {
  if (password !== undefined) return password;
  throw new Error("A database in a container needs cutover:databasePassword.");
}
