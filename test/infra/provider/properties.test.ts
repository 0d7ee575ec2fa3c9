import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import {
  fromStruct,
  hasUnknown,
  isUnknown,
  sameProperty,
  toStruct,
  unknown,
} from "../../../infra/provider/properties.ts";
import { secret, unknownText } from "../../support/engine.ts";

// google-protobuf keeps map entries on a plain object, so this one name has no way through it.
const key = fc.string().filter((text) => text !== "__proto__");
const leaf = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true }).map((number) => number + 0),
  fc.boolean(),
  fc.constant(null),
  fc.constant(unknown),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const properties = fc.dictionary(key, value, { maxKeys: 6, noNullPrototype: true });

describe("round trip", () => {
  property.prop([properties])("plain values and unknowns come back as they went", (values) => {
    expect(fromStruct(toStruct(values)).values).toEqual(values);
  });

  property.prop([properties])(
    "values made secret come back plain, and known as secret",
    (values) => {
      const back = fromStruct(toStruct(values, undefined, Object.keys(values)));
      expect(back.values).toEqual(values);
      expect([...back.secrets.keys()].sort()).toEqual(Object.keys(values).sort());
    },
  );

  property.prop([properties, fc.func(fc.boolean())])(
    "an echo of inputs with secrets anywhere inside is the same on the wire",
    (values, isSecret) => {
      const wire = toStruct(sealed(values, isSecret));
      const received = fromStruct(wire);
      expect(received.values).toEqual(values);
      expect(toStruct(received.values, received).toJavaScript()).toEqual(wire.toJavaScript());
    },
  );
});

describe("toStruct", () => {
  const received = fromStruct(
    toStruct({ connection: { host: "db", password: secret("hunter2") }, token: secret("t") }),
  );

  test("leaves the path to a nested secret in the open", () => {
    expect(toStruct(received.values, received).toJavaScript()).toEqual({
      connection: { host: "db", password: secret("hunter2") },
      token: secret("t"),
    });
  });

  test("makes a changed value with a nested secret secret as a whole", () => {
    const changed = { connection: { host: "other", secrets: ["hunter2"] } };
    expect(toStruct(changed, received).toJavaScript()).toEqual({
      connection: secret(changed.connection),
    });
  });

  test("leaves out what is undefined and refuses what no resource can hold", () => {
    expect(toStruct({ a: undefined, b: { c: undefined } }).toJavaScript()).toEqual({ b: {} });
    expect(() => toStruct({ when: { at: new Date(0) } })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: property when.at holds a object that no resource can keep]`,
    );
  });
});

describe("fromStruct", () => {
  test("takes every sentinel of the engine for unknown", () => {
    const sentinels = [
      unknownText,
      "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
      "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
      "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
      "030794c1-ac77-496b-92df-f27374a8bd58",
      "e48ece36-62e2-4504-bad9-02848725956a",
      "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    ];
    expect(fromStruct(toStruct({ sentinels })).values).toEqual({
      sentinels: sentinels.map(() => unknown),
    });
  });

  test("takes output values for what they hold", () => {
    const output = (rest: object): object => ({
      "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4",
      ...rest,
    });
    const wire = toStruct({
      known: output({ value: "v", dependencies: ["urn"] }),
      hidden: output({ value: "v", secret: true }),
      waiting: output({}),
    });
    const { values, secrets } = fromStruct(wire);
    expect(values).toEqual({ known: "v", hidden: "v", waiting: unknown });
    expect([...secrets]).toEqual([["hidden", true]]);
  });

  test("takes no struct for no properties", () => {
    expect(fromStruct(undefined).values).toEqual({});
  });
});

describe("unknowns", () => {
  test("are found however deep", () => {
    expect(isUnknown(unknown)).toBe(true);
    expect(isUnknown([unknown])).toBe(false);
    expect(hasUnknown({ a: [{ b: unknown }] })).toBe(true);
    expect(hasUnknown({ a: [{ b: null }] })).toBe(false);
  });

  test("equal nothing", () => {
    expect(sameProperty(unknown, unknown)).toBe(false);
    expect(sameProperty({ a: 1, b: null, c: undefined }, { a: 1 })).toBe(true);
    expect(sameProperty({ a: [null] }, { a: [] })).toBe(false);
  });
});

function sealed(values: object, isSecret: (path: string) => boolean): Record<string, unknown> {
  const walk = (entry: unknown, path: string): unknown => {
    if (path !== "" && isSecret(path)) return secret(entry);
    if (Array.isArray(entry))
      return entry.map((item, index) => walk(item, `${path}/${String(index)}`));
    if (typeof entry !== "object" || entry === null) return entry;
    return Object.fromEntries(Object.entries(entry).map(([k, v]) => [k, walk(v, `${path}/${k}`)]));
  };
  return walk(values, "") as Record<string, unknown>;
}
