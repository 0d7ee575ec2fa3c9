import { randomBytes } from "node:crypto";
import { z } from "zod";
import {
  RefusedError,
  type ProviderDefinition,
  type ResourceType,
} from "../../infra/provider/serve.ts";
import type { Registry } from "../registry/registry.ts";
import { DaemonError } from "./container-record.ts";
import { startDaemon, type Daemon } from "./containers.ts";
import { containerType } from "./docker-container.ts";
import { standIn, textOf } from "./kind.ts";
import { notImitated } from "./refusal.ts";
import type { Store } from "./store.ts";

/** The provider `docker` on local means, and the daemon behind it, which it closes when it goes. */
export interface DockerDefinition extends ProviderDefinition {
  readonly daemon: Daemon;
}

/** Opens the provider `docker`: containers are processes. They run until it closes. */
export async function openDocker(store: Store, registry: Registry): Promise<DockerDefinition> {
  const daemon = await startDaemon(store, registry);
  const hosts = store.collection<{ readonly configuredAt: string }>("docker-hosts");
  return {
    name: "docker",
    version: "5.2.0",
    types: {
      "docker:index/container:Container": containerType(daemon),
      "docker:index/network:Network": networkType(daemon),
      "docker:index/remoteImage:RemoteImage": imageType(daemon),
      "docker:index/volume:Volume": volumeType(daemon),
    },
    // All hosts of a rehearsal are this machine: which ones the program named is remembered, and no more.
    configure(_variables, { host }) {
      if (typeof host === "string") hosts.set(host, { configuredAt: new Date().toISOString() });
    },
    unsupported: notImitated,
    onShutdown: () => daemon.close(),
    daemon,
  };
}

const labels = z.array(z.strictObject({ label: z.string(), value: z.string() })).optional();

const networkInputs = z.strictObject({
  name: z.string(),
  driver: z.literal("bridge", { error: "the rehearsal only has bridge" }).default("bridge"),
  internal: z.boolean().optional(),
  attachable: z.boolean().optional(),
  labels,
});

/** Networks are kept and named; all processes of a rehearsal reach each other without. */
function networkType({ containers, networks }: Daemon): ResourceType {
  return standIn({
    inputs: networkInputs,
    replaceOn: "every",
    physicalName: "name",
    create({ name }) {
      if (networks.items().some((network) => network.name === name)) {
        throw new RefusedError(
          `Unable to create network: Error response from daemon: network with name ${name} already exists`,
        );
      }
      const id = randomBytes(32).toString("hex");
      networks.set(id, { name });
      return Promise.resolve({ id, outputs: { scope: "local" } });
    },
    exists: ({ id }) => networks.get(id) !== undefined,
    delete(olds) {
      const name = textOf(olds, "name");
      const inUse = containers
        .items()
        .some((container) => container.networks.some((each) => [name, olds.id].includes(each)));
      if (inUse) {
        throw new RefusedError(
          `Unable to remove network: Error response from daemon: error while removing network: network ${name} id ${olds.id} has active endpoints`,
        );
      }
      networks.delete(olds.id);
      return Promise.resolve();
    },
  });
}

const imageInputs = z.strictObject({
  name: z.string().min(1),
  keepLocally: z.literal(true, { error: "the rehearsal removes no image that was pulled" }),
});

/** An image that is pulled unless it is there; it stays. */
function imageType(daemon: Daemon): ResourceType {
  return standIn({
    inputs: imageInputs,
    replaceOn: (name) => name !== "keepLocally",
    create({ name }) {
      try {
        const { digest, reference } = daemon.findImage(name) ?? daemon.pull(name);
        const outputs = { imageId: digest, repoDigest: reference };
        return Promise.resolve({ id: `${digest}${name}`, outputs });
      } catch (error) {
        if (!(error instanceof DaemonError)) throw error;
        throw new RefusedError(
          "Unable to read Docker image into resource: " +
            `unable to pull image ${name}: error pulling image ${name}: Error response from daemon: ${error.message}`,
        );
      }
    },
    exists: (olds) => daemon.findImage(textOf(olds, "name")) !== undefined,
    delete: () => Promise.resolve(),
  });
}

const volumeInputs = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9][\w.-]+$/),
  driver: z.literal("local", { error: "the rehearsal only has local" }).default("local"),
  labels,
});

/** A volume is a folder. As with the daemon, one of that name that exists already is taken. */
function volumeType(daemon: Daemon): ResourceType {
  const { volumes } = daemon;
  return standIn({
    inputs: volumeInputs,
    replaceOn: "every",
    physicalName: "name",
    create({ name }) {
      if (volumes.get(name) === undefined) {
        volumes.set(name, { createdAt: new Date().toISOString() });
      }
      const mountpoint = `/var/lib/docker/volumes/${name}/_data`;
      return Promise.resolve({ id: name, outputs: { mountpoint } });
    },
    exists: ({ id }) => volumes.get(id) !== undefined,
    delete({ id }) {
      try {
        daemon.removeVolume(id);
      } catch (error) {
        if (!(error instanceof DaemonError)) throw error;
        // The provider looks again for 30 s before it says this; nothing would change here meanwhile.
        throw new RefusedError(
          "timeout while waiting for state to become 'removed' (last state: 'in_use', timeout: 30s)",
        );
      }
      return Promise.resolve();
    },
  });
}
