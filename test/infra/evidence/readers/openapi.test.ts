import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { openapi } from "../../../../infra/evidence/readers/openapi.ts";
import { describeBadBytes, readWith, refusal, sample } from "./samples.ts";

const info = { title: "Orders", version: "1.4.0" };
const responses = { "200": { description: "The orders" } };
const operation = { responses };

const document = (rest: object = {}): Record<string, unknown> => ({
  openapi: "3.1.0",
  info,
  paths: {},
  ...rest,
});

const factsOf = (report: unknown) => readWith(openapi, report).facts;

/** A document whose schemas say what is given. */
const withSchema = (schema: unknown) => document({ components: { schemas: { A: schema } } });

/** A value within lists, `depth` of them. */
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe("openapi", () => {
  test("reads a description in YAML: operations, also of a path that stands elsewhere, tags and servers", () => {
    expect(readWith(openapi, sample("openapi/orders.yaml"))).toEqual({
      facts: {
        format: "openapi",
        title: "Orders",
        version: "1.4.0",
        sections: ["orders", "health"],
        values: {
          openapi: "3.1.0",
          "server 1": "https://api.example.com/v1",
          "server 2": "https://{region}.example.com/v1",
        },
        operations: ["GET /health", "GET /orders", "GET /orders/{id}", "POST /orders"],
      },
      producedAt: null,
    });
  });

  test.each([
    ["3.0.json", "3.0.3", { "server 1": "/v1" }, ["GET /orders"]],
    [
      "2.0.json",
      "2.0",
      { "server 1": "https://api.example.com/v0" },
      ["DELETE /orders", "GET /orders"],
    ],
  ])("reads a description in JSON, orders-%s", (name, version, servers, operations) => {
    expect(factsOf(sample(`openapi/orders-${name}`))).toMatchObject({
      values: { openapi: version, ...servers },
      operations,
    });
  });

  test("reads the same from YAML and JSON", () => {
    const whole = document({ paths: { "/orders": { get: operation } } });
    expect(factsOf(stringify(whole))).toEqual(factsOf(whole));
  });

  test.each(["get", "put", "post", "delete", "options", "head", "patch", "trace"])(
    "knows the method %s",
    (method) => {
      expect(factsOf(document({ paths: { "/a": { [method]: operation } } })).operations).toEqual([
        `${method.toUpperCase()} /a`,
      ]);
    },
  );

  test("what is no operation makes none", () => {
    const paths = {
      "/a": { summary: "get", parameters: [] },
      "x-get": { get: operation },
      "/b": {},
    };
    expect(factsOf(document({ paths })).operations).toEqual([]);
  });

  test("a path that refers to itself, or in a circle, ends", () => {
    const paths = {
      "/a": { $ref: "#/paths/~1a" },
      "/b": { $ref: "#/paths/~1c", get: operation },
      "/c": { $ref: "#/paths/~1b", put: operation },
    };
    expect(factsOf(document({ paths })).operations).toEqual([
      "GET /b",
      "GET /c",
      "PUT /b",
      "PUT /c",
    ]);
  });

  test.each([
    [
      "a server of the first standard without a host",
      { swagger: "2.0", info, paths: {}, basePath: "/v0" },
      ["/v0"],
    ],
    ["no server", { swagger: "2.0", info, paths: {} }, []],
    [
      "a server without a protocol",
      { swagger: "2.0", info, paths: {}, host: "api.example.com" },
      ["https://api.example.com"],
    ],
    [
      "a server with two protocols",
      { swagger: "2.0", info, paths: {}, host: "api.example.com", schemes: ["http", "wss"] },
      ["http://api.example.com", "wss://api.example.com"],
    ],
  ])("reads %s", (_, report, servers) => {
    const { openapi: _version, ...values } = factsOf(report).values;
    expect(Object.values(values)).toEqual(servers);
  });

  test.each([
    ["#", withSchema({ properties: { a: { $ref: "#" } } })],
    ["the place of itself", withSchema({ $ref: "#/components/schemas/A" })],
    [
      "a name with signs",
      withSchema({
        properties: { "a/b~c d": {}, e: { $ref: "#/components/schemas/A/properties/a~1b~0c%20d" } },
      }),
    ],
    ["a place in a list", withSchema({ anyOf: [{}, { $ref: "#/components/schemas/A/anyOf/0" }] })],
    [
      "a place in the nearest schema with a name",
      withSchema({ $id: "https://example.com/a", $defs: { b: {} }, $ref: "#/$defs/b" }),
    ],
    ["a property that is called $ref", withSchema({ properties: { $ref: { type: "string" } } })],
  ])("takes a reference to %s", (_, report) => {
    expect(factsOf(report).title).toBe("Orders");
  });

  test.each([
    "#/components/schemas/B",
    "#/constructor/prototype",
    "#/__proto__",
    "#/info/title/length",
    "#/servers/map",
    "#/components/schemas/A/$ref/0",
    "#A",
    "#/%",
    "#/components/schemas/A/~1",
  ])("refuses the reference %s, which leads nowhere", (reference) => {
    expect(refusal(openapi, withSchema({ $ref: reference }))).toBe(
      `its reference ${reference} leads nowhere`,
    );
  });

  test.each([
    "other.yaml",
    "./other.yaml#/A",
    "/etc/passwd",
    "file:///etc/passwd",
    "https://example.com/other.yaml#/A",
    "//example.com/other.yaml",
    "",
  ])("refuses the reference %j to another document, and does not tell it", (reference) => {
    expect(refusal(openapi, withSchema({ $ref: reference }))).toBe(
      "it refers to another document; bundle both into one",
    );
  });

  test("no document reaches what all objects inherit", () => {
    const schema = { $ref: "#/constructor/prototype", polluted: { $ref: "#/info" } };
    refusal(openapi, withSchema(schema));
    refusal(openapi, stringify(withSchema(schema)));
    expect({}).not.toHaveProperty("polluted");
  });

  const yaml = (text: string): string =>
    `openapi: 3.1.0\ninfo: {title: a, version: "1"}\npaths: {}\n${text}`;

  test.each([
    ["nothing", "", /no description of an API/],
    ["a text", "openapi", /no description of an API/],
    ["a list", "[]", /no description of an API/],
    ["no version", { info, paths: {} }, /names no version of OpenAPI/],
    ["a version that is a number", { openapi: 3.1, info, paths: {} }, /names no version/],
    [
      "a version to come",
      document({ openapi: "4.0.0" }),
      "it names no version of OpenAPI that is known: 2.0, 3.0, 3.1, 3.2",
    ],
    ["a version that begins like one", document({ openapi: "3.10" }), /names no version/],
    ["a version with words", document({ openapi: "3.1.0 or so" }), /names no version/],
    [
      "the version of another standard",
      { openapi: "2.0", info, paths: {} },
      /no valid description by OpenAPI 2\.0/,
    ],
    [
      "no title",
      document({ info: { version: "1" } }),
      /no valid description by OpenAPI 3\.1, see \/info: .*title/,
    ],
    [
      "a version of YAML that is a number",
      yaml("").replace('"1"', "1.0"),
      /see \/info\/version: must be string/,
    ],
    [
      "an operation without responses",
      document({ openapi: "3.0.3", paths: { "/a": { get: {} } } }),
      /OpenAPI 3\.0, see \/paths\/~1a\/get/,
    ],
    ["a path without its slash", document({ paths: { a: {} } }), /see \/paths/],
    ["a long title", document({ info: { ...info, title: "x".repeat(513) } }), /see title/],
    ["a long version", document({ info: { ...info, version: "x".repeat(129) } }), /see version/],
    [
      "a long path",
      document({ paths: { [`/${"x".repeat(512)}`]: { get: operation } } }),
      /see operations\.0/,
    ],
    [
      "a server with a password",
      document({ servers: [{ url: "https://user:secret@api.example.com" }] }),
      "the address of a server holds a user or a password; take it out",
    ],
    [
      "a server with a user, by its host only",
      document({ servers: [{ url: "//user@api.example.com" }] }),
      /holds a user or a password/,
    ],
    ["no JSON", '{"openapi": "3.1.0",', /no JSON, on line 1/],
    ["a doubled key in JSON", '{"openapi": "3.1.0", "openapi": "3.1.0"}', /key twice/],
    ["__proto__ in JSON", '{"__proto__": {}}', /__proto__/],
    ["NaN in JSON", '{"x": NaN}', /no JSON/],
    ["nesting in JSON without end", `{"x":${"[".repeat(100_000)}`, /nests deeper than 64/],
    ["a doubled key", yaml("x-a: 1\nx-b: 2\nx-a: 3\n"), "it has a key twice, on line 1"],
    [
      "a doubled key of two spellings",
      yaml('x-a:\n  1: a\n  "1": b\n'),
      "it has a key twice, on line 5",
    ],
    ["__proto__", yaml("__proto__: {title: b}\n"), "it has the key __proto__, on line 1"],
    ["a key that is a list", yaml("? [a, b]\n: 1\n"), /key that is no plain text/],
    ["a key that stands elsewhere", yaml("x-a: &a b\n*a : 1\n"), /key that is no plain text/],
    ["two documents", yaml("---\n{}\n"), /no YAML, on line/],
    ["a tag of its own", yaml("x-a: !include other.yaml\n"), "it is no YAML, on line 4"],
    ["a tab for a blank", yaml("x-a:\n\tb: 1\n"), /no YAML, on line/],
    ["an anchor that is nowhere", yaml("x-a: *b\n"), /no YAML/],
    ["a text without its end", yaml('x-a: "b'), /no YAML, on line/],
    ["NaN", yaml("x-a: .nan\n"), "it has a number that is none"],
    ["infinity", yaml("x-a: -.inf\n"), "it has a number that is none"],
    ["a number that is too large", yaml("x-a: 1e999\n"), "it has a number that is none"],
    ["brackets without end", yaml(`x-a: ${"[".repeat(500_000)}`), "it nests deeper than 64 levels"],
    ["lists in lists without end", yaml(`x-a: ${"- ".repeat(400_000)}`), /no YAML/],
    [
      "maps in maps without end",
      yaml(Array.from({ length: 900 }, (_, at) => `${" ".repeat(at)}x-a:`).join("\n")),
      /nests|no YAML/,
    ],
    [
      "a bomb of anchors",
      yaml(
        ["x-a: &a [x, x, x, x, x, x, x, x, x]"]
          .concat(
            Array.from({ length: 9 }, (_, at) => {
              const [name, before] = ["bcdefghij"[at], "abcdefghi"[at]];
              return `x-${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`;
            }),
          )
          .join("\n"),
      ),
      /repeats its parts too often/,
    ],
    ["an anchor within itself", yaml("x-a: &a [*a]\n"), /no YAML|repeats|nests/],
    [
      "YAML beyond the limit",
      `${yaml("")}#${"x".repeat(1024 * 1024)}`,
      "it is larger than 1 MiB, which is too much for YAML; give JSON",
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(openapi, report)).toMatch(message);
  });

  test("takes 64 levels and no more, in JSON and in YAML", () => {
    const deep = (depth: number) => document({ "x-deep": nested(depth - 1) });
    expect(factsOf(deep(64)).title).toBe("Orders");
    expect(factsOf(stringify(deep(64))).title).toBe("Orders");
    expect(refusal(openapi, deep(65))).toMatch(/nests deeper than 64/);
    expect(refusal(openapi, stringify(deep(65)))).toMatch(/nests deeper than 64/);
  });

  test("many keys are read in one go", () => {
    const keys = Array.from({ length: 30_000 }, (_, at) => `x-key-${at}: ${at}`).join("\n");
    expect(factsOf(yaml(keys)).title).toBe("a");
  });

  property.prop([fc.jsonValue()])(
    "an arbitrary document is refused, as JSON and as YAML",
    (value) => {
      refusal(openapi, value);
      refusal(openapi, stringify(value));
    },
  );

  property.prop([fc.string({ unit: "binary" })])("arbitrary YAML is refused", (text) => {
    refusal(openapi, text);
  });

  const method = fc.constantFrom("get", "put", "post", "delete");
  property.prop([
    fc.dictionary(fc.stringMatching(/^\/[a-z]{1,8}$/), fc.uniqueArray(method), { maxKeys: 8 }),
  ])("each operation is told", (methods) => {
    const paths = Object.fromEntries(
      Object.entries(methods).map(([path, names]) => [
        path,
        Object.fromEntries(names.map((name) => [name, operation])),
      ]),
    );
    const expected = Object.entries(methods)
      .flatMap(([path, names]) => names.map((name) => `${name.toUpperCase()} ${path}`))
      .sort();
    expect(factsOf(document({ paths })).operations).toEqual(expected);
  });

  describeBadBytes(openapi, sample("openapi/orders-3.0.json"));
});
