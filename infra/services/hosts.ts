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

/** The daemons that a system's containers run on, each once: undefined stands for the one that is used by default. */
export function hostsOf(
  addresses: readonly string[],
  config: Pick<Config, "hosts">,
): (Provider | undefined)[] {
  return [...new Set(addresses.map((address) => hostOf(address, config)))];
}
