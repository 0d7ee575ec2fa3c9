import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { Liquid } from "liquidjs";
import { parse } from "yaml";
import { z } from "zod";
import { attest } from "../cli/attest.ts";
import { evidenceAsked } from "../cli/asked.ts";
import { checklistPage } from "../cli/checklist/print.ts";
import { readProject } from "../cli/project.ts";
import { duration } from "../policies/contract/checklist.ts";
import type { Phase } from "../policies/contract/phase.ts";
import type { BeforeFacts } from "../policies/contract/facts.ts";
import { RehearsalError } from "./command.ts";
import { renderedReport } from "./rendered-report.ts";
import type { SigningPlace } from "./signers.ts";

/** A report that is made from a template. */
const templated = z.strictObject({
  /** Format of `cutover attest`. */
  format: z.string(),
  /** File below `reports/`: the report, with {@link ReportContext} filled in by Liquid. */
  template: z.string().endsWith(".liquid"),
  /** What the template calls `with`, where several reports are made from one. */
  with: z.record(z.string(), z.unknown()).default({}),
});

/** A report of what `cutover render` writes from the stack's own service table, see {@link renderedReport}. */
const rendered = z.strictObject({
  format: z.string(),
  /** Name of the file. */
  rendered: z.string(),
  /** Of a Compose file the name of its `.env` template. */
  variables: z.string().optional(),
});

/** What `examples/<system>/reports.yaml` says: the reports that the system's CI makes, by the name of the evidence. */
const manifest = z.strictObject({
  reports: z.record(z.string(), z.union([rendered, templated])),
});

/** What a template of a report can say, beside the filter `ago`. */
export interface ReportContext {
  /** ISO 8601. */
  readonly now: string;
  readonly stack: string;
  readonly phase: Phase;
  /** The release that the report is about; `number` is its version without the v. */
  readonly release: Readonly<Record<string, unknown>>;
  /** The release that served before it; null while it is the first. */
  readonly previous: Readonly<Record<string, unknown>> | null;
  /** When the release's phases ended, by name. */
  readonly times: BeforeFacts["times"];
  /** What the checklist leaves open, by name. */
  readonly open: Readonly<Record<string, unknown>>;
  /** The stack config. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly checklistDigest: string;
  /** The checklist as `cutover checklist print` prints it. */
  readonly checklistPage: string;
}

const liquid = new Liquid({ strictFilters: true, strictVariables: true });

// `{{ now | ago: "2h" }}`, and `{{ now | ago: "5m", 3 }}` for three times five minutes.
liquid.registerFilter("ago", (time: string, length: string, times = 1) =>
  new Date(Date.parse(time) - duration.parse(length) * 1000 * times).toISOString(),
);
liquid.registerFilter("unix", (time: string) => Math.floor(Date.parse(time) / 1000));
liquid.registerFilter("day", (time: string) => time.slice(0, 10));

/** What a rehearsed system's CI knows when it makes the reports of a release. */
export interface Occasion {
  readonly phase: Phase;
  readonly times: BeforeFacts["times"];
  /** Version that served before. */
  readonly previous: string | null;
}

/**
 * Does what CI does before a phase: makes every report that the phase's gates ask for, and attests it.
 *
 * @param without names of evidence that is left out
 * @throws RehearsalError when the system has no such report
 */
export async function attestReports(
  place: SigningPlace,
  release: string,
  occasion: Occasion,
  without: readonly string[] = [],
): Promise<void> {
  const { folder, stack, signers } = place;
  const { phase } = occasion;
  const project = readProject({ folder, stack, release, phase });
  const top = join(folder, project.config.folder);
  const { reports } = manifest.parse(parse(await readFile(join(top, "reports.yaml"), "utf8")));
  const asked = evidenceAsked(project.checklist)
    .filter(({ row }) => row.phase.includes(phase))
    .map(({ evidence }) => evidence);
  const context = contextOf(place, release, occasion);
  for (const name of new Set(asked.filter((one) => !without.includes(one)))) {
    const report = reports[name];
    if (report === undefined) {
      throw new RehearsalError(`${project.config.folder}/reports.yaml has no report ${name}.`);
    }
    const text =
      "rendered" in report
        ? renderedReport(project, report.rendered, report.variables)
        : await liquid.parseAndRender(
            await readFile(join(top, "reports", report.template), "utf8"),
            { ...context, with: report.with },
          );
    const file = join(top, "evidence", release, `${name}${extension(report)}`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    const { format } = report;
    await attest(name, { folder, stack, release, phase, format, report: file, key: signers.ci });
  }
}

/** As in `.xml` of `unit-tests.xml.liquid`: some formats are told by it. */
function extension(report: z.output<typeof rendered> | z.output<typeof templated>): string {
  if (!("rendered" in report)) return extname(report.template.replace(/\.liquid$/, ""));
  return report.variables === undefined ? extname(report.rendered) : ".json";
}

function contextOf(
  { folder, stack }: SigningPlace,
  release: string,
  { phase, times, previous }: Occasion,
): ReportContext {
  const project = readProject({ folder, stack, release, phase });
  const { checklist, config } = project;
  const releaseOf = (version: string): Readonly<Record<string, unknown>> => ({
    ...readProject({ folder, stack, release: version, phase }).release,
    number: version.slice(1),
  });
  return {
    now: new Date().toISOString(),
    stack: project.stack,
    phase,
    release: releaseOf(release),
    previous: previous === null ? null : releaseOf(previous),
    times,
    open: Object.fromEntries(
      Object.entries(checklist.open).map(([name, { value }]) => [name, value]),
    ),
    config,
    checklistDigest: checklist.digest,
    checklistPage: checklistPage(
      join(project.root, "policies", "checklists", `${checklist.system}.yaml`),
    ),
  };
}
