import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  fieldChecks,
  fields,
  fieldWords,
  judgeField,
  judgeFields,
  timeOf,
} from "../../../policies/checks/fields.ts";
import type { Reason } from "../../../policies/gate.ts";
import { ago, expectHarmless, hostileNames, sampleNow } from "../../support/kind-tester.ts";
import { readyFacts, secretText } from "../../support/samples.ts";

const facts = { ...readyFacts, declared: { port: "8080", empty: "", blank: " ", image: "api:v1" } };

/** What is wrong with a value, beside other fields. */
function judge(wanted: unknown, value: unknown, beside: unknown = {}): readonly Reason[] {
  const whole = { ...(beside as object), value };
  return judgeField(value, fieldChecks.parse(wanted), { facts, now: sampleNow, whole });
}

function found(wanted: unknown, value: unknown, beside: unknown = {}): string {
  return judge(wanted, value, beside)
    .map(({ verdict, found: text }) => `${verdict}: ${text}`)
    .join("; ");
}

/** One sample of every check: what opens and what closes it. */
const samples: Readonly<
  Record<string, readonly [wanted: unknown, open: unknown, closed: unknown]>
> = {
  is: ["a", "a", "b"],
  oneOf: [["a", "b"], "b", "c"],
  atLeast: [1, 1, 0],
  atMost: ["0.1%", 0.001, 0.0011],
  above: ["5m", 301, 300],
  below: ["500ms", 0.499, 0.5],
  within: ["1h", ago(3600), ago(3601)],
  includes: [
    ["a", "b"],
    ["b", "c", "a"],
    ["a", "c"],
  ],
  exactly: [
    ["a", "b"],
    ["b", "a"],
    ["a", "b", "c"],
  ],
  empty: [false, ["a"], []],
  matches: ["a|b+", "bb", "ab"],
  stamped: ["vX.Y.Z-YYYYMMDD", "v1.2.3-20260302", "v1.2.3-20260230"],
  sameAs: ["release.version", "v1.1.0", "v1.1.1"],
  differsFrom: ["release.version", "v1.1.1", "v1.1.0"],
};

const schema = z.toJSONSchema(fieldChecks, { io: "input" });

test("every check has a sample, and an editor is told what it is for", () => {
  expect(Object.keys(schema.properties ?? {}).toSorted()).toEqual(Object.keys(samples).toSorted());
  expect(schema.additionalProperties).toBe(false);
  for (const property of Object.values(schema.properties ?? {})) {
    expect((property as { description?: string }).description).toMatch(/^[a-z].+[^.]$/);
  }
});

describe.each(Object.entries(samples))("%s", (name, [wanted, open, closed]) => {
  const asked = { [name]: wanted };

  test("opens for one value and fails for another", () => {
    expect(judge(asked, open)).toEqual([]);
    expect(judge(asked, closed).map(({ verdict }) => verdict)).toEqual(["fail"]);
  });

  test.each<readonly [string, unknown]>([
    ["absent", undefined],
    ["null", null],
  ])("is inconclusive where the field is %s", (_, value) => {
    const parsed = fields.parse({ value: asked });
    expect(judgeFields({ value }, parsed, { facts, now: sampleNow }, "row")).toEqual([
      { verdict: "inconclusive", found: "value is not in the row" },
    ]);
  });

  test("is closed for a value of another type", () => {
    const others = [{}, [], [[]], Number.NaN, Number.POSITIVE_INFINITY, () => 1].filter(
      (value) => !(name === "empty" && Array.isArray(value) && value.length > 0),
    );
    expect(others.filter((value) => judge(asked, value).length === 0)).toEqual([]);
  });

  test("says what it requires, on one line", () => {
    const [words] = fieldWords(fields.parse({ value: asked }));
    expect(words).toMatch(/^value [a-z][^\n]+$/);
  });

  test("refuses what is of no use", () => {
    const useless = [
      null,
      ...(name === "is" ? [] : [-1]),
      Number.NaN,
      Number.POSITIVE_INFINITY,
      [],
      {},
      "",
      [""],
      [[]],
    ];
    expect(useless.filter((one) => fieldChecks.safeParse({ [name]: one }).success)).toEqual([]);
  });
});

test("a text of characters that nobody sees is empty", () => {
  expect(found({ empty: false }, " \u200B\u00AD\n")).toBe("fail: is empty");
});

test("no check at all is refused, and one that there is not", () => {
  expect(fieldChecks.safeParse({}).success).toBe(false);
  expect(fieldChecks.safeParse({ equals: 1 }).success).toBe(false);
  expect(fieldChecks.safeParse({ is: undefined }).success).toBe(true);
});

test("all of several checks must hold", () => {
  expect(found({ atLeast: 1, atMost: 2 }, 2)).toBe("");
  expect(found({ atLeast: 1, atMost: 2 }, 3)).toBe("fail: is 3");
});

