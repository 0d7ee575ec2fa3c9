import { Validator } from "@seriousme/openapi-schema-validator";
import { isScalar, Lexer, parseDocument, visit } from "yaml";
import { z } from "zod";
import { decodeUtf8, parseJson, UnreadableError } from "../../../policies/contract/json.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { fitFacts, fitShape, isObject, unreadable } from "./shared.ts";

/** A longer description in YAML is refused; JSON may be as large as any report. */
const mostYaml = 1024 * 1024;

/** How often a YAML description may repeat a part by its anchor, counted with what the part repeats itself. */
const mostAliases = 100;

/** Versions of the standard that the validator knows, by how their full names begin. */
const versions = ["2.0", "3.0", "3.1", "3.2"];

const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

const schema = z.object({
  openapi: z.string().optional(),
  swagger: z.string().optional(),
  info: z.object({ title: z.string(), version: z.string() }),
  tags: z.array(z.object({ name: z.string() })).default([]),
  servers: z.array(z.object({ url: z.string() })).default([]),
  schemes: z.array(z.string()).default(["https"]),
  host: z.string().optional(),
  basePath: z.string().default(""),
  paths: z.record(z.string(), z.unknown()).default({}),
});

type Description = z.output<typeof schema>;

/**
 * Reads a description of an API, OpenAPI 2.0 to 3.2 in JSON or YAML, that is valid by its standard: its operations, its
 * tags as sections, its version and servers as values (`openapi`, `server 1`). It must stand alone: nothing is fetched
 * and no other file read.
 */
export const openapi: Reader<"document"> = {
  format: "openapi",
  title: "description of an API, OpenAPI in JSON or YAML",
  predicate: "document",
  read(bytes) {
    const document = parse(decodeUtf8(bytes, reportLimits.bytes));
    if (!isObject(document)) throw unreadable("it is no description of an API by OpenAPI");
    checkParts(document, document, 1);
    const standard = validate(document);
    const description = fitShape(schema, document, "description of an API by OpenAPI");
    const servers = serversOf(description);
    if (servers.some((url) => /^[^/]*\/\/[^/]*@/.test(url))) {
      throw unreadable("the address of a server holds a user or a password; take it out");
    }
    return {
      facts: fitFacts("document", {
        format: "openapi",
        title: description.info.title,
        version: description.info.version,
        sections: description.tags.map(({ name }) => name),
        values: {
          openapi: standard,
          ...Object.fromEntries(servers.map((url, at) => [`server ${at + 1}`, url])),
        },
        operations: Object.entries(description.paths)
          .filter(([path]) => path.startsWith("/"))
          .flatMap(([path, item]) => methodsOf(document, item).map((one) => `${one} ${path}`))
          .sort(),
      }),
      producedAt: null,
    };
  },
};

function parse(text: string): unknown {
  return /^\s*\{/.test(text) ? parseJson(text, reportLimits) : parseYaml(text);
}

/** Parses YAML 1.2 by its core schema, with the same care as JSON. */
function parseYaml(text: string): unknown {
  if (text.length > mostYaml) {
    throw unreadable("it is larger than 1 MiB, which is too much for YAML; give JSON");
  }
  try {
    checkFlow(text);
    // The library compares each key with all others of its map, which takes minutes for a large one.
    const document = parseDocument(text, {
      schema: "core",
      uniqueKeys: false,
      prettyErrors: false,
      // At "silent" a second document would be left out without an error.
      logLevel: "error",
    });
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw unreadable(`it is no YAML${lineOf(text, problem.pos[0])}`);
    visit(document, {
      Map: (_, { items, range }) => {
        const problem = problemOf(items.map(({ key }) => key));
        if (problem !== undefined) throw unreadable(problem + lineOf(text, range?.[0] ?? 0));
      },
    });
    return document.toJS({ maxAliasCount: mostAliases }) as unknown;
  } catch (error) {
    if (error instanceof UnreadableError) throw error;
    throw unreadable("it is no YAML, or nests too deeply, or repeats its parts too often");
  }
}

/** Refuses brackets that nest too deeply, before the parser makes objects of them. */
function checkFlow(text: string): void {
  let depth = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") depth += 1;
    if (token === "]" || token === "}") depth -= 1;
    if (depth > reportLimits.depth) throw tooDeep();
  }
}

