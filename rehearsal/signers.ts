import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { attest } from "../cli/attest.ts";
import { approve } from "../cli/approve.ts";
import { readProject } from "../cli/project.ts";
import { codeOf } from "../infra/provider/error-text.ts";
import { waiverNamespace, namespaceOf } from "../policies/signatures/roles.ts";
import { RehearsalError } from "./command.ts";

/** Keys of a CI and of people, which only this rehearsal trusts. */
export interface Signers {
  /** File of the CI's private key. */
  readonly ci: string;
  /** Files of the people's SSH keys, by role. */
  readonly people: Readonly<Record<Role, string>>;
}

/** The roles that the flagship's checklist asks for. */
export const roles = ["release-manager", "database-owner"] as const;

/** One of the roles. */
export type Role = (typeof roles)[number];

/** The evidence that the flagship's checklist asks for: its format, and its report below the system's folder. */
const evidence = [
  { name: "unit-tests", format: "junit", report: "evidence/VERSION/unit-tests.xml" },
  ...["api", "worker", "web"].map((image) => ({
    name: `image-scan-${image}`,
    format: "trivy",
    report: `evidence/VERSION/image-scan-${image}.json`,
  })),
  { name: "runbook", format: "markdown", report: "runbook.md" },
];

/**
 * Makes keys, and makes them the only ones that the pack in a project folder trusts.
 *
 * @param project a project folder with a pack of its own
 * @throws RehearsalError without ssh-keygen
 */
export async function makeSigners(project: string): Promise<Signers> {
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
  const files = Object.fromEntries(people.map(({ role, file }) => [role, file]));
  return { ci, people: files as Record<Role, string> };
}

/** Where a release is signed for. */
export interface SigningPlace {
  /** The project folder. */
  readonly folder: string;
  readonly stack: string;
  readonly signers: Signers;
}

/**
 * Does what CI and people do before a cutover: the scans are made anew, every report is attested, and every role
 * approves.
 */
export async function signRelease(place: SigningPlace, release: string): Promise<void> {
  await attestRelease(place, release);
  await approveRelease(place, release);
}

/** Attests every report of a release that the checklist asks for, but for those named. */
export async function attestRelease(
  place: SigningPlace,
  release: string,
  without: readonly string[] = [],
): Promise<void> {
  const { folder, stack, signers } = place;
  for (const { name, format, report } of evidence.filter((one) => !without.includes(one.name))) {
    const file = join(folder, "examples", "flagship", report.replace("VERSION", release));
    const { images } = readProject({ folder, stack, release }).release;
    for (const [service, image] of Object.entries(images)) {
      if (name === `image-scan-${service}`) await scanAnew(file, image);
    }
    await attest(name, { folder, stack, release, format, report: file, key: signers.ci });
  }
}

/** Lets every role approve the cutover of a release, with its evidence as it is now. */
export async function approveRelease(place: SigningPlace, release: string): Promise<void> {
  const { folder, stack, signers } = place;
  for (const role of roles) {
    await approve({ folder, stack, release, phase: "cutover", role, key: signers.people[role] });
  }
}

/** What a new scan of an image says: what the last one said, but for its time and the image. */
async function scanAnew(file: string, image: string): Promise<void> {
  const report = JSON.parse(await readFile(file, "utf8")) as { Metadata: object };
  const scan = {
    ...report,
    CreatedAt: new Date().toISOString(),
    ArtifactName: image,
    Metadata: { ...report.Metadata, RepoDigests: [image] },
  };
  await writeFile(file, JSON.stringify(scan));
}

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
