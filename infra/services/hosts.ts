import { Provider } from "@pulumi/docker/provider.js";
import type { Config } from "../config.ts";

const providers = new Map<string, Provider>();

/** The provider of the container daemon behind an address; undefined for the one that the engine uses by default. */
export function hostOf(address: string, { hosts }: Pick<Config, "hosts">): Provider | undefined {
  const host = hosts[address];
  if (host === undefined) return undefined;
  const provider = providers.get(host) ?? new Provider(`host-${address}`, { host });
  providers.set(host, provider);
  return provider;
}

/** A daemon, with the first address of the containers that it runs. */
interface Daemon {
  /** Undefined for the one that the engine uses by default. */
  readonly provider: Provider | undefined;
  readonly address: string;
}

/** The daemons that a system's containers run on, each once. */
export function hostsOf(
  addresses: readonly string[],
  config: Pick<Config, "hosts">,
): readonly Daemon[] {
  const daemons = new Map<Provider | undefined, Daemon>();
  for (const address of addresses) {
    const provider = hostOf(address, config);
    if (!daemons.has(provider)) daemons.set(provider, { provider, address });
  }
  return [...daemons.values()];
}
