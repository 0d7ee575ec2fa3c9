import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";
import type { Store } from "../../store.ts";

/** Who vouches for the database servers of a rehearsal, as the CA of a region does for those of RDS. */
export interface Authority {
  /** Absolute path of the CA's certificate in PEM, for clients. */
  readonly file: string;
  /** Makes a certificate for a server at an address, with a key of its own; both in PEM. */
  certify(address: string): Promise<{ readonly certificate: string; readonly key: string }>;
}

// What RDS has: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
const authorityYears = 40;
const serverYears = 1;

/** Where the CA's certificate of a store lies. */
export function authorityFile({ folder }: Store): string {
  return join(folder, "rds-ca.pem");
}

/** Opens the CA of a store, which is made when it is missing. */
export async function openAuthority(store: Store): Promise<Authority> {
  const [file, keyFile] = [authorityFile(store), join(store.folder, "rds-ca.key")];
  if (!existsSync(file)) {
    const made = await generate([{ name: "commonName", value: "RDS of a rehearsal" }], {
      ...algorithm,
      notAfterDate: afterYears(authorityYears),
      extensions: [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
      ],
    });
    writeFileSync(keyFile, made.private, { mode: 0o600 });
    // Last: where it lies the key is there as well.
    writeFileSync(file, made.cert);
  }
  const ca = { cert: readFileSync(file, "utf8"), key: readFileSync(keyFile, "utf8") };
  return {
    file,
    async certify(address) {
      const made = await generate([{ name: "commonName", value: address }], {
        ...algorithm,
        ca,
        notAfterDate: afterYears(serverYears),
        extensions: [
          { name: "basicConstraints", cA: false, critical: true },
          { name: "keyUsage", digitalSignature: true, critical: true },
          { name: "extKeyUsage", serverAuth: true },
          { name: "subjectAltName", altNames: [{ type: 7, ip: address }] },
        ],
      });
      return { certificate: made.cert, key: made.private };
    },
  };
}

const algorithm = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

function afterYears(years: number): Date {
  const date = new Date();
  date.setFullYear(date.getFullYear() + years);
  return date;
}
