/** Providers that could touch a real cloud. */
const cloudProviders = ["aws", "cloudflare", "docker"] as const;

/**
 * Tells whether the engine of this run talks to stand-ins in place of every cloud provider, so that nothing real can
 * change. Reads the list as the engine does: `name:port` pairs, of which the first of a name counts.
 */
export function isRehearsal(env: Readonly<Record<string, string | undefined>>): boolean {
  const attached = (env["PULUMI_DEBUG_PROVIDERS"] ?? "").split(",").map((pair) => pair.split(":"));
  return cloudProviders.every((provider) => {
    const port = attached.find(([name]) => name === provider)?.[1];
    return port !== undefined && /^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65535;
  });
}
