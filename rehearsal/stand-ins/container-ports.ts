import { setTimeout as sleep } from "node:timers/promises";
import { DaemonError, type ContainerRecord } from "./container-record.ts";
import { isFree } from "./network.ts";

/**
 * Refuses ports that somebody has already, as the daemon does when it starts a container.
 *
 * @throws DaemonError in the daemon's words
 */
export async function refuseTakenPorts(
  record: ContainerRecord,
  all: () => readonly ContainerRecord[],
): Promise<void> {
  refuseAllocatedPorts(record, all());
  await refuseForeignPorts(record);
  // Another container may have got them while this one looked.
  refuseAllocatedPorts(record, all());
}

/** Waits until the ports of a container are free, at most this long. */
export async function waitForFreePorts(
  { ports }: ContainerRecord,
  milliseconds: number,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  for (const { ip, external } of ports) {
    while (Date.now() < deadline && !(await isFree(ip, external))) await sleep(pollMilliseconds);
  }
}

const pollMilliseconds = 20;

function refuseAllocatedPorts(record: ContainerRecord, all: readonly ContainerRecord[]): void {
  const allocated = all
    .filter(({ id, status }) => id !== record.id && status === "running")
    .flatMap(({ ports }) => ports);
  for (const { ip, external } of record.ports) {
    if (!allocated.some((port) => port.external === external && port.ip === ip)) continue;
    const where = `${ip}:${String(external)}`;
    throw new DaemonError(
      500,
      `${connectivityFailed(record)}: Bind for ${where} failed: port is already allocated`,
    );
  }
}

async function refuseForeignPorts(record: ContainerRecord): Promise<void> {
  for (const { ip, external } of record.ports) {
    if (await isFree(ip, external)) continue;
    throw new DaemonError(
      500,
      `${connectivityFailed(record)}: failed to bind host port for ${ip}:${String(external)}/tcp: ` +
        "address already in use",
    );
  }
}

function connectivityFailed({ name }: ContainerRecord): string {
  return `driver failed programming external connectivity on endpoint ${name}`;
}
