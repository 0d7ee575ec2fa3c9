import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../policies/contract/verdict.ts";
import { readFacts } from "../../policies/facts.ts";
import { findingText, judgeGate, verdictOf, type Finding, type Gate } from "../../policies/gate.ts";
import { Run } from "../../policies/run.ts";
import { openWorld, secretText, type World } from "./samples.ts";

// The SDK keeps its proxy and its marks for unknown values out of its types; the real ones are what a gate meets.
const { unknownCheckingProxy, unknownStringValue } = createRequire(import.meta.url)(
  "@pulumi/policy/proxy.js",
) as {
  unknownCheckingProxy: (props: object) => Record<string, unknown>;
  unknownStringValue: string;
};

/** A value that is unknown until the update, as it reaches the pack. */
export const unknown: unknown = unknownStringValue;

/** One change to an open world. */
export type Change = (world: World) => void;

/** The samples of one gate. Every change starts from an open world. */
export interface GateSamples {
  /** The values that must be there and known, as paths: `facts.…` or a resource's short name and its property. */
  readonly needs: readonly string[];
  /** Like `needs`, for the names by which resources are found; messages show these. */
  readonly names?: readonly string[];
  /** Values that the gate reads and that may be absent. */
  readonly mayRead?: readonly string[];
  readonly passes: Readonly<Record<string, readonly Change[]>>;
  /** What is wrong, and how the gate must say so. */
  readonly fails: Readonly<Record<string, readonly [readonly Change[], Verdict, string]>>;
}

/** Sets a value: `set("database.backupRetentionPeriod", 6)`, `set("facts.before.ttl", null)`, `set("now", 0)`. */
export function set(path: string, value: unknown): Change {
  return (world) => {
    const [holder, key] = holderOf(world, path);
    holder[key] = value;
  };
}

/** Removes a value. */
export function unset(path: string): Change {
  return (world) => {
    const [holder, key] = holderOf(world, path);
    delete holder[key];
  };
}

/** Leaves out a resource. */
export function without(resource: string): Change {
  return (world) => {
    if (!(resource in world.resources)) throw new Error(`no sample ${resource}`);
    delete world.resources[resource];
  };
}

/** Declares one more resource of a kind, with some other properties. */
export function another(resource: string, props: Readonly<Record<string, unknown>>): Change {
  return (world) => {
    const sample = world.resources[resource];
    if (sample === undefined) throw new Error(`no sample ${resource}`);
    world.resources[`another-${resource}`] = {
      type: sample.type,
      props: { ...structuredClone(sample.props), ...props },
    };
  };
}

/** What the gate finds in an open world with these changes. */
export function judgeWorld(gate: Gate, changes: readonly Change[], seen?: Set<string>): Finding[] {
  const world = openWorld();
  world.facts["guard"] = gate.guard;
  for (const change of changes) change(world);
  const run = runOf(world, seen);
  const { facts, problems } = readFacts(
    () => unknownCheckingProxy({ facts: world.facts })["facts"],
  );
  if (facts === undefined) {
    return problems.map((found) => ({
      verdict: "inconclusive",
      subject: "facts",
      found,
      required: gate.required,
      remedy: gate.remedy,
    }));
  }
  const recorded = seen === undefined ? facts : recording(facts, "facts", seen);
  const { told, now, rehearsal } = world;
  return judgeGate(gate, recorded, run, told, { now, rehearsal });
}

/** The resources of a world as the pack has seen them. */
export function runOf(world: World, seen?: Set<string>): Run {
  const run = new Run();
  for (const [name, { type, props }] of Object.entries(world.resources)) {
    const proxied = unknownCheckingProxy(props);
    const sighted = seen === undefined ? proxied : recording(proxied, name, seen);
    run.see({ urn: `urn:pulumi:test::test::${type}::${name}`, type, name, props: sighted });
  }
  return run;
}

/**
 * Tests a gate on its samples, and on what every gate owes: it is open in the open world, it reads nothing that the
 * samples do not name, it is closed when anything it needs is absent, null, of another type or unknown, and its
 * messages are complete, fit the screen and show no value that could be secret.
 */
