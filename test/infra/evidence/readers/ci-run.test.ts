import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { ciRun } from "../../../../infra/evidence/readers/ci-run.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const commit = "9f2c1e7b4a6d8035c1e2f3a4b5c6d7e8f9012345";

const run = (rest: object = {}): object => ({
  id: 7,
  path: ".github/workflows/ci.yml",
  event: "push",
  head_branch: "main",
  head_sha: commit,
  run_attempt: 1,
  status: "completed",
  conclusion: "success",
  updated_at: "2026-01-31T12:00:00Z",
  repository: { full_name: "example/orders", html_url: "https://github.com/example/orders" },
  ...rest,
});

const job = (name: string, conclusion: string | null = "success", rest: object = {}): object => ({
  run_id: 7,
  run_attempt: 1,
  head_sha: commit,
  name,
  status: "completed",
  conclusion,
  ...rest,
});

const withJobs = (...jobs: object[]): object => ({
  run: run(),
  jobs: { total_count: jobs.length, jobs },
});

const propertiesOf = (report: object): string[] => readWith(ciRun, report).facts.properties;

const jobsOf = (report: object): string[] =>
  propertiesOf(report).filter((one) => one.startsWith("CI_JOB"));

describe("ciRun", () => {
  test("reads a run", () => {
    const time = "2026-01-31T12:00:00.000Z";
    expect(readWith(ciRun, sample("ci-run/run.json"))).toEqual({
      facts: {
        verifier: { id: "https://github.com/example/orders/.github/workflows/ci.yml" },
        timeCreated: time,
        properties: [
          "CI_RUN_SUCCEEDED",
          "CI_WORKFLOW:.github/workflows/ci.yml",
          "CI_EVENT:push",
          "CI_BRANCH:main",
        ],
      },
      producedAt: time,
      about: { commit },
    });
  });

  test("reads a run with its jobs; one that was skipped gives nothing", () => {
    expect(propertiesOf(JSON.parse(sample("ci-run/run-with-jobs.json").toString()))).toEqual([
      "CI_RUN_SUCCEEDED",
      "CI_WORKFLOW:.github/workflows/ci.yml",
      "CI_EVENT:push",
      "CI_BRANCH:main",
      "CI_JOB_SUCCEEDED:test (22)",
      "CI_JOB_SUCCEEDED:test (20)",
      "CI_JOB_SUCCEEDED:lint",
    ]);
  });

  test.each([
    ["completed", "success", true],
    ["completed", "failure", false],
    ["completed", "neutral", false],
    ["completed", "cancelled", false],
    ["completed", "skipped", false],
    ["completed", "timed_out", false],
    ["completed", "action_required", false],
    ["completed", "startup_failure", false],
    ["completed", "stale", false],
    ["completed", null, false],
    ["in_progress", null, false],
    ["in_progress", "success", false],
    ["queued", null, false],
    [null, "success", false],
  ])("a run that is %s with %s succeeded: %s", (status, conclusion, succeeded) => {
    const properties = propertiesOf(run({ status, conclusion }));
    expect(properties.includes("CI_RUN_SUCCEEDED")).toBe(succeeded);
    expect(jobsOf(withJobs(job("a", conclusion, { status: String(status) })))).toEqual(
      succeeded ? ["CI_JOB_SUCCEEDED:a"] : [],
    );
  });

  test("of jobs that share a name all must have succeeded", () => {
    expect(jobsOf(withJobs(job("a"), job("b"), job("a", "failure"), job("b")))).toEqual([
      "CI_JOB_SUCCEEDED:b",
    ]);
  });

  test("reads the list of jobs in the run's own entry", () => {
    expect(jobsOf(run({ jobs: [job("a"), job("b", "failure")] }))).toEqual(["CI_JOB_SUCCEEDED:a"]);
  });

  test("a run without a branch names none", () => {
    expect(propertiesOf(run({ head_branch: null })).join()).not.toMatch("CI_BRANCH");
  });

  test("no name can pass for success", () => {
    const report = run({
      event: "CI_RUN_SUCCEEDED",
      head_branch: "CI_RUN_SUCCEEDED",
      conclusion: "failure",
    });
    expect(propertiesOf(report)).not.toContain("CI_RUN_SUCCEEDED");
  });

  const repository = (full_name: string, html_url: string) =>
    run({ repository: { full_name, html_url } });

  test.each([
    [
      "an address of another repository",
      repository("example/orders", "https://github.com/example/other"),
      /does not agree/,
    ],
    [
      "an address that ends alike",
      repository("example/orders", "https://github.com/anexample/orders"),
      /does not agree/,
    ],
    [
      "an address with a password",
      repository("example/orders", "https://user:secret@github.com/example/orders"),
      /does not agree/,
    ],
    [
      "an address with a question",
      repository("example/orders", "https://github.com/?/example/orders"),
      /does not agree/,
    ],
    [
      "a name that is none",
      repository("orders", "https://github.com/example/orders"),
      /does not agree/,
    ],
    [
      "an address without TLS",
      repository("example/orders", "http://github.com/example/orders"),
      /see repository\.html_url/,
    ],
    ["an address that is none", repository("example/orders", "x"), /see repository\.html_url/],
    ["a short commit", run({ head_sha: commit.slice(1) }), /see head_sha: .*40 hex digits/],
    ["no commit", run({ head_sha: undefined }), /see head_sha/],
    ["no workflow", run({ path: "" }), /see path/],
    ["no event", run({ event: "" }), /see event/],
    ["no time", run({ updated_at: null }), /see updated_at/],
    ["a time that is none", run({ updated_at: "now" }), /time that is none/],
    ["a status that is a number", run({ status: 1 }), /see status/],
    ["no attempt", run({ run_attempt: undefined }), /see run_attempt/],
    ["a negative number", run({ id: -1 }), /see id/],
    ["jobs only", { jobs: { total_count: 1, jobs: [job("a")] } }, /no workflow run/],
    ["a run that is null", { run: null }, /no workflow run/],
    [
      "a page of the jobs only",
      { run: run(), jobs: { total_count: 31, jobs: [job("a")] } },
      "it holds 1 of 31 jobs; ask for per_page=100 and join the pages",
    ],
    [
      "more jobs than it counts",
      { run: run(), jobs: { total_count: 0, jobs: [job("a")] } },
      /1 of 0 jobs/,
    ],
    ["jobs without their count", { run: run(), jobs: { jobs: [] } }, /see total_count/],
    ["jobs that are a text", { run: run(), jobs: "all" }, /no list of a run's jobs/],
    [
      "a job of another run",
      withJobs(job("a"), job("b", "success", { run_id: 8 })),
      /its job b belongs to another/,
    ],
    [
      "a job of another attempt",
      withJobs(job("a", "success", { run_attempt: 2 })),
      /its job a belongs/,
    ],
    [
      "a job of another commit",
      withJobs(job("a", "success", { head_sha: "0".repeat(40) })),
      /its job a belongs/,
    ],
    ["a job without a name", withJobs(job("")), /see jobs\.0\.name/],
    ["a job with a long name", withJobs(job("x".repeat(500))), /see properties\.4/],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(ciRun, report)).toMatch(message);
  });

  property.prop([
    fc.uniqueArray(
      fc.record({
        name: fc.string({ minLength: 1, maxLength: 40 }),
        conclusion: fc.constantFrom("success", "failure", "skipped", "cancelled", null),
      }),
      { selector: ({ name }) => name },
    ),
  ])("of many jobs those are told that succeeded", (jobs) => {
    expect(jobsOf(withJobs(...jobs.map((one) => job(one.name, one.conclusion))))).toEqual(
      jobs
        .filter((one) => one.conclusion === "success")
        .map((one) => `CI_JOB_SUCCEEDED:${one.name}`),
    );
  });

  describeBadBytes(ciRun, sample("ci-run/run-with-jobs.json"));
  describeBadJson(ciRun, sample("ci-run/run.json"));
});
