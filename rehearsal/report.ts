import Table from "cli-table3";
import type { Change } from "./pulumi.ts";

/** One run of `pulumi up` in a rehearsal. */
export interface PhaseReport {
  readonly phase: string;
  readonly release: string;
  readonly seconds: number;
  readonly steps: readonly Pick<Change, "resource" | "op" | "seconds">[];
}

/** One gate's verdict as a guard sealed it. */
export interface GateReport {
  readonly gate: string;
  readonly guard: string;
  readonly release: string;
  readonly phase: string;
  readonly verdict: string;
}

/** Why readiness was refused before the reasons were put right. */
export interface RefusalReport {
  readonly gate: string;
  readonly resource: string;
  readonly message: string;
}

/** What a rehearsal found out. */
export interface Report {
  readonly system: string;
  readonly stack: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  /** Where the time went, by part of the rehearsal. */
  readonly parts: readonly { readonly name: string; readonly seconds: number }[];
  readonly phases: readonly PhaseReport[];
  readonly refusals: readonly RefusalReport[];
  readonly gates: readonly GateReport[];
  readonly writes: {
    readonly acknowledged: number;
    readonly lost: number;
    readonly pauseSeconds: number;
  };
  readonly rollbackSeconds: number;
}

/** The figures of a rehearsal, as a table of at most 80 columns that reads well without colour. */
export function figures(report: Report): string {
  const noLine = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
  const table = new Table({ chars: noLine, style: { border: [] }, colWidths: [60, 18] });
  const count = (wanted: string): number =>
    report.gates.filter(({ verdict }) => verdict === wanted).length;
  table.push(
    ["Reasons named when readiness was refused", `${report.refusals.length}`],
    ["Gates judged", `${report.gates.length}`],
    ["Gates passed, and waived", `${count("pass")}, ${count("waived")} waived`],
    ["Writes acknowledged through two cutovers", `${report.writes.acknowledged}`],
    ["Acknowledged writes lost", `${report.writes.lost}`],
    ["Longest pause that the writer saw", seconds(report.writes.pauseSeconds)],
    ["Time to roll back", seconds(report.rollbackSeconds)],
    ["", ""],
    ["Where the time went", ""],
    ...report.parts.map(({ name, seconds: spent }) => [`  ${name}`, seconds(spent)]),
    ["  Altogether", seconds(report.seconds)],
  );
  return table.toString();
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
