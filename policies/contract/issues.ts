import { z } from "zod";

/**
 * Parses a value, so that `issueText` can tell what is wrong with it. What a schema says itself about a mistake stands;
 * the rest is said in plain words.
 */
export function parsePlainly<Value>(
  schema: z.ZodType<Value>,
  value: unknown,
): z.ZodSafeParseResult<Value> {
  return schema.safeParse(value, { error: requiredBy, reportInput: true });
}

/** What was found at the place of an issue and what is required there, on one line. */
export function issueText(issue: z.core.$ZodIssue): string {
  if (issue.code === "custom") return issue.message;
  if (issue.code === "unrecognized_keys") {
    const keys = issue.keys.map(line).join(", ");
    return `found the ${issue.keys.length === 1 ? "key" : "keys"} ${keys}, ${issue.message}`;
  }
  if (issue.code === "invalid_key") {
    const required = issue.issues[0]?.message ?? "another name";
    return `found the name ${line(String(issue.path.at(-1)))}, required ${required}`;
  }
  return `found ${foundText(issue.input)}, required ${issue.message}`;
}

/** A value of a checklist, which holds no secrets, as a message may show it. */
export function foundText(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "string") return value.trim() === "" ? "an empty text" : line(value);
  if (Array.isArray(value)) return listText(value);
  return typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : "a group of keys";
}

function listText(list: readonly unknown[]): string {
  if (list.length === 0) return "an empty list";
  if (list.some((entry) => typeof entry === "object")) return "a list";
  return line(`[${list.map(String).join(", ")}]`);
}

const mostLength = 60;

function line(text: string): string {
  const plain = text.replaceAll(/[\p{C}\s]+/gu, " ").trim();
  return plain.length > mostLength ? `${plain.slice(0, mostLength)}…` : plain;
}

const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  record: "a group of keys",
};

/** What the schema requires where it does not say so itself. */
function requiredBy(issue: z.core.$ZodRawIssue): string | undefined {
  const keys = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape).join(", ") : "";
  switch (issue.code) {
    case "invalid_type":
      return issue.expected === "object"
        ? `a group of keys: ${keys}`
        : (typeWords[issue.expected] ?? "another value");
    case "invalid_value":
      return issue.values.length === 1
        ? String(issue.values[0])
        : `one of ${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return keys === "" ? "which nothing reads" : `required are only ${keys}`;
    case "too_small":
      return limitText(issue.origin, Number(issue.minimum), issue.inclusive ?? true, "least");
    case "too_big":
      return limitText(issue.origin, Number(issue.maximum), issue.inclusive ?? true, "most");
    case "invalid_format":
      return "a text of another form";
    case "invalid_union":
      return "a value of another form";
    case "custom":
    case "invalid_element":
    case "invalid_key":
    case "not_multiple_of":
      break;
  }
  return undefined;
}

function limitText(
  origin: string,
  limit: number,
  inclusive: boolean,
  end: "least" | "most",
): string {
  if (origin === "string" && end === "least" && limit === 1) return "a text that says something";
  const nouns: Readonly<Record<string, readonly [string, string]>> = {
    string: ["character", "characters"],
    array: ["entry", "entries"],
  };
  const noun = nouns[origin]?.[limit === 1 ? 0 : 1];
  if (noun !== undefined) return `at ${end} ${limit} ${noun}`;
  if (!inclusive) return end === "least" ? `a number above ${limit}` : `a number below ${limit}`;
  return end === "least" ? `${limit} or more` : `${limit} or less`;
}
