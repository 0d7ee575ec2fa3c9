import { z } from "zod";
import {
  RefusedError,
  hasUnknown,
  isUnknown,
  sameProperty,
  type Call,
  type CheckFailure,
  type DiffResult,
  type Properties,
  type ResourceState,
  type ResourceType,
} from "../../infra/provider/serve.ts";

/** A resource as the state of the engine has it, with its id. */
export type Known = ResourceState & { readonly id: string };

/** What a cloud does for one type of resource. Its errors are {@link ApiError}s. */
export interface Kind<Schema extends z.ZodType<Properties>> {
  /**
   * Every input that the stand-in imitates. Others are refused by name: a property that is quietly ignored would be
   * rehearsed as if it worked.
   */
  readonly inputs: Schema;
  /** Inputs that only a replacement can change. */
  readonly replaceOn: "every" | ((name: string) => boolean);
  /**
   * The input that is the name in the cloud. While it stays the same the old one goes before the new one comes, as
   * the providers do with names that they did not make up (nameRequiresDeleteBeforeReplace in pulumi-terraform-bridge).
   */
  readonly physicalName?: string;
  /** Inputs that the cloud never gives back: they are in no output. */
  readonly withheld?: readonly string[];
  /** Whether the old one always goes first. */
  readonly deleteFirst?: true;
  /** Further names that differ, found by comparing with the outputs. */
  driftOf?(olds: Known, news: Properties): readonly string[];
  /** Returns the outputs that are not inputs. */
  create(
    inputs: z.output<Schema>,
    call: Call,
  ): Promise<{ readonly id: string; readonly outputs: Properties }>;
  /** Returns the outputs that are not inputs. Left out where every change replaces. */
  update?(olds: Known, inputs: z.output<Schema>, call: Call): Promise<Properties>;
  /** Tells whether it is still there; on a refresh. */
  exists(olds: Known): boolean | Promise<boolean>;
  /**
   * What an import by this id finds in the cloud's own record; undefined when there is nothing. Left out where the
   * rehearsal imports nothing.
   */
  find?(id: string): Known | undefined;
  delete(olds: Known, call: Call): Promise<void>;
}

/** A refusal of a cloud's API, in its words. */
export class ApiError extends RefusedError {
  constructor(operation: string, code: string, message: string) {
    super(`operation error ${operation}, ${code}: ${message}`);
  }
}

/** Makes a resource type of the provider protocol from what a cloud does for it. */
export function standIn<Schema extends z.ZodType<Properties>>(kind: Kind<Schema>): ResourceType {
  return {
    check: (news, _olds, call) => failuresOf(kind.inputs, news, call.type),
    diff: (olds, news) => diffOf(kind, olds, news),
    async create(news, call) {
      if (call.preview) return { id: "", outputs: given(kind, news) };
      const inputs = parse(kind.inputs, news, call);
      const made = await kind.create(inputs, call);
      return { id: made.id, outputs: { ...given(kind, inputs), ...made.outputs } };
    },
    async update(id, olds, news, call) {
      if (call.preview) return { outputs: { ...olds.outputs, ...given(kind, news) } };
      const inputs = parse(kind.inputs, news, call);
      const outputs = await kind.update?.({ id, ...olds }, inputs, call);
      return { outputs: { ...given(kind, inputs), ...outputs } };
    },
    async read(id, state, call) {
      if (isImport(state)) return imported(kind, id, call);
      return (await kind.exists({ id, ...state })) ? { id, ...state } : undefined;
    },
    delete: (id, olds, call) => kind.delete({ id, ...olds }, call),
  };
}

/** The inputs that the cloud gives back. */
function given<Schema extends z.ZodType<Properties>>(
  { withheld = [] }: Kind<Schema>,
  inputs: Properties,
): Properties {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !withheld.includes(name)));
}

/** The engine knows everything of a resource that it refreshes, and nothing but the id of one that it imports. */
function isImport({ inputs, outputs }: ResourceState): boolean {
  return Object.keys(inputs).length === 0 && Object.keys(outputs).length === 0;
}

