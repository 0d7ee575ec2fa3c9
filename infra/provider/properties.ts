import { isDeepStrictEqual } from "node:util";
import type { JavaScriptValue, Struct, Value } from "google-protobuf/google/protobuf/struct_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";

/** Properties of a resource as plain JavaScript. A value that a preview does not know is the symbol {@link unknown}. */
export type Properties = Record<string, unknown>;

/** Stands for "known after the update" in previews. */
export const unknown: unique symbol = Symbol("unknown until the update");

/**
 * Which parts of a value are secret: `true` for all of it, else the secret entries by key (list entries by index).
 * Undefined means that nothing is secret.
 */
type SecretMask = true | ReadonlyMap<string, SecretMask> | undefined;

/** Properties as they came over the wire: the plain values, and which of them were secret. */
export interface Received {
  readonly values: Properties;
  readonly secrets: ReadonlyMap<string, SecretMask>;
}

/** Tells whether this very value is not known yet. */
export function isUnknown(value: unknown): boolean {
  return value === unknown;
}

/** Tells whether a value, or anything inside it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknown) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isPlainObject(value) && Object.values(value).some(hasUnknown);
}

/**
 * Tells whether two property values are the same. An unknown one equals nothing, not even another unknown one. Null
 * counts as absent, because the engine drops nulls on some of its ways.
 */
export function sameProperty(a: unknown, b: unknown): boolean {
  return !hasUnknown(a) && !hasUnknown(b) && isDeepStrictEqual(withoutNulls(a), withoutNulls(b));
}

/** Reads a struct of the engine's wire format: takes secrets out of their wrapping and unknowns for {@link unknown}. */
export function fromStruct(struct: Struct | undefined): Received {
  const values: [string, unknown][] = [];
  const secrets = new Map<string, SecretMask>();
  struct?.getFieldsMap().forEach((field, key) => {
    const decoded = decode(field);
    values.push([key, decoded.plain]);
    if (decoded.mask !== undefined) secrets.set(key, decoded.mask);
  });
  return { values: Object.fromEntries(values), secrets };
}

/**
 * Writes properties in the engine's wire format.
 *
 * What came in secret under the same top-level name is secret again: at the same places when the value is unchanged,
 * and all of it when it is not, because then nobody can tell where the secret went.
 *
 * @param echoOf properties that these may repeat, most often the inputs of the same call
 * @param alwaysSecret top-level names that are secret whatever came in
 */
export function toStruct(
  values: Properties,
  echoOf?: Received,
  alwaysSecret: readonly string[] = [],
): Struct {
  const fields = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]): [string, JavaScriptValue] => {
      const mask = alwaysSecret.includes(key) ? true : maskOfEcho(value, key, echoOf);
      return [key, encode(value, mask, key)];
    });
  return structs.Struct.fromJavaScript(Object.fromEntries(fields));
}

// Signatures and sentinels of the engine: sdk/go/common/resource/sig and plugin/rpc.go in pulumi/pulumi.
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const unknownSentinels: ReadonlySet<string> = new Set([
  unknownString,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

interface Decoded {
  readonly plain: unknown;
  readonly mask: SecretMask;
}

function decode(value: Value): Decoded {
  if (value.hasStringValue()) {
    const text = value.getStringValue();
    return { plain: unknownSentinels.has(text) ? unknown : text, mask: undefined };
  }
  if (value.hasNumberValue()) return { plain: value.getNumberValue(), mask: undefined };
  if (value.hasBoolValue()) return { plain: value.getBoolValue(), mask: undefined };
  const list = value.getListValue();
  if (list !== undefined) {
    const items = list.getValuesList().map(decode);
    return {
      plain: items.map((item) => item.plain),
      mask: maskOf(items.map((item, index) => [String(index), item.mask])),
    };
  }
  const struct = value.getStructValue();
  return struct === undefined ? { plain: null, mask: undefined } : decodeStruct(struct);
}

function decodeStruct(struct: Struct): Decoded {
  const fields = struct.getFieldsMap();
  const signature = fields.get(signatureKey)?.getStringValue();
  const wrapped = fields.get("value");
  if (signature === secretSignature) {
    return { plain: wrapped === undefined ? null : decode(wrapped).plain, mask: true };
  }
  if (signature === outputSignature) {
    const inner: Decoded =
      wrapped === undefined ? { plain: unknown, mask: undefined } : decode(wrapped);
    return fields.get("secret")?.getBoolValue() === true ? { ...inner, mask: true } : inner;
  }
  const received = fromStruct(struct);
  return { plain: received.values, mask: maskOf([...received.secrets]) };
}

function maskOf(entries: readonly (readonly [string, SecretMask])[]): SecretMask {
  const secret = entries.filter(([, mask]) => mask !== undefined);
  return secret.length === 0 ? undefined : new Map(secret);
}

function maskOfEcho(value: unknown, key: string, echoOf: Received | undefined): SecretMask {
  const mask = echoOf?.secrets.get(key);
  if (echoOf === undefined || mask === undefined || mask === true) return mask;
  return isDeepStrictEqual(value, echoOf.values[key]) ? mask : true;
}

function encode(value: unknown, mask: SecretMask, path: string): JavaScriptValue {
  if (mask === true) {
    return { [signatureKey]: secretSignature, value: encode(value, undefined, path) };
  }
  if (value === unknown) return unknownString;
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      encode(item, mask?.get(String(index)), `${path}[${String(index)}]`),
    );
  }
  if (isPlainObject(value)) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, entry]) => entry !== undefined)
        .map(([key, entry]) => [key, encode(entry, mask?.get(key), `${path}.${key}`)]),
    );
  }
  throw new TypeError(`property ${path} holds a ${typeof value} that no resource can keep`);
}

function isPlainObject(value: unknown): value is Properties {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined && entry !== null)
      .map(([key, entry]) => [key, withoutNulls(entry)]),
  );
}
