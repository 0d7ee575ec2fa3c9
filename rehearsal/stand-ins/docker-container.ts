import {
  PartialError,
  RefusedError,
  type Call,
  type ResourceType,
} from "../../infra/provider/serve.ts";
import { DaemonError, type ContainerRecord } from "./container-record.ts";
import type { Daemon } from "./containers.ts";
import { containerInputs, specOf, swapOf, type ContainerInputs } from "./docker-inputs.ts";
import { computedOf, standIn } from "./kind.ts";

// Everything else forces a new container: resource_docker_container.go of kreuzwerker/terraform-provider-docker.
const updatable = new Set([
  "attach",
  "cpuShares",
  "destroyGraceSeconds",
  "healthcheck",
  "init",
  "logs",
  "maxRetryCount",
  "memory",
  "memorySwap",
  "mustRun",
  "removeVolumes",
  "restart",
  "rm",
  "start",
  "tmpfs",
  "wait",
  "waitTimeout",
]);

const containerOutputs = [
  "bridge",
  "containerLogs",
  "exitCode",
  "hostname",
  "networkDatas",
  "ports",
];

/** The type `docker:index/container:Container`. */
export function containerType(daemon: Daemon): ResourceType {
  return standIn({
    inputs: containerInputs,
    replaceOn: (name) => !updatable.has(name),
    deleteFirst: true,
    // The daemon takes twice the memory for the swap that nobody gave, and the provider compares it with nothing.
    driftOf: ({ outputs }, news) =>
      outputs["memorySwap"] !== undefined && news["memorySwap"] === undefined ? ["memorySwap"] : [],
    async create(inputs, call) {
      const { id } = makeContainer(daemon, inputs);
      try {
        if (inputs.start) await bringUp(daemon, id, inputs, call);
        if (inputs.attach) await daemon.waitEnd(id, call.signal);
        return { id, outputs: { ...inputs, ...outputsOf(daemon, id, inputs) } };
      } catch (error) {
        if (daemon.find(id) === undefined) throw error;
        const outputs = { ...inputs, ...outputsOf(daemon, id, inputs) };
        throw new PartialError(messageOf(error), id, outputs);
      }
    },
    // As the provider: it neither looks at health nor does anything about most of what may change.
    update(olds, inputs) {
      const { restart, maxRetryCount = 0 } = inputs;
      if (daemon.find(olds.id) === undefined) {
        throw new RefusedError(`Unable to update a container: No such container: ${olds.id}`);
      }
      daemon.update(olds.id, { restart, maxRetryCount });
      return Promise.resolve({ ...computedOf(olds, containerOutputs), ...swapOf(inputs) });
    },
    async exists(olds) {
      const record = daemon.find(olds.id);
      if (record === undefined) return false;
      if (record.status === "running" || olds.inputs["mustRun"] === false) return true;
      // A container that must run and does not is removed when the provider looks at it, so that it is made again.
      await daemon.remove(olds.id, 0);
      return false;
    },
    async delete(olds) {
      if (daemon.find(olds.id) === undefined) return;
      // Without this the provider removes by force: the process is killed in the middle of what it does.
      const grace = olds.inputs["destroyGraceSeconds"];
      await daemon.remove(olds.id, typeof grace === "number" ? grace * 1000 : 0);
    },
  });
}

function makeContainer(daemon: Daemon, inputs: ContainerInputs): ContainerRecord {
  const wanted = (inputs.networksAdvanced ?? []).map(({ name }) => name);
  pull(daemon, inputs.image);
  try {
    const record = daemon.create(specOf(inputs));
    const missing = wanted.find((name) => !hasNetwork(daemon, name));
    if (missing === undefined) return record;
    throw new PartialError(
      `Unable to connect to network '${missing}': Error response from daemon: network ${missing} not found`,
      record.id,
      { ...inputs, ...outputsOf(daemon, record.id, inputs) },
    );
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    throw new RefusedError(
      `Unable to create container: Error response from daemon: ${error.message}`,
    );
  }
}

function pull(daemon: Daemon, image: string): void {
  if (daemon.findImage(image) !== undefined) return;
  try {
    daemon.pull(image);
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    throw new RefusedError(
      `Unable to create container with image ${image}: unable to pull image ${image}: ` +
        `Error response from daemon: ${error.message}`,
    );
  }
}

/** Tells whether the daemon has a network of this name or id. */
function hasNetwork({ networks }: Daemon, nameOrId: string): boolean {
  return (
    networks.get(nameOrId) !== undefined || networks.items().some(({ name }) => name === nameOrId)
  );
}

async function bringUp(
  daemon: Daemon,
  id: string,
  { wait, waitTimeout, mustRun, healthcheck, restart }: ContainerInputs,
  call: Call,
): Promise<void> {
  await daemon.start(id);
  const exited = (): boolean => daemon.find(id)?.status !== "running";
  if (mustRun && restart === "no" && exited()) {
    if (daemon.find(id) !== undefined) await daemon.remove(id, 0);
    throw new RefusedError("container exited immediately");
  }
  if (!wait) return;
  if (healthcheck === undefined) {
    throw new RefusedError(
      "you need to specify a healthcheck to wait for the container to be healthy",
    );
  }
  if (!(await daemon.waitHealthy(id, waitTimeout * 1000, call.signal))) {
    throw new RefusedError("container failed to be in healthy state");
  }
}

function messageOf(error: unknown): string {
  if (error instanceof DaemonError) {
    return `Unable to start container: Error response from daemon: ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}

function outputsOf(daemon: Daemon, id: string, inputs: ContainerInputs): Record<string, unknown> {
  const record = daemon.find(id);
  return {
    bridge: "",
    containerLogs: inputs.attach && inputs.logs && record !== undefined ? daemon.logs(id) : "",
    exitCode: record?.exitCode ?? 0,
    hostname: inputs.hostname ?? id.slice(0, 12),
    networkDatas: [{ networkName: inputs.networkMode }],
    ports: (record?.ports ?? []).map((each) => ({ ...each, protocol: "tcp" })),
    ...swapOf(inputs),
  };
}
