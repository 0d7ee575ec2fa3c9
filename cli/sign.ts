import { createPrivateKey, sign, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { payloadType, signedBytes, type Envelope } from "../policies/contract/envelope.ts";
import { signedLimits } from "../policies/contract/json.ts";
import { predicates, type PredicateName } from "../policies/contract/predicates.ts";
import { releaseSubjects, statementType, type Statement } from "../policies/contract/statement.ts";
import type { Person } from "../policies/signatures/allowed-signers.ts";
import { readTrust } from "../policies/signatures/trust.ts";
import { codeOf } from "../infra/provider/error-text.ts";
import { OperatorError, problemText } from "../infra/errors.ts";
import type { Project } from "./project.ts";

/** The environment variable that may hold the private key of a CI, as PEM. */
const keyVariable = "CUTOVER_SIGNING_KEY";

/**
 * Makes a statement about a release.
 *
 * @throws OperatorError when it would be larger than a gate reads
 */
export function statementOf(
  { release }: Project,
  name: PredicateName,
  predicate: unknown,
): Statement {
  const { type, schema } = predicates[name];
  const statement: Statement = {
    _type: statementType,
    subject: releaseSubjects(release),
    predicateType: type,
    predicate: z.looseObject({}).parse(schema.parse(predicate)),
  };
  // In base64, with the envelope around it.
  const bytes = Buffer.byteLength(JSON.stringify(statement)) * 1.34 + 4096;
  if (bytes <= signedLimits.bytes) return statement;
  throw new OperatorError(
    problemText("The statement is too large.", [
      {
        where: "the report",
        found: `about ${Math.ceil(bytes / 1024 / 1024)} MiB of names and results`,
        required: `at most ${signedLimits.bytes / 1024 / 1024} MiB`,
        todo: "split the report, and name each part in the checklist",
      },
    ]),
  );
}

/** Signs a statement with a CI's Ed25519 key. */
export function signWithKey(statement: Statement, key: KeyObject): Envelope {
  const { payload, signed } = payloadOf(statement);
  return envelopeOf(payload, sign(null, signed, key).toString("base64"));
}

function payloadOf(statement: Statement): { payload: Buffer; signed: Buffer } {
  const payload = Buffer.from(JSON.stringify(statement));
  return { payload, signed: signedBytes(payloadType, payload) };
}

function envelopeOf(payload: Buffer, sig: string): Envelope {
  return { payloadType, payload: payload.toString("base64"), signatures: [{ sig }] };
}

/**
 * Reads a CI's private key from a file, or from the environment.
 *
 * @throws OperatorError when there is none, or no Ed25519 key in it
 */
export function readKey(file: string | undefined): KeyObject {
  const where = file ?? keyVariable;
  const wrong = (found: string): OperatorError =>
    new OperatorError(
      problemText("The evidence cannot be signed.", [
        {
          where: file === undefined ? `--key, or ${keyVariable}` : `--key ${file}`,
          found,
          required: "an Ed25519 private key as PEM, without a passphrase",
          todo: "openssl genpkey -algorithm ed25519 -out ci.key",
        },
      ]),
    );
  let pem: string | undefined;
  try {
    pem = file === undefined ? process.env[keyVariable] : readFileSync(file, "utf8");
  } catch (error) {
    throw wrong(`it cannot be read (${codeOf(error) ?? "no file"})`);
  }
  if (pem === undefined || pem === "") throw wrong("nothing");
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw wrong(`no private key in ${where}`);
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw wrong(`a key of type ${key.asymmetricKeyType ?? "unknown"}`);
  return key;
}

/** A person and the key they sign with. */
export interface SigningPerson {
  readonly principal: string;
  /** Path of the key, private or public; ssh-keygen asks for the passphrase or the agent. */
  readonly key: string;
}

/**
 * Finds out whose SSH key it is, by the pack's allowed signers.
 *
 * @param namespace what the key must be allowed to sign
 * @param principal which of the key's principals is meant, when there are several
 * @throws OperatorError when nobody has it, or it may not sign this
 */
export function personOf(
  { trust }: Project,
  key: string,
  namespace: string,
  principal: string | undefined,
): SigningPerson {
  const wrong = (where: string, found: string, required: string, todo: string): OperatorError =>
    new OperatorError(
      problemText("Nobody can sign with this key.", [{ where, found, required, todo }]),
    );
  const publicFile = key.endsWith(".pub") ? key : `${key}.pub`;
  if (!existsSync(publicFile)) {
    throw wrong(
      `--key ${key}`,
      `no ${publicFile}`,
      "the public key beside the private one",
      `ssh-keygen -y -f ${key} > ${publicFile}`,
    );
  }
  const [, blob = ""] = readFileSync(publicFile, "utf8").trim().split(/\s+/);
  const people = readTrust(trust).people.filter(
    (person: Person) => person.key.blob.toString("base64") === blob,
  );
  const file = "policies/trust/allowed_signers";
  if (people.length === 0) {
    throw wrong(
      file,
      "no line with this key",
      "a line for whoever signs",
      `add the key to ${file}`,
    );
  }
  const allowed = people.filter(({ namespaces }) => namespaces.includes(namespace));
  if (allowed.length === 0) {
    const has = people.flatMap(({ namespaces }) => namespaces).join(", ");
    throw wrong(
      file,
      has,
      namespace,
      `sign in a role that the key has, or add the role in ${file}`,
    );
  }
  const principals = allowed.flatMap((person) => person.principals);
  const [only] = principals;
  const chosen = principal ?? (principals.length === 1 ? only : undefined);
  if (chosen === undefined || !principals.includes(chosen)) {
    throw wrong(
      "--as",
      principal ?? "nothing",
      `one of ${principals.join(", ")}`,
      `add --as ${String(only)}`,
    );
  }
  return { principal: chosen, key };
}

/**
 * Signs a statement with a person's SSH key, by `ssh-keygen -Y sign`.
 *
 * @throws OperatorError when ssh-keygen is missing or does not sign
 */
export async function signWithSsh(
  statement: Statement,
  key: string,
  namespace: string,
): Promise<Envelope> {
  const { payload, signed } = payloadOf(statement);
  let armored: string;
  try {
    // It asks for a passphrase at the terminal by itself.
    ({ stdout: armored } = await execa("ssh-keygen", ["-Y", "sign", "-f", key, "-n", namespace], {
      input: signed,
    }));
  } catch (error) {
    const missing = codeOf(error) === "ENOENT";
    throw new OperatorError(
      problemText("It was not signed.", [
        {
          where: "ssh-keygen -Y sign",
          found: missing ? "no ssh-keygen on the PATH" : "it ended without a signature",
          required: "OpenSSH 8.2 or later, and the key or its agent",
          todo: missing
            ? "install openssh-client"
            : `ssh-keygen -Y sign -f ${key} -n ${namespace} <file>`,
        },
      ]),
    );
  }
  const sig = armored
    .split("\n")
    .filter((line) => !line.startsWith("-----"))
    .join("");
  return envelopeOf(payload, sig);
}

/** Where a document of a release goes: the evidence location when it is a folder, or where `--out` says. */
export function placeFor(
  { root, config, release }: Project,
  name: string,
  out: string | undefined,
): string {
  if (out !== undefined) return out;
  if (!config.evidence.includes("://")) return join(root, config.evidence, release.version, name);
  throw new OperatorError(
    problemText("It is not known where to write.", [
      {
        where: "cutover:evidence",
        found: config.evidence,
        required: "a file to write, because the evidence does not lie in a folder",
        todo: `add --out ${name}, then upload it`,
      },
    ]),
  );
}

/**
 * Writes a document whole or not at all. A document that stood there under this name is replaced.
 *
 * @throws OperatorError when it cannot be written, and when something else stands there
 */
export async function writeDocument(file: string, document: Envelope | Statement): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    await mkdir(dirname(file), { recursive: true });
    if (!(await mayReplace(file))) throw notWritten(file, "something that is no signed document");
    await writeFile(part, `${JSON.stringify(document)}\n`);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    const code = codeOf(error);
    if (error instanceof OperatorError || code === undefined) throw error;
    throw notWritten(file, `it cannot be written (${code})`);
  }
}

/** Whether nothing stands there, or what {@link writeDocument} wrote: never a report, a key or a device. */
async function mayReplace(file: string): Promise<boolean> {
  if (!existsSync(file)) return true;
  if (!(await stat(file)).isFile()) return false;
  return /^\s*\{\s*"(?:payload|payloadType|signatures|_type)"/.test(await readFile(file, "utf8"));
}

function notWritten(file: string, found: string): OperatorError {
  return new OperatorError(
    problemText("Nothing was written.", [
      {
        where: file,
        found,
        required: "a new file, or a signed document to replace",
        todo: "name another file with --out",
      },
    ]),
  );
}
