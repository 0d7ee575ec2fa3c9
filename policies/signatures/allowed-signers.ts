import { UnreadableError } from "../contract/json.ts";
import { readSshKey, sshKeyTypes, type SshKey } from "./ssh-key.ts";

/** A line of the file of allowed signers: a key, whose it is and what it may be used for. */
export interface Person {
  /** Number of the line, from 1. */
  readonly line: number;
  /** The names of the person. */
  readonly principals: readonly string[];
  /** What the key may sign: namespaces of SSH signatures. */
  readonly namespaces: readonly string[];
  /** The first moment at which the key counts, milliseconds since 1970. */
  readonly validAfter?: number;
  /** The last moment at which the key counts, milliseconds since 1970. */
  readonly validBefore?: number;
  readonly key: SshKey;
}

/** What a file of allowed signers says. */
export interface AllowedSigners {
  readonly people: readonly Person[];
  /** What is wrong with it, by line. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
}

/** Reads one option's value; the second one reports what is wrong. */
type ReadOption = (value: string, report: (problem: string) => void) => Partial<Person>;

const options: ReadonlyMap<string, ReadOption> = new Map<string, ReadOption>([
  [
    "namespaces",
    (value, report) => {
      const namespaces = value.split(",");
      for (const one of namespaces) if (!isNamespace.test(one)) report(namespaceProblem(one));
      return { namespaces };
    },
  ],
  ["valid-after", (value, report) => ({ validAfter: timeOf("valid-after", value, report) })],
  ["valid-before", (value, report) => ({ validBefore: timeOf("valid-before", value, report) })],
]);

const isNamespace = /^[a-z][a-z0-9-]{0,62}@cutover$/;

/** The characters that make a name in OpenSSH a pattern. */
const isPattern = /[*?!]/;

/**
 * Parses a file of allowed signers, section ALLOWED SIGNERS of ssh-keygen(1). It is stricter than ssh-keygen: each line
 * needs `namespaces`, no name may be a pattern, certificate authorities are not supported, and no key belongs to two
 * people. So ssh-keygen accepts every signature that is accepted here.
 */
export function parseAllowedSigners(text: string): AllowedSigners {
  const people: Person[] = [];
  const problems: { line: number; problem: string }[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    const line = index + 1;
    const report = (problem: string): void => {
      problems.push({ line, problem });
    };
    const person = parseLine(content.replaceAll(/^[ \t]+|[ \t\r]+$/g, ""), line, report);
    if (person === undefined) continue;
    const same = people.find(({ key }) => key.blob.equals(person.key.blob));
    if (same !== undefined && !sameNames(same.principals, person.principals)) {
      report(
        `its key is already the key of the person on line ${same.line}; a key is one person's`,
      );
    }
    people.push(person);
  }
  return { people, problems };
}

/** Parses a line; undefined for a blank one, a comment and one without a usable key. */
function parseLine(
  line: string,
  number: number,
  report: (problem: string) => void,
): Person | undefined {
  if (line === "" || line.startsWith("#")) return undefined;
  const first = /^(?:"([^"]*)"|([^\s"]+))[ \t]+(.*)$/.exec(line);
  if (first === null) {
    report("it is no line of names, options and key");
    return undefined;
  }
  const principals = (first[1] ?? first[2] ?? "").split(",");
  for (const one of principals) {
    if (isPattern.test(one)) report("a name is a pattern (* ? !); spell every name out");
    else if (!/^[^\p{C}\s](?:[^\p{C}]{0,126}[^\p{C}\s])?$/u.test(one)) {
      report("a name is empty, too long, or begins or ends with a space");
    }
  }
  const rest = first[3] ?? "";
  const second = isKeyType.test(rest) ? ["", "", rest] : hasOptions.exec(rest);
  if (second === null) {
    report("its options have an open quote or no key follows them");
    return undefined;
  }
  const found = readOptions(second[1] ?? "", report);
  const key = readKey(second[2] ?? "", report);
  if (key === undefined) return undefined;
  return { line: number, principals, namespaces: [], ...found, key };
}

const isKeyType = /^(?:ssh|ecdsa|sk)-/;
const hasOptions = /^((?:[^\s"]|"[^"]*")+)[ \t]+(.*)$/;
const option = /^([A-Za-z-]+)(?:="([^"\\]*)")?(?:,(?=.)|$)/;

function readOptions(text: string, report: (problem: string) => void): Partial<Person> {
  let found: Partial<Person> = {};
  const seen = new Set<string>();
  let rest = text;
  while (rest !== "") {
    const [all = "", spelled = "", value] = option.exec(rest) ?? [];
    if (all === "") {
      report(`its options are no list of name="value", separated by commas`);
      return found;
    }
    rest = rest.slice(all.length);
    // OpenSSH reads the names of options in upper and lower case.
    const name = spelled.toLowerCase();
    if (seen.has(name)) report(`option ${name} stands there twice`);
    seen.add(name);
    const read = options.get(name);
    if (name === "cert-authority") report("certificate authorities are not supported");
    else if (read === undefined) report(`option ${name} is unknown`);
    else if (value === undefined) report(`option ${name} has no value in quotes`);
    else found = { ...found, ...read(value, report) };
  }
  if (!seen.has("namespaces")) {
    report(`it has no role; add namespaces="<role>@cutover"`);
  }
  const { validAfter, validBefore } = found;
  if (validAfter !== undefined && validBefore !== undefined && validBefore <= validAfter) {
    report("valid-before is not after valid-after");
  }
  return found;
}

function readKey(text: string, report: (problem: string) => void): SshKey | undefined {
  const [type = "", base64 = ""] = text.split(/[ \t]+/);
  if (!sshKeyTypes.includes(type)) {
    const named = /^[a-z0-9@.-]{1,64}$/.test(type) ? `key type ${type}` : "its key type";
    report(`${named} is not accepted; use one of ${sshKeyTypes.join(", ")}`);
    return undefined;
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    report("its key is missing or no base64");
    return undefined;
  }
  try {
    const key = readSshKey(Buffer.from(base64, "base64"));
    if (key.type === type) return key;
    report(`its key is not of the type that the line says`);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    report(`its key cannot be used: ${error.message}`);
  }
  return undefined;
}

function namespaceProblem(namespace: string): string {
  if (isPattern.test(namespace)) {
    return "a namespace is a pattern (* ? !); spell every role out";
  }
  return "a namespace is not <role>@cutover with a role in kebab case";
}

/** Reads YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS: UTC with a Z, else the time of this machine, as OpenSSH does. */
function timeOf(option: string, text: string, report: (problem: string) => void): number {
  const [, digits = "", zone = ""] = /^(\d{8}|\d{12}|\d{14})(Z?)$/.exec(text) ?? [];
  const iso = digits.padEnd(14, "0").replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3T$4:$5:$6");
  const time = new Date(`${iso}${zone}`).getTime();
  const real = new Date(`${iso}Z`);
  // What the calendar does not have comes back as another day.
  const exists = !Number.isNaN(real.getTime()) && real.toISOString().startsWith(iso);
  if (digits === "" || !exists || time <= 0) {
    report(`${option} is no time such as 20270131Z or 202701312359Z`);
  }
  return time;
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}
