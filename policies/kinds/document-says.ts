import { z } from "zod";
import type { GuardFacts } from "../contract/facts.ts";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { byName, joined, listed, missing, own, shownName, uniqueNames } from "../checks/names.ts";

const wanted = z.union(
  [
    z.strictObject({
      is: z
        .string()
        .refine((text) => bare(text) !== "", "a text that says something")
        .describe("what the document must say"),
    }),
    z.strictObject({
      declared: z.string().min(1).describe("where the stack config declares it: services.port"),
    }),
  ],
  "either is or declared, with a text",
);

type Wanted = z.infer<typeof wanted>;

/**
 * A document has the sections that it must have and says the values that hold. Headings compare without regard to case;
 * values compare whole, without the quotes or backticks around them.
 */
export const documentSays = evidenceKind({
  kind: "document-says",
  title: "A document has its sections, and its values are those that hold.",
  judges: "document",
  requires: z
    .strictObject({
      sections: uniqueNames.optional().describe("headings that the document must have"),
      values: byName(wanted)
        .optional()
        .describe("values that the document must say, by their name in the document"),
    })
    .refine(
      ({ sections, values }) => sections !== undefined || values !== undefined,
      "sections, values or both",
    ),
  required: ({ sections = [], values = {} }) =>
    joined([
      ...(sections.length === 0 ? [] : [`the sections ${listed(sections)}`]),
      ...Object.entries(values).map(([key, value]) =>
        "is" in value
          ? `${shownName(key)} as ${shownName(bare(value.is))}`
          : `${shownName(key)} as ${shownName(value.declared)} of the stack config`,
      ),
    ]),
  // What the document says stays untold.
  judge: (predicate, { sections = [], values = {} }, { facts }) => {
    const headings = new Set(predicate.sections.map(headingKey));
    return [
      ...missing(
        sections.filter((section) => !headings.has(headingKey(section))),
        "document",
        "section",
      ),
      ...Object.entries(values).flatMap(([key, value]) =>
        judgeValue(predicate.values, key, value, facts),
      ),
    ];
  },
});

function judgeValue(
  said: Readonly<Record<string, string>>,
  key: string,
  wanted: Wanted,
  { declared }: GuardFacts,
): Reason[] {
  const value = "is" in wanted ? wanted.is : (own(declared, wanted.declared) ?? "");
  if ("declared" in wanted && bare(value) === "") {
    const path = shownName(wanted.declared);
    return [
      inconclusive(`the stack config declares no ${path}`, {
        remedy: `declare ${path} in the stack config`,
      }),
    ];
  }
  const name = shownName(key);
  const found = own(said, key);
  if (found === undefined) return [fail(`it does not say ${name}`)];
  if (bare(found) === bare(value)) return [];
  return [fail(`its ${name} is not the ${"is" in wanted ? "required" : "declared"} one`)];
}

function headingKey(heading: string): string {
  return heading.trim().toLowerCase();
}

/** A text without white space, quotes and backticks around it. */
function bare(text: string): string {
  let inner = text.trim();
  while (/^(["'`]).*\1$/s.test(inner)) inner = inner.slice(1, -1).trim();
  return inner;
}
