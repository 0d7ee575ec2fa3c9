import { createHash, createHmac } from "node:crypto";

/** What a known_hosts file says of a server's key. */
export type KeyKnown = "known" | "unknown" | "changed" | "revoked";

/** A line of a known_hosts file that is about one host. */
interface Line {
  readonly isRevoked: boolean;
  readonly type: string;
  /** Base64 of the key as it goes over the wire. */
  readonly key: string;
}

/** The lines of a known_hosts file that are about a host. Keys of certificate authorities are passed over. */
export function linesOf(text: string, host: string, port: number): readonly Line[] {
  const name = knownName(host, port);
  return text.split("\n").flatMap((line) => {
    const words = line.trim().split(/\s+/);
    if (words[0] === undefined || words[0] === "" || words[0].startsWith("#")) return [];
    const marker = words[0].startsWith("@") ? words.shift() : undefined;
    const [names = "", type = "", key = ""] = words;
    if (marker !== undefined && marker !== "@revoked") return [];
    if (!isAbout(names, name)) return [];
    return [{ isRevoked: marker === "@revoked", type, key }];
  });
}

/** What these lines say of a key as it came over the wire. */
export function judgeKey(lines: readonly Line[], key: Buffer): KeyKnown {
  const same = lines.filter((line) => line.key === key.toString("base64"));
  if (same.some(({ isRevoked }) => isRevoked)) return "revoked";
  if (same.length > 0) return "known";
  return lines.some(({ isRevoked }) => !isRevoked) ? "changed" : "unknown";
}

/** How a known_hosts file calls a server. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

/** How `ssh-keygen -l` shows a key. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The signature algorithms that a server can prove these keys with. */
export function algorithmsOf(lines: readonly Line[]): string[] {
  const types = [...new Set(lines.filter(({ isRevoked }) => !isRevoked).map(({ type }) => type))];
  // An RSA key signs with SHA-2: SHA-1 is what its type is called after.
  return types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]));
}

function isAbout(names: string, name: string): boolean {
  if (names.startsWith("|1|")) {
    const [, , salt = "", hash = ""] = names.split("|");
    const found = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64");
    return found === hash;
  }
  const patterns = names.split(",");
  const excluded = patterns.some((one) => one.startsWith("!") && fits(one.slice(1), name));
  return !excluded && patterns.some((one) => !one.startsWith("!") && fits(one, name));
}

function fits(pattern: string, name: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test(name);
}
