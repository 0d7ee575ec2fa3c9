import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError, problemText } from "../errors.ts";

/**
 * Reads the CA of the database server.
 *
 * @param file path from the project's top; undefined when connections are not encrypted
 * @param project absolute path of the project's top
 * @throws OperatorError when the file cannot be read or holds no certificate
 */
export function readCa(file: string | undefined, project: string): string | undefined {
  if (file === undefined) return undefined;
  const pem = read(join(project, file));
  if (pem?.includes("-----BEGIN CERTIFICATE-----") === true) return pem;
  throw new OperatorError(
    problemText("The database's CA cannot be used.", [
      {
        where: "cutover:database.caFile",
        found:
          pem === undefined ? `${file}, which cannot be read` : `${file}, without a certificate`,
        required: "a PEM file with the CA of the database server",
        todo: "get the CA bundle of your region from AWS and put it there",
      },
    ]),
  );
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
