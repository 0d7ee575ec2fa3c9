import { z } from "zod";
import type { GuardFacts } from "../contract/facts.ts";
import { fail, inconclusive, type Reason } from "../gate.ts";
import { evidenceKind } from "../kind.ts";
import { factAt, factPath, isSame } from "../checks/fact-path.ts";
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
    z.strictObject({
      sameAs: factPath.describe("the fact that it must be: release.version, release.images.api"),
    }),
  ],
  "one of is, declared and sameAs, with a text",
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
          : "declared" in value
            ? `${shownName(key)} as ${shownName(value.declared)} of the stack config`
            : `${shownName(key)} as ${shownName(value.sameAs)}`,
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
  facts: GuardFacts,
): Reason[] {
  const value = valueOf(wanted, facts);
  if (bare(value) === "") return [nothingWanted(wanted)];
  const name = shownName(key);
  const found = own(said, key);
  if (found === undefined) return [fail(`it does not say ${name}`)];
  const same = "sameAs" in wanted ? isSame(bare(found), bare(value)) : bare(found) === bare(value);
  return same ? [] : [fail(`its ${name} is not ${oneOf(wanted)}`)];
}

/** The value that the document must say; empty where there is none. */
function valueOf(wanted: Wanted, facts: GuardFacts): string {
  if ("is" in wanted) return wanted.is;
  if ("declared" in wanted) return own(facts.declared, wanted.declared) ?? "";
  const fact = factAt(wanted.sameAs, facts);
  return typeof fact === "string" || typeof fact === "number" ? String(fact) : "";
}

function oneOf(wanted: Wanted): string {
  if ("sameAs" in wanted) return `the one of ${shownName(wanted.sameAs)}`;
  return "is" in wanted ? "the required one" : "the declared one";
}

function nothingWanted(wanted: Wanted): Reason {
  if ("sameAs" in wanted) {
    return inconclusive(`${shownName(wanted.sameAs)} is no single value that is known`);
  }
  const path = shownName("declared" in wanted ? wanted.declared : "");
  return inconclusive(`the stack config declares no ${path}`, {
    remedy: `declare ${path} in the stack config`,
  });
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
