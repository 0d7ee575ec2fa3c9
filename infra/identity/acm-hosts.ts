import type { IdentityConfig } from "./config.ts";

/** The hosts whose certificate the stack asks AWS for. */
export function acmHosts(certificates: IdentityConfig["certificates"]): string[] {
  return Object.keys(certificates).filter((host) => certificates[host]?.kind === "acm");
}

/** The program's names of what belongs to a host's certificate. */
export function certificateNames(
  name: string,
  host: string,
): { readonly certificate: string; readonly record: string; readonly validation: string } {
  return {
    certificate: `${name}-${host}-certificate`,
    record: `${name}-${host}-validation-record`,
    validation: `${name}-${host}-validation`,
  };
}
