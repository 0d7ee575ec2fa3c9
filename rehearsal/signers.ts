import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { approve } from "../cli/approve.ts";
import { rolesAsked } from "../cli/asked.ts";
import { readProject } from "../cli/project.ts";
import { codeOf } from "../infra/provider/error-text.ts";
import { waiverNamespace, namespaceOf } from "../policies/signatures/roles.ts";
import type { Phase } from "../policies/contract/phase.ts";
import { RehearsalError } from "./command.ts";
import { attestReports, type Occasion } from "./reports.ts";

/** Keys of a CI and of people, which only this rehearsal trusts. */
export interface Signers {
  /** File of the CI's private key. */
  readonly ci: string;
  /**
   * File of the SSH key of who signs in a role.
   *
   * @throws RehearsalError when nobody does
   */
  keyOf(role: string): string;
}

/**
 * Makes keys, and makes them the only ones that the pack in a project folder trusts.
 *
 * @param project a project folder with a pack of its own
 * @param roles each is a person, `<role>@example.com`
 * @throws RehearsalError without ssh-keygen
 */
export async function makeSigners(project: string, roles: readonly string[]): Promise<Signers> {
  const keys = join(project, "keys");
  const trust = join(project, "policies", "trust");
  await mkdir(join(trust, "keys"), { recursive: true });
  await mkdir(keys, { recursive: true });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const ci = join(keys, "ci.key");
  await writeFile(ci, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  await writeFile(join(trust, "keys", "ci.pem"), publicKey.export({ type: "spki", format: "pem" }));
  await writeFile(
    join(trust, "signers.yaml"),
    'signers:\n  - name: ci\n    publicKey: keys/ci.pem\n    evidence: "*"\n',
  );
  const people = await Promise.all(
    roles.map(async (role) => {
      const file = join(keys, role);
      await sshKeygen("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file);
      const namespaces = [namespaceOf(role), waiverNamespace].join();
      const key = (await readFile(`${file}.pub`, "utf8")).trim();
      return { role, file, line: `${role}@example.com namespaces="${namespaces}" ${key}` };
    }),
  );
  await writeFile(join(trust, "allowed_signers"), `${people.map(({ line }) => line).join("\n")}\n`);
  return {
    ci,
    keyOf(role) {
      const person = people.find((one) => one.role === role);
      if (person === undefined) throw new RehearsalError(`Nobody signs as ${role} here.`);
      return person.file;
    },
  };
}

/** Where a release is signed for. */
export interface SigningPlace {
  /** The project folder. */
  readonly folder: string;
  readonly stack: string;
  readonly signers: Signers;
}

/**
 * Does what CI and people do before a phase: every report that its gates ask for is made and attested, and every role
 * approves.
 */
export async function signRelease(
  place: SigningPlace,
  release: string,
  occasion: Occasion = cutover,
): Promise<void> {
  await attestReports(place, release, occasion);
  await approveRelease(place, release, occasion.phase);
}

/** Lets every role that a phase's gates ask for approve it, with the release's evidence as it is now. */
export async function approveRelease(
  { folder, stack, signers }: SigningPlace,
  release: string,
  phase: Phase = cutover.phase,
): Promise<void> {
  const { checklist } = readProject({ folder, stack, release, phase });
  for (const role of rolesAsked(checklist, phase)) {
    await approve({ folder, stack, release, phase, role, key: signers.keyOf(role) });
  }
}

/** The cutover of a first release. */
export const cutover: Occasion = { phase: "cutover", times: {}, previous: null };

async function sshKeygen(...args: string[]): Promise<void> {
  try {
    await execa("ssh-keygen", args);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    throw new RehearsalError(
      "There is no ssh-keygen on the PATH. Required: OpenSSH 8.2 or later, because people sign with it.\n" +
        "To do: install openssh-client",
    );
  }
}