/** What is wrong with the keys of a map, if anything. */
function problemOf(keys: readonly unknown[]): string | undefined {
  const known = new Set<string>();
  for (const key of keys) {
    if (!isScalar(key)) return "it has a key that is no plain text";
    const name = String(key.value);
    if (name === "__proto__") return "it has the key __proto__";
    if (known.has(name)) return "it has a key twice";
    known.add(name);
  }
  return undefined;
}

function lineOf(text: string, position: number): string {
  return `, on line ${text.slice(0, position).split("\n").length}`;
}

function tooDeep(): UnreadableError {
  return unreadable(`it nests deeper than ${reportLimits.depth} levels`);
}

/** Checks what holds for each part: how deep it lies, that numbers are numbers and references lead to the document. */
function checkParts(part: unknown, base: object, depth: number): void {
  if (typeof part === "number" && !Number.isFinite(part)) {
    throw unreadable("it has a number that is none");
  }
  if (typeof part !== "object" || part === null) return;
  if (depth > reportLimits.depth) throw tooDeep();
  const inner = "$id" in part && typeof part.$id === "string" ? part : base;
  if ("$ref" in part && typeof part.$ref === "string") {
    if (!part.$ref.startsWith("#")) {
      throw unreadable("it refers to another document; bundle both into one");
    }
    if (targetOf(part.$ref, inner) === undefined) {
      throw unreadable(`its reference ${part.$ref} leads nowhere`);
    }
  }
  for (const value of Object.values(part)) checkParts(value, inner, depth + 1);
}

/** What a reference within a document leads to. */
function targetOf(reference: string, base: object): unknown {
  const [first = "", ...parts] = fragmentOf(reference).split("/");
  let target: unknown = first === "" ? base : undefined;
  for (const part of parts) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof target !== "object" || target === null || !Object.hasOwn(target, key))
      return undefined;
    target = Reflect.get(target, key);
  }
  return target;
}

function fragmentOf(reference: string): string {
  try {
    return decodeURIComponent(reference.slice(1));
  } catch {
    throw unreadable(`its reference ${reference} leads nowhere`);
  }
}

/** The schemas of the standards, compiled; the types of the package leave them out. */
const compiled = new Validator() as unknown as {
  getAjvValidator(version: string): {
    (document: unknown): boolean;
    readonly errors?: readonly { instancePath: string; message?: string }[] | null;
  };
};

/**
 * Checks a document by the schema of its standard. The package's own way to do so also follows references, and there a
 * document can reach `Object.prototype` and write to it.
 *
 * @returns The version of the standard, such as 3.1.0
 */
function validate(document: Readonly<Record<string, unknown>>): string {
  const named = document["openapi"] ?? document["swagger"];
  const standard = typeof named === "string" && /^\d\.\d(\.\d{1,3})?$/.test(named) ? named : "";
  const version = versions.find((one) => standard === one || standard.startsWith(`${one}.`));
  if (version === undefined) {
    throw unreadable(`it names no version of OpenAPI that is known: ${versions.join(", ")}`);
  }
  const check = compiled.getAjvValidator(version);
  if (!check(document)) {
    const [problem] = check.errors ?? [];
    const where = problem?.instancePath ?? "";
    throw unreadable(
      `it is no valid description by OpenAPI ${version}${where === "" ? "" : `, see ${where}`}: ${problem?.message ?? "it has another shape"}`,
    );
  }
  return standard;
}

function serversOf({ servers, schemes, host, basePath }: Description): string[] {
  if (host !== undefined) return schemes.map((scheme) => `${scheme}://${host}${basePath}`);
  return [...servers.map(({ url }) => url), ...(basePath === "" ? [] : [basePath])];
}

/** The methods of a path, also those of what it refers to. */
function methodsOf(document: object, item: unknown): string[] {
  const items = new Set(isObject(item) ? [item] : []);
  // A set that grows while it is walked.
  for (const { $ref: reference } of items) {
    const target = typeof reference === "string" ? targetOf(reference, document) : undefined;
    if (isObject(target)) items.add(target);
  }
  return methods
    .filter((method) => [...items].some((one) => Object.hasOwn(one, method)))
    .map((method) => method.toUpperCase());
}
