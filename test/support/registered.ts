import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { declared, type Declared } from "./declared.ts";

/** A resource as a program declared it, with the options that decide about its life. */
export interface Registered extends Declared {
  readonly protect: boolean;
  readonly deleteBeforeReplace: boolean;
  /** Name of the provider that it is given; empty for the one that the engine uses by default. */
  readonly provider: string;
  /** Names of the resources that it waits for, components among them. */
  readonly behind: readonly string[];
  /** What it takes over; empty for one that it makes. */
  readonly import: string;
  readonly ignoreChanges: readonly string[];
  /** Hooks that look at each update before it is made. */
  readonly beforeUpdate: readonly string[];
}

/** Runs a piece of a program and returns what it declared, in its order. */
export async function registered(program: () => unknown): Promise<Registered[]> {
  const requests = new Map<string, RegisterResourceRequest>();
  const resources = await declared(() => {
    const monitor = pulumi.runtime.getMonitor();
    if (monitor === undefined) throw new Error("the mocks have no monitor");
    // The mocks themselves do not tell options.
    const register = monitor.registerResource.bind(monitor) as (
      ...args: readonly unknown[]
    ) => unknown;
    monitor.registerResource = ((...args: readonly unknown[]) => {
      const request = args[0] as RegisterResourceRequest;
      requests.set(request.getName(), request);
      return register(...args);
    }) as typeof monitor.registerResource;
    return program();
  });
  return resources.map((resource) => {
    const request = requests.get(resource.name);
    return {
      ...resource,
      protect: request?.getProtect() ?? false,
      deleteBeforeReplace: request?.getDeletebeforereplace() ?? false,
      // urn:pulumi:stack::project::type::name::id
      provider: request?.getProvider().split("::").at(-2) ?? "",
      behind: (request?.getDependenciesList() ?? []).map((urn) => urn.split("::").at(-1) ?? ""),
      import: request?.getImportid() ?? "",
      ignoreChanges: request?.getIgnorechangesList() ?? [],
      beforeUpdate: request?.getHooks()?.getBeforeUpdateList() ?? [],
    };
  });
}
