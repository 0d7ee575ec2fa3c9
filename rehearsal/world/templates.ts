import { Liquid } from "liquidjs";

const liquid = new Liquid({ strictFilters: true, strictVariables: true });

/** A text that is one value and nothing else. */
const single = /^\{\{\s*([\w.[\]"'-]+)\s*\}\}$/;

/**
 * Fills in every template within a value. A text that is one value becomes it, so that a number stays one.
 *
 * @param context what templates can name
 * @param where names the value in messages
 * @throws Error when a template names what is not there
 */
export function filled(value: unknown, context: object, where: string): unknown {
  if (typeof value === "string") return filledText(value, context, where);
  if (Array.isArray(value)) {
    return value.map((one, index) => filled(one, context, `${where}[${String(index)}]`));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      textOf(name, context, where),
      filled(one, context, `${where}.${name}`),
    ]),
  );
}

/** Fills in a template that must become text. */
export function textOf(template: string, context: object, where: string): string {
  return String(filledText(template, context, where));
}

function filledText(template: string, context: object, where: string): unknown {
  try {
    const [, name] = single.exec(template) ?? [];
    const value: unknown =
      name === undefined
        ? liquid.parseAndRenderSync(template, context)
        : liquid.evalValueSync(name, context);
    if (value === undefined || value === null) throw new Error(`undefined variable: ${name ?? ""}`);
    return value;
  } catch (error) {
    const [why = ""] = (error instanceof Error ? error.message : String(error)).split(", file:");
    throw new Error(`${where} cannot be filled in: ${why}`, { cause: error });
  }
}
