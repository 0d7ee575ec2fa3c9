import { z } from "zod";
import { checklistSchema } from "../../policies/contract/checklist.ts";
import type { Kind } from "../../policies/kind.ts";

type Schema = Record<string, unknown>;

/** What may stand wherever a checklist takes a number, a text or a list: a name under `open`. */
const openRef = { $ref: "#/$defs/open-requirement" };

const openRequirement: Schema = {
  type: "object",
  properties: { open: { type: "string", description: "name of a requirement under open" } },
  required: ["open"],
  additionalProperties: false,
  description: "what the document leaves open and the team decides under open",
};

/** The JSON Schema of a checklist, so that an editor completes and checks it. */
export function checklistJsonSchema(kinds: readonly Kind[]): Schema {
  const whole = plainSchema(checklistSchema);
  const properties = whole["properties"] as Record<string, Schema>;
  for (const list of ["gates", "steps", "watch"]) {
    const items = (properties[list] as Schema)["items"] as Schema;
    const row = items["properties"] as Record<string, Schema>;
    const { requires: _any, ...rest } = row;
    items["properties"] = {
      ...rest,
      kind: {
        description: row["kind"]?.["description"],
        oneOf: kinds.map(({ kind, title }) => ({ const: kind, description: title })),
      },
      requires: { description: row["requires"]?.["description"] },
      maxAge: orOpen(row["maxAge"] as Schema),
      afterBy: orOpen(row["afterBy"] as Schema),
    };
    items["allOf"] = kinds.map(({ kind }) => ({
      if: { properties: { kind: { const: kind } }, required: ["kind"] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema, and nothing awaits it
      then: { properties: { requires: { $ref: `#/$defs/${kind}` } } },
    }));
  }
  const named = kinds.map(({ kind, requires }) => [kind, withOpen(plainSchema(requires))] as const);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Release checklist",
    ...whole,
    $defs: { "open-requirement": openRequirement, ...Object.fromEntries(named) },
  };
}

function plainSchema(type: z.ZodType): Schema {
  const { $schema: _draft, ...schema } = z.toJSONSchema(type, {
    io: "input",
    unrepresentable: "any",
    reused: "inline",
  });
  return schema;
}

/** Lets a name under `open` stand for every value below. */
function withOpen(schema: Schema): Schema {
  const { properties, additionalProperties, items, anyOf, ...rest } = schema;
  return {
    ...rest,
    ...(isSchema(properties)
      ? { properties: mapped(properties, (one) => orOpen(withOpen(one))) }
      : {}),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties: isSchema(additionalProperties)
            ? orOpen(withOpen(additionalProperties))
            : additionalProperties,
        }),
    ...(isSchema(items) ? { items: orOpen(withOpen(items)) } : {}),
    ...(Array.isArray(anyOf) ? { anyOf: (anyOf as Schema[]).map(withOpen) } : {}),
  };
}

function orOpen(schema: Schema): Schema {
  const { description, ...rest } = schema;
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, openRef] };
}

function mapped(of: Schema, change: (schema: Schema) => Schema): Schema {
  return Object.fromEntries(
    Object.entries(of).map(([key, schema]) => [key, change(schema as Schema)]),
  );
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
