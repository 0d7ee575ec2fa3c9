import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import type { Reason } from "../../../policies/gate.ts";
import { unknown } from "../../support/gate-tester.ts";
import { judgeBy, kindNamed, testKind } from "../../support/kind-tester.ts";
import { secretText } from "../../support/samples.ts";

const { unknownCheckingProxy } = createRequire(import.meta.url)("@pulumi/policy/proxy.js") as {
  unknownCheckingProxy: (props: object) => Record<string, unknown>;
};
const { secretsPreservingProxy } = createRequire(import.meta.url)("@pulumi/policy/secret.js") as {
  secretsPreservingProxy: (props: object) => Record<string, unknown>;
};

const type = "aws:cloudwatch/metricAlarm:MetricAlarm";

/** A declared alarm. */
function alarm(props: Record<string, unknown>): { type: string; props: Record<string, unknown> } {
  const all = { name: "api-5xx", actionsEnabled: true, alarmActions: ["arn"], threshold: 5 };
  return { type, props: { ...all, description: secretText, ...props } };
}

const requires = {
  type,
  where: { name: { matches: ".*5xx" } },
  each: { alarmActions: { empty: false }, actionsEnabled: { is: true } },
};

testKind("resources-show", {
  requires,
  required:
    "1 declared MetricAlarm or more with name matches .*5xx, " +
    "of each alarmActions is not empty and actionsEnabled is true",
  given: { api: alarm({}), other: alarm({ name: "cpu", actionsEnabled: false }) },
  passes: {
    "another one as it must be": { given: { web: alarm({ name: "web-5xx" }) } },
    "as many as there must be": { requires: { count: { atLeast: 1, atMost: 1 } } },
    "all of a type": { requires: { where: undefined, each: { threshold: { is: 5 } } } },
    "that there is one": { requires: { where: undefined, each: undefined } },
    "another one than an input beside it": {
      requires: { each: { description: { differsFrom: "row.name" } } },
    },
    "the same as a fact": {
      requires: {
        where: undefined,
        each: { tags: { empty: false }, "tags.release": { sameAs: "release.version" } },
      },
      given: {
        api: alarm({ tags: { release: "v1.1.0" } }),
        other: alarm({ tags: { release: "v1.1.0" } }),
      },
    },
    "another type with the same name": {
      given: { bucket: { type: "aws:s3/bucket:Bucket", props: { name: "5xx" } } },
    },
  },
  fails: {
    "an input that is off": [
      { given: { api: alarm({ actionsEnabled: false }) } },
      "fail",
      "api: actionsEnabled is false",
    ],
    "an empty list": [
      { given: { api: alarm({ alarmActions: [] }) } },
      "fail",
      "api: alarmActions is empty",
    ],
    "one of two": [
      { given: { web: alarm({ name: "web-5xx", actionsEnabled: false }) } },
      "fail",
      "web: actionsEnabled is false",
    ],
    "an input that is not set": [
      { given: { api: alarm({ alarmActions: undefined }) } },
      "inconclusive",
      "api: alarmActions is not in the declared MetricAlarm",
    ],
    "an input that is null": [
      { given: { api: alarm({ alarmActions: null }) } },
      "inconclusive",
      "api: alarmActions is not in the declared MetricAlarm",
    ],
    "a text that must not be shown": [
      { requires: { each: { description: { is: "x" } } } },
      "fail",
      "api: description is another text",
    ],
    "none with this name": [
      { given: { api: alarm({ name: "cpu" }) } },
      "fail",
      "there are 0 declared MetricAlarm resources with name matches .*5xx",
    ],
    "none of this type": [
      { given: { api: undefined, other: undefined } },
      "inconclusive",
      "there are 0 declared MetricAlarm resources with name matches .*5xx",
    ],
    "too many": [
      { requires: { where: undefined, each: undefined, count: { atMost: 1 } } },
      "fail",
      "there are 2 declared MetricAlarm resources",
    ],
    "too few": [
      { requires: { where: undefined, each: undefined, count: { atLeast: 3 } } },
      "fail",
      "there are 2 declared MetricAlarm resources",
    ],
    "one whose name is not set": [
      { given: { other: alarm({ name: undefined }) } },
      "inconclusive",
      "other: name is not in the declared MetricAlarm",
    ],
    "one that this run leaves out": [
      { given: { web: { type, props: {} } } },
      "inconclusive",
      "web: this run leaves it out",
    ],
  },
  refuses: {
    "no type": { type: undefined },
    "a type that is no token": { type: "MetricAlarm" },
    "a type of two parts": { type: "aws:MetricAlarm" },
    "a type with a line break": { type: `${type}\n` },
    "an empty type": { type: "" },
    "nothing of an input": { each: { threshold: {} } },
    "a wrong count": { count: { atLeast: 2, atMost: 1 } },
  },
  hostile: (name) => ({
    requires: {
      each: { [name.trim() === "" || name === "__proto__" ? "path" : name]: { is: "x" } },
    },
    given: {
      [name === "__proto__" ? "name" : name]: alarm({}),
      api: alarm({ alarmActions: [name] }),
    },
  }),
});

