import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Envelope } from "../../policies/contract/envelope.ts";
import { predicates, type PredicateName } from "../../policies/contract/predicates.ts";
import {
  releaseSubjects,
  statementType,
  type ReleaseIdentity,
  type Statement,
} from "../../policies/contract/statement.ts";
import { signWithKey, signWithSsh } from "../../cli/sign.ts";

/** A folder of trusted signers, and their keys. */
export interface TestTrust {
  /** As policies/trust. */
  readonly folder: string;
  /** The CI's key: it may sign the evidence `unit-tests` and `image-scan`. */
  readonly ci: KeyObject;
  /** A key that nobody trusts. */
  readonly stranger: KeyObject;
  /** Files of SSH keys by principal without its domain. */
  readonly people: Readonly<Record<Person, string>>;
  close(): void;
}

/** Who has an SSH key, with the roles of each. */
const people = {
  developer: ["release-manager", "database-owner", "waiver"],
  manager: ["release-manager", "waiver"],
  owner: ["database-owner"],
  both: ["release-manager", "database-owner"],
} as const;

/** Somebody with an SSH key. */
export type Person = keyof typeof people;

/** The principal of somebody. */
export function principalOf(person: Person): string {
  return `${person}@example.com`;
}

/** Makes keys, and a folder that trusts them. */
export function makeTrust(): TestTrust {
  const home = mkdtempSync(join(tmpdir(), "cutover-trust-"));
  const folder = join(home, "trust");
  mkdirSync(join(folder, "keys"), { recursive: true });
  const { publicKey, privateKey: ci } = generateKeyPairSync("ed25519");
  const { privateKey: stranger } = generateKeyPairSync("ed25519");
  writeFileSync(join(folder, "keys", "ci.pem"), publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(
    join(folder, "signers.yaml"),
    "signers:\n  - name: ci\n    publicKey: keys/ci.pem\n    evidence: [unit-tests, image-scan]\n",
  );
  const lines: string[] = [];
  const files: Partial<Record<Person, string>> = {};
  for (const [person, roles] of Object.entries(people)) {
    const file = join(home, person);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
    files[person as Person] = file;
    const namespaces = roles.map((role) => `${role}@cutover`).join();
    const key = readFileSync(`${file}.pub`, "utf8").trim();
    lines.push(`${principalOf(person as Person)} namespaces="${namespaces}" ${key}`);
  }
  writeFileSync(join(folder, "allowed_signers"), `${lines.join("\n")}\n`);
  return {
    folder,
    ci,
    stranger,
    people: files as Record<Person, string>,
    close: () => {
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A statement about a release. */
export function statement(
  release: ReleaseIdentity,
  name: PredicateName,
  predicate: Record<string, unknown>,
): Statement {
  return {
    _type: statementType,
    subject: releaseSubjects(release),
    predicateType: predicates[name].type,
    predicate,
  };
}

/** Signs as a CI does. */
export function signed(content: Statement, key: KeyObject): Envelope {
  return signWithKey(content, key);
}

/** Signs as a person does, for a role. */
export async function signedBy(content: Statement, key: string, role: string): Promise<Envelope> {
  return signWithSsh(content, key, `${role}@cutover`);
}
