import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { declared } from "../../support/declared.ts";

/** A DNS record as a program declared it, with the options that decide about its life. */
export interface RegisteredRecord {
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
  /** What it takes over; empty for one that it makes. */
  readonly import: string;
  readonly ignoreChanges: readonly string[];
  /** Hooks that look at each update before it is made. */
  readonly beforeUpdate: readonly string[];
}

const recordType = "cloudflare:index/dnsRecord:DnsRecord";

/** Runs a piece of a program and returns the DNS records that it declared, in their order. */
export async function registeredRecords(program: () => unknown): Promise<RegisteredRecord[]> {
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
    // Nor do they take hooks: a program would wait for them for ever.
    Object.assign(monitor, {
      registerResourceHook: (_hook: unknown, done: (error: null, response: object) => void) => {
        done(null, {});
      },
    });
    return program();
  });
  return resources
    .filter(({ type }) => type === recordType)
    .map(({ name, inputs }) => {
      const request = requests.get(name);
      return {
        name,
        inputs,
        protect: request?.getProtect() ?? false,
        import: request?.getImportid() ?? "",
        ignoreChanges: request?.getIgnorechangesList() ?? [],
        beforeUpdate: request?.getHooks()?.getBeforeUpdateList() ?? [],
      };
    });
}