describe("sameAs and differsFrom", () => {
  const image = facts.release.images["api"] ?? "";
  const digest = image.split("@")[1] ?? "";

  test.each<readonly [string, object, unknown, object?]>([
    ["a number as the stack config has it", { sameAs: "declared.port" }, 8080],
    ["white space around it", { sameAs: "release.version" }, " v1.1.0\n"],
    ["an image of another registry", { sameAs: "release.images.api" }, `other/api:v2@${digest}`],
    ["another field", { sameAs: "row.other" }, true, { other: true }],
    ["a field below another one", { sameAs: "row.other.name" }, "a", { other: { name: "a" } }],
    ["a field whose name has dots", { sameAs: "row.other.name" }, "a", { "other.name": "a" }],
    ["another image", { differsFrom: "release.images.api" }, `api@sha256:${"5f".repeat(32)}`],
    ["another number", { differsFrom: "declared.port" }, 8081],
  ])("open: %s", (_, wanted, value, beside) => {
    expect(found(wanted, value, beside)).toBe("");
  });

  const unknownTo = "has nothing to be compared with:";
  test.each<readonly [string, object, unknown, string, object?]>([
    [
      "an image by its tag",
      { sameAs: "release.images.api" },
      "api:v1",
      "fail: is another one than release.images.api",
    ],
    [
      "an image by its tag, where another one is wanted",
      { differsFrom: "release.images.api" },
      "api:v1",
      "inconclusive: may be the same as release.images.api in another form",
    ],
    [
      "a tag in the stack config, where another one is wanted",
      { differsFrom: "declared.image" },
      image,
      "inconclusive: may be the same as declared.image in another form",
    ],
    [
      "a version in another form, where another one is wanted",
      { differsFrom: "release.version" },
      "V1.1.0",
      "inconclusive: may be the same as release.version in another form",
    ],
    [
      "a short commit, where another one is wanted",
      { differsFrom: "release.commit" },
      "c0ffee0",
      "inconclusive: may be the same as release.commit in another form",
    ],
    [
      "an empty text, where another one is wanted",
      { differsFrom: "release.version" },
      "",
      "inconclusive: is empty, where a text, a number or true or false is required",
    ],
    [
      "blanks, where another one is wanted",
      { differsFrom: "release.version" },
      " ",
      "inconclusive: is a text, where a text, a number or true or false is required",
    ],
    [
      "nothing declared",
      { differsFrom: "declared.nothing" },
      "a",
      `inconclusive: ${unknownTo} declared.nothing is not known`,
    ],
    [
      "an empty text declared",
      { differsFrom: "declared.empty" },
      "a",
      `inconclusive: ${unknownTo} declared.empty is not known`,
    ],
    [
      "blanks declared",
      { sameAs: "declared.blank" },
      " ",
      `inconclusive: ${unknownTo} declared.blank is not known`,
    ],
    [
      "a key of every object",
      { sameAs: "declared.constructor" },
      "a",
      `inconclusive: ${unknownTo} declared.constructor is not known`,
    ],
    [
      "a list to compare with",
      { sameAs: "release.authors" },
      "developer@example.com",
      `inconclusive: ${unknownTo} release.authors is not known`,
    ],
    [
      "a record that reads as the value",
      { sameAs: "row.other" },
      "[object Object]",
      `inconclusive: ${unknownTo} row.other is not known`,
      { other: {} },
    ],
    [
      "no number on both sides",
      { sameAs: "row.other" },
      Number.NaN,
      `inconclusive: ${unknownTo} row.other is not known`,
      { other: Number.NaN },
    ],
    [
      "no number",
      { sameAs: "row.other" },
      Number.NaN,
      "inconclusive: is not a number, where a text, a number or true or false is required",
      { other: "NaN" },
    ],
    [
      "no other field",
      { sameAs: "row.other" },
      "a",
      `inconclusive: ${unknownTo} row.other is not known`,
    ],
    [
      "the same as another field",
      { differsFrom: "row.other" },
      "a",
      "fail: is the same as row.other",
      { other: "a" },
    ],
  ])("closed: %s", (_, wanted, value, said, beside) => {
    expect(found(wanted, value, beside)).toBe(said);
  });

  const plain = fc.oneof(
    fc.constantFrom("v1.1.0", "1.1.0", "8080", 8080, "8080.0", image, digest, "api:v1", "C0FFEE0"),
    fc.string({ maxLength: 6 }),
    fc.double(),
    fc.boolean(),
    fc.jsonValue(),
  );

  test("never open both for one value", () => {
    fc.assert(
      fc.property(plain, plain, (value, other) => {
        const same = judge({ sameAs: "row.other" }, value, { other }).length === 0;
        const differs = judge({ differsFrom: "row.other" }, value, { other }).length === 0;
        expect(same && differs).toBe(false);
      }),
    );
  });

  test("say the same when the sides are changed", () => {
    fc.assert(
      fc.property(plain, plain, fc.constantFrom("sameAs", "differsFrom"), (one, other, name) => {
        const wanted = { [name]: "row.other" };
        const forth = judge(wanted, one, { other }).length;
        const back = judge(wanted, other, { other: one }).length;
        expect(forth).toBe(back);
      }),
    );
  });

  test.each(["release.verison", "release", "row.", "row", "owners", "x", "__proto__", "declared."])(
    "%s cannot be compared with",
    (path) => {
      expect(fieldChecks.safeParse({ sameAs: path }).success).toBe(false);
      expect(fieldChecks.safeParse({ differsFrom: path }).success).toBe(false);
    },
  );
});

