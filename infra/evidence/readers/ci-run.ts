import { z } from "zod";
import { parseJson } from "../../../policies/contract/json.ts";
import { reportLimits, type Reader } from "../reader.ts";
import { count, fitFacts, fitShape, isObject, isoTime, list, unreadable } from "./shared.ts";

const text = z.string().min(1);
const commit = z
  .string()
  .regex(/^[0-9a-f]{40}$/, "Invalid input: expected a commit of 40 hex digits");

/** https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run */
const runSchema = z.object({
  id: count,
  path: text,
  event: text,
  head_branch: z.string().nullable(),
  head_sha: commit,
  run_attempt: count,
  status: z.string().nullable(),
  conclusion: z.string().nullable(),
  updated_at: z.string(),
  repository: z.object({ full_name: text, html_url: z.url({ protocol: /^https$/ }) }),
});

/** https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run */
const jobsSchema = z.object({
  total_count: count,
  jobs: list(
    z.object({
      run_id: count,
      run_attempt: count,
      head_sha: commit,
      name: text,
      status: z.string(),
      conclusion: z.string().nullable(),
    }),
  ),
});

type Run = z.output<typeof runSchema>;
type Jobs = z.output<typeof jobsSchema>;

/**
 * Reads a run of a GitHub Actions workflow, as `gh api repos/OWNER/REPO/actions/runs/ID` answers; with its jobs as
 * `{"run": <that answer>, "jobs": <the answer of .../jobs?per_page=100>}`, or with their list in the run's own entry
 * `jobs`. It says CI_RUN_SUCCEEDED and CI_JOB_SUCCEEDED:<job> of what came to its end with success, and of nothing
 * else, as well as CI_WORKFLOW:<path>, CI_EVENT:<event> and CI_BRANCH:<branch or tag>.
 */
export const ciRun: Reader<"verification"> = {
  format: "ci-run",
  title: "run of a workflow, GitHub Actions API",
  predicate: "verification",
  read(bytes) {
    const { run, jobs } = partsOf(parseJson(bytes, reportLimits));
    const time = isoTime(run.updated_at);
    // A run names its workflow with the branch or tag that it was taken from: .github/workflows/ci.yml@main.
    const [path = ""] = run.path.split("@");
    return {
      facts: fitFacts("verification", {
        verifier: { id: `${repositoryOf(run)}/${path}` },
        timeCreated: time,
        properties: [
          ...(succeeded(run) ? ["CI_RUN_SUCCEEDED"] : []),
          `CI_WORKFLOW:${path}`,
          `CI_EVENT:${run.event}`,
          ...(run.head_branch === null ? [] : [`CI_BRANCH:${run.head_branch}`]),
          ...succeededJobs(run, jobs),
        ],
      }),
      producedAt: time,
      about: { commit: run.head_sha },
    };
  },
};

function partsOf(report: unknown): { run: Run; jobs: Jobs } {
  const whole = isObject(report) ? report : {};
  const inner = whole["run"] === undefined ? report : whole["run"];
  const given = whole["jobs"];
  const jobs = Array.isArray(given) ? { total_count: given.length, jobs: given as unknown } : given;
  return {
    run: fitShape(runSchema, inner, "workflow run of GitHub Actions"),
    jobs: fitShape(jobsSchema, jobs ?? { total_count: 0, jobs: [] }, "list of a run's jobs"),
  };
}

/** The address of a run's repository, which must agree with its name. */
function repositoryOf({ repository }: Run): string {
  const { full_name: name, html_url: url } = repository;
  if (!/^[\w.-]+\/[\w.-]+$/.test(name) || !url.endsWith(`/${name}`) || /[@?#]/.test(url)) {
    throw unreadable("the address of its repository does not agree with the repository's name");
  }
  return url;
}

function succeeded({ status, conclusion }: Pick<Run, "status" | "conclusion">): boolean {
  return status === "completed" && conclusion === "success";
}

/** A property for each job that succeeded; of jobs that share a name, all must have. */
function succeededJobs(run: Run, { total_count: total, jobs }: Jobs): string[] {
  if (total !== jobs.length) {
    throw unreadable(
      `it holds ${jobs.length} of ${total} jobs; ask for per_page=100 and join the pages`,
    );
  }
  for (const { run_id: id, run_attempt: attempt, head_sha: sha, name } of jobs) {
    if (id !== run.id || attempt !== run.run_attempt || sha !== run.head_sha) {
      throw unreadable(`its job ${name} belongs to another run, attempt or commit`);
    }
  }
  const others = new Set(jobs.filter((job) => !succeeded(job)).map(({ name }) => name));
  const names = new Set(jobs.map(({ name }) => name).filter((name) => !others.has(name)));
  return [...names].map((name) => `CI_JOB_SUCCEEDED:${name}`);
}
