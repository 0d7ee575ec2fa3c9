import semver from "semver";
import type { SemVer } from "semver";

/** The version that is downloaded or built, and the oldest that is accepted. go.mod says the same. */
export const ENGINE_VERSION = "3.259.0";

/** The versions of the CLI that are accepted, in words. */
export const ACCEPTED = `${ENGINE_VERSION} or newer (3.x)`;

/** Whether this project works with a CLI of that version. */
export function isAccepted(version: SemVer): boolean {
  return semver.satisfies(version, `>=${ENGINE_VERSION} <4`, { includePrerelease: true });
}

/** Reads the version that a text begins with, such as `v3.259.0`; nothing when there is none. */
export function readVersion(text: string): SemVer | undefined {
  return semver.parse(text.trim().split(/\s/)[0]) ?? undefined;
}

/** Reads the version in a text of Go's, such as `go version go1.26.1 linux/amd64` or `go 1.25`. */
export function readGoVersion(text: string): SemVer | undefined {
  return semver.coerce(text) ?? undefined;
}