describe("matches", () => {
  test.each([
    ["v1|v2", "v1x"],
    ["v1|v2", "xv2"],
    ["a", "a\n"],
    ["a$", "a\nb"],
    ["^a", "b\na"],
    [".*", "a\nb"],
    ["a", "A"],
  ])("%s must match the whole of %j", (pattern, text) => {
    expect(found({ matches: pattern }, text)).toBe("fail: does not match");
  });

  test("a pattern that would take years closes, soon", () => {
    const began = performance.now();
    expect(found({ matches: "(a+)+b" }, "a".repeat(64))).toBe(
      "inconclusive: takes too long to compare with its pattern",
    );
    expect(performance.now() - began).toBeLessThan(5000);
    expect(found({ matches: "a+" }, "a".repeat(64))).toBe("");
  });

  test("a long text closes", () => {
    expect(found({ matches: ".*" }, "a".repeat(4096))).toBe("");
    const said = "inconclusive: is longer than 4096 characters";
    expect(found({ matches: ".*" }, "a".repeat(4097))).toBe(said);
    expect(found({ stamped: "YYYYMMDD" }, "a".repeat(4097))).toBe(said);
  });

  test.each([
    ["(", "it is no regular expression: Unterminated group"],
    ["a)|(b", "it is no regular expression: Unmatched ')'"],
    ["[b-a]", "it is no regular expression: Range out of order in character class"],
    ["\\-", "it is no regular expression: Invalid escape"],
    ["a**", "it is no regular expression: Nothing to repeat"],
  ])("%s is refused", (pattern, said) => {
    const result = fieldChecks.safeParse({ matches: pattern });
    expect(result.error?.issues.map(({ message }) => message)).toEqual([said]);
  });
});

describe("within", () => {
  test.each([
    ["2026-03-02T11:00:00Z", "2026-03-02T11:00:00Z"],
    ["2026-03-02T12:00:00.123456+01:00", "2026-03-02T11:00:00.123Z"],
    ["2026-03-02 11:00:00+00", "2026-03-02T11:00:00Z"],
    ["2026-03-02 11:00:00.5+00", "2026-03-02T11:00:00.500Z"],
    ["2026-03-02 16:45:00.123456+05:45", "2026-03-02T11:00:00.123Z"],
    ["2026-03-02 06:00:00-05", "2026-03-02T11:00:00Z"],
  ])("%s is a time", (text, time) => {
    expect(timeOf(text)).toBe(Date.parse(time));
  });

  test.each([
    "2026-03-02",
    "2026-03-02 11:00:00",
    "2026-03-02T11:00:00",
    "2026-02-30 11:00:00+00",
    "2026-02-30T11:00:00Z",
    "2026-03-02 25:00:00+00",
    "2026-03-02 11:00:00+00 BC",
    " 2026-03-02T11:00:00Z",
    "yesterday",
    "",
    "2".repeat(100_000),
    1_772_449_200,
    null,
    new Date(0),
  ])("%j is none", (value) => {
    expect(timeOf(value)).toBeUndefined();
  });
});

const anything = fc.oneof(
  fc.constantFrom<unknown>(...Object.values(samples).flatMap(([, open, closed]) => [open, closed])),
  fc.constantFrom(...Object.values(hostileNames)),
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true }),
);
const anyCheck = fc.constantFrom(
  ...Object.entries(samples).map(([name, [wanted]]) => ({ [name]: wanted })),
);

test("whatever the value is, a check answers, in words that are harmless", () => {
  fc.assert(
    fc.property(anyCheck, anything, anything, (wanted, value, other) => {
      for (const reason of judge(wanted, value, { other })) {
        expectHarmless({ subject: "x", required: "x", remedy: "x", ...reason });
      }
    }),
    { numRuns: 1000 },
  );
});

test("no text of a value is told", () => {
  const hidden = fc.constantFrom<unknown>(secretText, [secretText], { [secretText]: secretText });
  fc.assert(
    fc.property(anyCheck, hidden, (wanted, value) => {
      expect(JSON.stringify(judge(wanted, value, { other: secretText }))).not.toContain(secretText);
    }),
  );
});
