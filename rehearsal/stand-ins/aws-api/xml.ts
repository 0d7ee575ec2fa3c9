/** What an element holds: text, elements by name, or one name's elements as a list. Nothing is written for undefined. */
export type Xml =
  string | number | boolean | Date | undefined | readonly Xml[] | { readonly [name: string]: Xml };

/** A whole document with one element at its top. */
export function xmlDocument(name: string, content: Xml, namespace?: string): string {
  const attribute = namespace === undefined ? "" : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${attribute}>${inner(content)}</${name}>`;
}

function inner(content: Xml): string {
  if (content === undefined) return "";
  if (content instanceof Date) return content.toISOString();
  if (typeof content !== "object") return escaped(String(content));
  if (isList(content)) throw new Error("a list in XML needs a name");
  return Object.entries(content)
    .flatMap(([name, value]) => (isList(value) ? value : [value]).map((one) => element(name, one)))
    .join("");
}

function element(name: string, content: Xml): string {
  return content === undefined ? "" : `<${name}>${inner(content)}</${name}>`;
}

function isList(content: Xml): content is readonly Xml[] {
  return Array.isArray(content);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Line ends and control characters of a key would not come back as they were, so they go as references. */
function escaped(text: string): string {
  return text.replaceAll(
    /[&<>"'\p{Cc}\u2028]/gu,
    (one) => entities[one] ?? `&#x${(one.codePointAt(0) ?? 0).toString(16)};`,
  );
}