export function testGate(gate: Gate, samples: GateSamples): void {
  const { needs, names = [], mayRead = [], passes, fails } = samples;
  if (Object.keys(passes).length === 0 || Object.keys(fails).length === 0) {
    throw new Error(`${gate.id} needs samples that pass and samples that fail`);
  }
  describe.each([gate.id])("%s", () => {
    test("opens in the open world and reads only what is named here", () => {
      const seen = new Set<string>();
      expect(judgeWorld(gate, [], seen)).toEqual([]);
      const named = [...alwaysRead, ...needs, ...names, ...mayRead].map(topOf);
      expect([...seen].filter((path) => !named.includes(path))).toEqual([]);
      expect(needs.map(topOf).filter((path) => !seen.has(path))).toEqual([]);
    });

    test.each(Object.entries(passes))("passes: %s", (_, changes) => {
      expect(judgeWorld(gate, changes)).toEqual([]);
    });

    test.each(Object.entries(fails))("fails: %s", (_, [changes, verdict, found]) => {
      const findings = judgeWorld(gate, changes);
      expect(findings.map((finding) => `${finding.subject}: ${finding.found}`)).toContain(found);
      expect(verdictOf(findings)).toBe(verdict);
      findings.forEach(expectReadable);
    });

    const broken = [
      ...needs.flatMap((path) =>
        brokenValues(path, path.startsWith("facts.") ? "other" : secretText),
      ),
      ...names.flatMap((path) => brokenValues(path, "other")),
    ];
    test.each(broken)("closed: $path is $what", ({ change, verdicts }) => {
      const findings = judgeWorld(gate, [change]);
      expect(findings).not.toEqual([]);
      expect(verdicts).toContain(verdictOf(findings));
      findings.forEach(expectReadable);
    });
  });
}

/** Expects a message to have its three parts, to fit 80 columns behind the CLI's indentation, and to hide secrets. */
export function expectReadable(finding: Finding): void {
  const text = findingText(finding);
  expect(text).toMatch(
    /^Found: .+\n(?: {2}.+\n)*Required: .+\n(?: {2}.+\n)*To do:.+?(?:\n {2}.+)*$/s,
  );
  expect(text).not.toContain(secretText);
  expect(text).not.toMatch(/undefined|\bnull\b|NaN|\[object/);
  // A frame of a stack trace; a line may well begin with "at 02:00".
  expect(text).not.toMatch(/\n\s+at .*(?:\.[cm]?[jt]s\b|<anonymous>|node:|\beval\b)/);
  const longest = text.split("\n").reduce((most, line) => Math.max(most, line.length), 0);
  expect(longest).toBeLessThanOrEqual(70);
}

/** What the driver itself reads, whichever gate it drives. */
const alwaysRead = ["facts.covers", "facts.release"];

const closed: readonly Verdict[] = ["fail", "inconclusive"];

interface Broken {
  readonly path: string;
  readonly what: string;
  readonly change: Change;
  /** The verdicts that are right. */
  readonly verdicts: readonly Verdict[];
}

function brokenValues(path: string, text: string): Broken[] {
  const [holder, key] = holderOf(openWorld(), path);
  const value = holder[key];
  if (value === undefined) throw new Error(`the open world has no ${path}`);
  const values: Readonly<Record<string, unknown>> = {
    null: null,
    "another text": text,
    "an empty text": "",
    "a number in words": typeof value === "number" ? String(value) : "7",
    "an empty list": [],
    "an empty object": {},
    zero: 0,
    "not a number": Number.NaN,
    "less than nothing": -1,
  };
  return [
    { path, what: "absent", change: unset(path), verdicts: closed },
    { path, what: "unknown", change: set(path, unknown), verdicts: ["inconclusive"] },
    ...Object.entries(values)
      .filter(([, broken]) => broken !== value)
      .map(([what, broken]) => ({ path, what, change: set(path, broken), verdicts: closed })),
  ];
}

function holderOf(world: World, path: string): [Record<string, unknown>, string] {
  const [first, ...rest] = path.split(".");
  if (first === undefined) throw new Error("an empty path");
  if (rest.length === 0) return [world as unknown as Record<string, unknown>, first];
  const roots: Record<string, unknown> = { facts: world.facts, told: world.told };
  const root = roots[first] ?? world.resources[first]?.props;
  const key = rest.pop();
  const holder = rest.reduce<unknown>(
    (inner, step) => (inner as Record<string, unknown> | undefined)?.[step],
    root,
  );
  if (typeof holder !== "object" || holder === null || key === undefined) {
    throw new Error(`the open world has no ${path}`);
  }
  return [holder as Record<string, unknown>, key];
}

function topOf(path: string): string {
  return path.split(".").slice(0, 2).join(".");
}

function recording<Value extends object>(value: Value, name: string, seen: Set<string>): Value {
  return new Proxy(value, {
    get: (target, property, receiver) => {
      if (typeof property === "string") seen.add(`${name}.${property}`);
      return Reflect.get(target, property, receiver) as unknown;
    },
  });
}