describe("an input that is unknown until the update", () => {
  const kind = kindNamed("resources-show");
  const judged = (props: Record<string, unknown>, asked: object): readonly Reason[] =>
    judgeBy(
      kind,
      { api: { type, props: unknownCheckingProxy(alarm(props).props) } },
      kind.requires.parse(asked),
    );

  test.each<readonly [string, Record<string, unknown>, object]>([
    ["that nobody asks about", { description: unknown }, requires],
    ["within a list that must only hold something", { alarmActions: [unknown] }, requires],
    [
      "of one that where rules out",
      { name: "cpu", alarmActions: unknown },
      { ...requires, count: { atMost: 1 } },
    ],
    [
      "beside the one that is asked about",
      { tags: { a: unknown, b: "c" } },
      { ...requires, each: { "tags.b": { is: "c" } } },
    ],
  ])("%s leaves the gate open", (_, props, asked) => {
    expect(judged(props, asked)).toEqual([]);
  });

  test.each<readonly [string, Record<string, unknown>, object, string]>([
    ["that says which ones matter", { name: unknown }, requires, "name"],
    ["that is a list", { alarmActions: unknown }, requires, "alarmActions"],
    [
      "within a list of which an entry is asked",
      { alarmActions: [unknown] },
      { type, each: { alarmActions: { includes: "arn" } } },
      "alarmActions.0",
    ],
    [
      "that holds the one that is asked about",
      { tags: unknown },
      { type, each: { "tags.b": { is: "c" } } },
      "tags",
    ],
    [
      "that another one is compared with",
      { description: unknown },
      { type, each: { name: { differsFrom: "row.description" } } },
      "description",
    ],
  ])("%s closes it by name", (_, props, asked, path) => {
    expect(judged(props, asked)).toEqual([
      {
        verdict: "inconclusive",
        found: `api: ${path} is unknown until the update`,
        required: "a plain value, known before the update",
        remedy: `give ${path} a value that no other resource computes`,
      },
    ]);
  });

  test("secrets are judged, and not told", () => {
    const props = secretsPreservingProxy(
      alarm({ name: "api-5xx", alarmActions: [secretText] }).props,
    );
    const asked = kind.requires.parse({
      ...requires,
      each: { alarmActions: { includes: "arn" }, description: { is: "x" } },
    });
    const reasons = judgeBy(kind, { api: { type, props } }, asked);
    expect(reasons.map(({ found }) => found)).toEqual([
      "api: alarmActions does not include arn",
      "api: description is another text",
    ]);
  });

  test("another error is no unknown value", () => {
    const props = {
      get name(): string {
        throw new TypeError("broken");
      },
    };
    expect(() => judgeBy(kind, { api: { type, props } }, kind.requires.parse(requires))).toThrow(
      "broken",
    );
  });
});
