import { SaxesParser } from "saxes";
import { decodeUtf8, UnreadableError } from "../../../policies/contract/json.ts";
import { reportLimits, type Reader } from "../reader.ts";
import {
  cut,
  emptyLists,
  isoTime,
  nameOf,
  outsideTests,
  resultOf,
  testFacts,
  unreadable,
  type TestLists,
} from "./shared.ts";

/**
 * Reads JUnit XML. A test is named by the suites around it, its class and its own name; the class is left out where it
 * says the same as a suite or the name. A failure that stands in a suite and in no test counts as a failed test by the
 * suite's name. The counts that a suite claims must agree with its tests, so that a report that was cut or edited does
 * not pass for a whole one.
 */
export const junit: Reader<"tests"> = {
  format: "junit",
  title: "JUnit XML",
  predicate: "tests",
  read(bytes) {
    const suites = new Suites();
    const parser = new SaxesParser();
    parser.on("error", ({ message }) => {
      throw unreadable(`it is no well-formed XML: ${message}`);
    });
    parser.on("doctype", () => {
      throw new UnreadableError("it has a document type, which a report must not have");
    });
    parser.on("opentag", ({ name, attributes }) => {
      suites.open(name, attributes);
    });
    parser.on("closetag", ({ name }) => {
      suites.close(name);
    });
    parser.on("comment", (text) => {
      suites.comment(text);
    });
    parser.write(decodeUtf8(bytes, reportLimits.bytes)).close();
    const { lists, times } = suites;
    return { facts: testFacts(lists), producedAt: times.sort().at(-1) ?? null };
  },
};

type Attributes = Readonly<Record<string, string>>;

const counted = ["tests", "failures", "errors", "skipped"] as const;
type Counts = Record<(typeof counted)[number], number>;

interface Suite {
  readonly outer: Suite | undefined;
  /** Names of the suites from the outermost one to this. */
  readonly path: readonly string[];
  readonly claimed: Attributes;
  /** Tests at any depth. */
  readonly all: Counts;
  /** Tests and suites directly in it, as Node's runner counts: a suite counts once, as what anything in it is. */
  readonly direct: Counts;
}

interface Test {
  readonly suite: Suite;
  readonly attributes: Attributes;
  /** Names of the elements directly in it. */
  readonly marks: Set<string>;
}

/** The count that an element belongs to; however many of them stand in a test, they count once. */
const countOf: Readonly<Record<string, (typeof counted)[number]>> = {
  testcase: "tests",
  failure: "failures",
  error: "errors",
  skipped: "skipped",
};

/** The elements that put a test into a list; walked from the top. */
const marksOf: readonly (readonly [keyof TestLists, readonly string[]])[] = [
  ["failed", ["failure", "error"]],
  ["skipped", ["skipped"]],
  ["warned", ["flakyFailure", "flakyError"]],
];

/** How GoogleTest and CTest say that a test did not run. */
const notRun = ["notrun", "disabled"];

/** Collects the tests of a report from its elements. */
class Suites {
  readonly lists = emptyLists();
  /** Times of the suites. */
  readonly times: string[] = [];
  readonly #open: string[] = [];
  #suite: Suite | undefined;
  #test: Test | undefined;

  open(name: string, attributes: Attributes): void {
    const parent = this.#open.at(-1);
    this.#open.push(name);
    if (this.#open.length > reportLimits.depth) {
      throw new UnreadableError(`its elements nest deeper than ${reportLimits.depth}`);
    }
    if (parent === undefined && !isSuite(name)) {
      throw unreadable(`its root is <${name}>, not a test suite`);
    }
    if (isSuite(name)) {
      if (parent !== undefined && !isSuite(parent)) throw misplaced(name, parent);
      this.#suite = openSuite(name, attributes, this.#suite);
      const { timestamp = "" } = attributes;
      if (timestamp !== "") this.times.push(isoTime(timestamp));
    } else if (name === "testcase") {
      if (!isSuite(parent) || this.#suite === undefined) throw misplaced(name, parent);
      this.#test = { suite: this.#suite, attributes, marks: new Set() };
    } else if (parent === "testcase") {
      this.#test?.marks.add(name);
    } else if (isSuite(parent) && (name === "failure" || name === "error")) {
      this.#failSuite(name);
    }
  }

  close(name: string): void {
    this.#open.pop();
    if (isSuite(name) && this.#suite !== undefined) {
      closeSuite(this.#suite);
      this.#suite = this.#suite.outer;
    } else if (name === "testcase" && this.#test !== undefined) {
      add(this.#test.suite, ["testcase", ...this.#test.marks]);
      this.lists[listOf(this.#test)].push(nameOfTest(this.#test));
      this.#test = undefined;
    }
  }

  /** Node's runner tells of a test that failed beside its subtests only in a comment at the end. */
  comment(text: string): void {
    const failed = this.#open.length === 1 && /^\s*(fail|cancelled) [1-9]\d*\s*$/.test(text);
    if (failed && resultOf(this.lists) !== "FAILED") this.lists.failed.push(outsideTests);
  }

  #failSuite(name: string): void {
    const path = this.#suite?.path ?? [];
    if (this.#suite !== undefined) add(this.#suite, [name]);
    this.lists.failed.push(path.every((part) => part === "") ? outsideTests : nameOf(path));
  }
}

function isSuite(name: string | undefined): boolean {
  return name === "testsuites" || name === "testsuite";
}

function misplaced(name: string, parent: string | undefined): UnreadableError {
  return unreadable(`it has <${name}> in <${parent ?? "nothing"}>, required is a test suite`);
}

function openSuite(element: string, claimed: Attributes, outer: Suite | undefined): Suite {
  const path = outer?.path ?? [];
  return {
    outer,
    // The outermost element of several suites is named after the tool.
    path: element === "testsuite" ? [...path, cut(claimed["name"] ?? "")] : path,
    claimed,
    all: { tests: 0, failures: 0, errors: 0, skipped: 0 },
    direct: { tests: 0, failures: 0, errors: 0, skipped: 0 },
  };
}

/** Counts elements of one test in its suite and those around it. */
function add(suite: Suite, elements: readonly string[]): void {
  const found = elements.flatMap((name) => countOf[name] ?? []);
  for (const name of found) suite.direct[name] += 1;
  for (let one: Suite | undefined = suite; one !== undefined; one = one.outer) {
    for (const name of found) one.all[name] += 1;
  }
}

function closeSuite({ outer, claimed, all, direct }: Suite): void {
  for (const name of counted) {
    const claim = claimed[name];
    if (claim === undefined) continue;
    if (!/^\d+$/.test(claim)) throw unreadable(`a suite claims a number of ${name} that is none`);
    if (Number(claim) !== all[name] && Number(claim) !== direct[name]) {
      throw unreadable(`a suite claims ${name}="${claim}" and holds ${all[name]}`);
    }
  }
  if (outer === undefined) return;
  outer.direct.tests += 1;
  for (const name of ["failures", "errors", "skipped"] as const) {
    if (all[name] > 0) outer.direct[name] += 1;
  }
}

function listOf({ attributes, marks }: Test): keyof TestLists {
  const marked = marksOf.find(([, names]) => names.some((name) => marks.has(name)))?.[0];
  if (marked === "failed") return marked;
  return notRun.includes(attributes["status"] ?? "") ? "skipped" : (marked ?? "passed");
}

function nameOfTest({ suite, attributes }: Test): string {
  const [name, group] = [cut(attributes["name"] ?? ""), cut(attributes["classname"] ?? "")];
  const known = [...suite.path, name].includes(group);
  return nameOf([...suite.path, known ? "" : group, name]);
}
