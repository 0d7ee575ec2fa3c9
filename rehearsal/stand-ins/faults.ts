import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  RefusedError,
  type Call,
  type ProviderDefinition,
  type ResourceType,
} from "../../infra/provider/serve.ts";

/** What can go wrong at a cloud, once, at one operation on one resource. */
export interface Fault {
  /** URN of the resource, or its last part. */
  readonly resource: string;
  readonly operation: "create" | "update" | "delete";
  /**
   * `fail`: nothing is done and an error comes back. `hold`: nothing is done until the fault is released.
   * `drop`: the work is done and the answer is lost, as when a connection breaks.
   */
  readonly kind: "fail" | "hold" | "drop";
  /** What the cloud says; by default that it is unavailable. */
  readonly message?: string;
}

/** The faults that wait for their operation. They are files, so that another process can set and release them. */
export interface Faults {
  /** Sets a fault and returns its id. */
  add(fault: Fault): string;
  /** Resolves once the fault's operation has come: it failed, is being held, or its answer is being dropped. */
  reached(id: string, milliseconds?: number): Promise<void>;
  /** Lets a held operation go on. */
  release(id: string): void;
}

/** Opens the faults kept in a folder. */
export function openFaults(folder: string): Faults {
  mkdirSync(folder, { recursive: true });
  let count = 0;
  return {
    add(fault) {
      count += 1;
      const id = `${String(process.pid)}-${String(count)}`;
      const beside = join(folder, `${id}.tmp`);
      writeFileSync(beside, `${JSON.stringify(fault, null, 2)}\n`);
      renameSync(beside, join(folder, `${id}${waiting}`));
      return id;
    },
    async reached(id, milliseconds = 30_000) {
      const deadline = Date.now() + milliseconds;
      while (existsSync(join(folder, `${id}${waiting}`))) {
        if (Date.now() > deadline) throw new Error(`fault ${id} waited in vain for its operation`);
        await sleep(pollMilliseconds);
      }
    },
    release(id) {
      rmSync(join(folder, `${id}${taken}`), { force: true });
      rmSync(join(folder, `${id}${waiting}`), { force: true });
    },
  };
}

/** The same provider, with the faults of a folder in its way. Previews are not disturbed. */
export function withFaults(definition: ProviderDefinition, folder: string): ProviderDefinition {
  const types = Object.entries(definition.types).map(([token, type]) => [
    token,
    faulty(type, folder),
  ]);
  return { ...definition, types: Object.fromEntries(types) as Record<string, ResourceType> };
}

const waiting = ".waiting.json";
const taken = ".taken.json";
const pollMilliseconds = 20;

function faulty(type: ResourceType, folder: string): ResourceType {
  const around = <Result>(
    operation: Fault["operation"],
    call: Call,
    work: () => Promise<Result>,
  ): Promise<Result> => disturb(folder, operation, call, work);
  return {
    ...type,
    create: (news, call) => around("create", call, () => type.create(news, call)),
    update: (id, olds, news, call) =>
      around("update", call, async () => {
        if (type.update !== undefined) return type.update(id, olds, news, call);
        throw new RefusedError(`${call.type} cannot be updated, only replaced`);
      }),
    delete: (id, olds, call) =>
      around("delete", call, async () => {
        await type.delete?.(id, olds, call);
      }),
  };
}

async function disturb<Result>(
  folder: string,
  operation: Fault["operation"],
  call: Call,
  work: () => Promise<Result>,
): Promise<Result> {
  const found = call.preview ? undefined : take(folder, operation, call);
  if (found === undefined) return work();
  const { fault, file } = found;
  const message = fault.message ?? "ServiceUnavailable: the service is unavailable, try again";
  if (fault.kind === "fail") throw new RefusedError(message);
  if (fault.kind === "drop") {
    await work();
    throw new Error(`the connection broke before the answer came: ${message}`);
  }
  while (existsSync(file)) {
    call.signal.throwIfAborted();
    await sleep(pollMilliseconds);
  }
  return work();
}

function take(
  folder: string,
  operation: Fault["operation"],
  { urn, name }: Call,
): { fault: Fault; file: string } | undefined {
  if (!existsSync(folder)) return undefined;
  for (const file of readdirSync(folder)
    .filter((entry) => entry.endsWith(waiting))
    .toSorted()) {
    const path = join(folder, file);
    const fault = JSON.parse(readFileSync(path, "utf8")) as Fault;
    if (fault.operation !== operation || ![urn, name].includes(fault.resource)) continue;
    const held = path.replace(waiting, taken);
    renameSync(path, held);
    return { fault, file: held };
  }
  return undefined;
}
