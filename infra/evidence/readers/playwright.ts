import { z } from "zod";
import type { Reader } from "../reader.ts";
import {
  checkCount,
  count,
  cut,
  emptyLists,
  isoTime,
  list,
  nameOf,
  outsideTests,
  readShape,
  testFacts,
  unreadable,
  utcTime,
  type TestLists,
} from "./shared.ts";

const statuses = ["expected", "unexpected", "flaky", "skipped"] as const;

const endedAs = {
  expected: "passed",
  unexpected: "failed",
  flaky: "warned",
  skipped: "skipped",
} as const;

const testSchema = z.object({
  status: z.enum(statuses),
  expectedStatus: z.string(),
  projectName: z.string().optional(),
});

const specSchema = z.object({ title: z.string(), ok: z.boolean(), tests: list(testSchema) });

type Test = z.output<typeof testSchema>;
type Spec = z.output<typeof specSchema>;

interface Suite {
  readonly title: string;
  readonly file?: string | undefined;
  readonly specs: Spec[];
  readonly suites?: Suite[] | undefined;
}

const suiteSchema: z.ZodType<Suite> = z.object({
  title: z.string(),
  file: z.string().optional(),
  specs: list(specSchema),
  get suites() {
    return list(suiteSchema).optional();
  },
});

const schema = z.object({
  suites: list(suiteSchema),
  /** What went wrong outside of tests, such as a file that did not load or a run that took too long. */
  errors: z.array(z.unknown()),
  stats: z.object({
    startTime: z.string(),
    /** Milliseconds. */
    duration: z.number().min(0),
    expected: count,
    unexpected: count,
    flaky: count,
    skipped: count,
  }),
});

/**
 * Reads the JSON report of Playwright. A test is named by its file, the titles around it, its own and its project in
 * brackets. A test that was to run and did not, as in a run that was interrupted, counts as failed; so does what went
 * wrong outside of tests, as one failure of its own.
 */
export const playwright: Reader<"tests"> = {
  format: "playwright",
  title: "JSON report of Playwright",
  predicate: "tests",
  read(bytes) {
    const { suites, errors, stats } = readShape(schema, bytes, "JSON report of Playwright");
    const lists = emptyLists();
    const held = { expected: 0, unexpected: 0, flaky: 0, skipped: 0 };
    for (const { path, spec } of suites.flatMap((suite) => specsOf(suite, [cut(fileOf(suite))]))) {
      checkSpec(spec);
      const title = cut(spec.title);
      for (const test of spec.tests) {
        held[test.status] += 1;
        const project = (test.projectName ?? "") === "" ? "" : ` [${test.projectName}]`;
        lists[listOf(test)].push(nameOf([...path, `${title}${project}`]));
      }
    }
    for (const status of statuses) checkCount(`${status} tests`, stats[status], held[status]);
    if (errors.length > 0) lists.failed.push(outsideTests);
    const start = Date.parse(isoTime(stats.startTime));
    return { facts: testFacts(lists), producedAt: utcTime(start + stats.duration) };
  },
};

/** A spec and the file and titles around it. */
interface Placed {
  readonly path: readonly string[];
  readonly spec: Spec;
}

function specsOf(suite: Suite, path: readonly string[]): Placed[] {
  return [
    ...suite.specs.map((spec) => ({ path, spec })),
    ...(suite.suites ?? []).flatMap((inner) => specsOf(inner, [...path, cut(inner.title)])),
  ];
}

/** The file of an outermost suite, without the folders of a machine. */
function fileOf({ file, title }: Suite): string {
  const path = (file ?? title).replaceAll("\\", "/");
  return /^(\/|[a-z]+:)/i.test(path) ? (path.split("/").at(-1) ?? "") : path;
}

function listOf({ status, expectedStatus }: Test): keyof TestLists {
  return status === "skipped" && expectedStatus !== "skipped" ? "failed" : endedAs[status];
}

function checkSpec({ ok, tests, title }: Spec): void {
  if (ok === tests.every(({ status }) => status !== "unexpected")) return;
  throw unreadable(`it claims that ${title} is ${ok ? "" : "not "}ok, and its tests say otherwise`);
}
