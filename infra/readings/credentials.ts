import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { ReadingError } from "./reading.ts";

/** The name of an environment variable, in the stack config. */
export const environmentName = z
  .string()
  .regex(/^[A-Za-z_]\w*$/, "must be the name of an environment variable");

/**
 * A password from the environment, which is the only place where readings take one from.
 *
 * @param whose what it opens, for the message
 * @throws ReadingError when the variable is unset or empty
 */
export function environmentPassword(variable: string, whose: string): string {
  const password = process.env[variable];
  if (password !== undefined && password !== "") return password;
  throw new ReadingError(
    `the environment variable ${variable} is empty, which must hold the password of ${whose}. To do: set it`,
  );
}

/**
 * The certificate of the authority that vouches for a server.
 *
 * @param file path from the project's top
 * @throws ReadingError when it cannot be read or holds no certificate
 */
export async function readCertificate(file: string, whose: string): Promise<string> {
  const pem = await readFile(resolve(projectFolder, file), "utf8").catch(() => undefined);
  // Of a file without any, Node.js would make no trusted authorities at all, and say nothing.
  if (pem?.includes("-----BEGIN CERTIFICATE-----") === true) return pem;
  throw new ReadingError(
    `${file} is no readable PEM file with a certificate. To do: put the CA of ${whose} there`,
  );
}

/** The project's top, absolute. */
export const projectFolder = resolve(import.meta.dirname, "..", "..");