function imported<Schema extends z.ZodType<Properties>>(
  kind: Kind<Schema>,
  id: string,
  { type }: Call,
): Known | undefined {
  if (kind.find !== undefined) return kind.find(id);
  throw new RefusedError(
    `the rehearsal cannot import ${type}, nor get one by its id alone. ` +
      "To do: declare it without import, or teach it to the stand-in in rehearsal/stand-ins",
  );
}

/** Outputs of an earlier operation that are not inputs: they stay when the inputs change. */
export function computedOf(olds: Known, names: readonly string[]): Properties {
  return Object.fromEntries(names.map((name) => [name, olds.outputs[name]]));
}

/** An output or input of an earlier operation as text. */
export function textOf(olds: Known, name: string): string {
  const value = olds.outputs[name] ?? olds.inputs[name];
  return typeof value === "string" ? value : "";
}

function diffOf<Schema extends z.ZodType<Properties>>(
  kind: Kind<Schema>,
  olds: Known,
  news: Properties,
): DiffResult {
  const defaults = defaultsOf(kind.inputs);
  const names = new Set([...Object.keys(olds.inputs), ...Object.keys(news)]);
  const inputs = [...names].filter(
    (name) => !sameProperty(olds.inputs[name] ?? defaults[name], news[name] ?? defaults[name]),
  );
  const replaces = kind.replaceOn === "every" ? inputs : inputs.filter(kind.replaceOn);
  const drift = kind.driftOf?.(olds, news) ?? [];
  const { physicalName } = kind;
  const keepsName =
    physicalName !== undefined && sameProperty(olds.inputs[physicalName], news[physicalName]);
  const diffs = [...new Set([...inputs, ...drift])];
  return {
    changes: diffs.length > 0,
    diffs,
    replaces,
    deleteBeforeReplace: replaces.length > 0 && (keepsName || kind.deleteFirst === true),
  };
}

/** What is written out and what is left to its default are the same to a cloud. */
function defaultsOf(schema: z.ZodType): Properties {
  if (!(schema instanceof z.ZodObject)) return {};
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return Object.fromEntries(
    Object.entries(shape).flatMap(([name, input]) =>
      input instanceof z.ZodDefault ? [[name, input.parse(undefined)]] : [],
    ),
  );
}

function parse<Schema extends z.ZodType<Properties>>(
  schema: Schema,
  news: Properties,
  { name, type }: Call,
): z.output<Schema> {
  const parsed = schema.safeParse(news);
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.flatMap((issue) => failuresOfIssue(issue, news, type));
  throw new RefusedError(
    `${name}: ${reasons.map(({ property, reason }) => `${property}: ${reason}`).join("; ")}`,
  );
}

function failuresOf(schema: z.ZodType, news: Properties, type: string): CheckFailure[] {
  const parsed = schema.safeParse(news);
  if (parsed.success) return [];
  return parsed.error.issues
    .filter(({ code, path }) => code === "unrecognized_keys" || !touchesUnknown(news, path))
    .flatMap((issue) => failuresOfIssue(issue, news, type));
}

/** What is not known yet cannot be judged yet. */
function touchesUnknown(news: Properties, path: readonly PropertyKey[]): boolean {
  for (let length = 0; length < path.length; length += 1) {
    if (isUnknown(valueAt(news, path.slice(0, length)))) return true;
  }
  return hasUnknown(valueAt(news, path));
}

function failuresOfIssue(issue: z.core.$ZodIssue, news: Properties, type: string): CheckFailure[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      property: dotted([...issue.path, key]),
      reason:
        `the rehearsal does not imitate this property of ${type}. ` +
        "To do: leave it out, or teach it to the stand-in in rehearsal/stand-ins",
    }));
  }
  const property = dotted(issue.path);
  if (issue.code === "invalid_type" && valueAt(news, issue.path) === undefined) {
    return [{ property, reason: "Missing required argument. To do: set it" }];
  }
  return [{ property, reason: issue.message }];
}

function valueAt(news: Properties, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    news,
  );
}

function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${String(part)}]` : `${index === 0 ? "" : "."}${String(part)}`,
    )
    .join("");
}
