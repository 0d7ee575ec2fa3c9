import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

/** Who vouches for the hosts of a rehearsal, as a public CA does for those of a system. */
export interface Authority {
  /** Absolute path of the CA's certificate in PEM. */
  readonly file: string;
  /** Makes a certificate for host names, with a key of its own; both in PEM. */
  certify(names: readonly string[]): Promise<{ readonly cert: string; readonly key: string }>;
}

// What public CAs give: https://letsencrypt.org/docs/faq/
const days = 90;
const dayMilliseconds = 86_400_000;
const algorithm = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** Makes a CA. Its key never leaves this process, and its certificate lies in the folder as `world-ca.pem`. */
export async function makeAuthority(folder: string): Promise<Authority> {
  const until = (): { notAfterDate: Date } => ({
    notAfterDate: new Date(Date.now() + days * dayMilliseconds),
  });
  const made = await generate([{ name: "commonName", value: "Hosts of a rehearsal" }], {
    ...algorithm,
    ...until(),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const file = join(folder, "world-ca.pem");
  await writeFile(file, made.cert);
  return {
    file,
    async certify(names) {
      const { cert, private: key } = await generate(
        [{ name: "commonName", value: names[0] ?? "" }],
        {
          ...algorithm,
          ...until(),
          ca: { cert: made.cert, key: made.private },
          extensions: [
            { name: "basicConstraints", cA: false, critical: true },
            { name: "keyUsage", digitalSignature: true, critical: true },
            { name: "extKeyUsage", serverAuth: true },
            { name: "subjectAltName", altNames: names.map((value) => ({ type: 2, value })) },
          ],
        },
      );
      return { cert, key };
    },
  };
}
