import { attest } from "../policies/evidence/attested.ts";
import { gatesOf } from "../policies/checklist-gates.ts";
import { gateName, type ChecklistGate } from "../policies/contract/checklist.ts";
import { evidenceDigest } from "../policies/contract/documents.ts";
import type { GuardFacts } from "../policies/contract/facts.ts";
import type { WaiverNote } from "../policies/contract/seal.ts";
import { findingText, judgeGate, type Finding } from "../policies/gate.ts";
import { evidenceVerified } from "../policies/gates/evidence/evidence-verified.ts";
import { Run } from "../policies/run.ts";
import { readTrust } from "../policies/signatures/trust.ts";
import { judgementOf, waiverText } from "../policies/evidence/waivers.ts";
import { loadDocuments } from "../infra/evidence/load-documents.ts";
import { emptyLedger } from "../infra/release/ledger.ts";
import { planRelease } from "../infra/release/plan.ts";
import { runFacts } from "../infra/release/run-facts.ts";
import { kindOf } from "./asked.ts";
import { readProject, type Choice, type Project } from "./project.ts";

/** What a gate would say of the documents as they are now. */
export interface GateAnswer {
  readonly gate: string;
  /** `live` is judged by `pulumi preview` only, which reads the system itself. */
  readonly verdict: "pass" | "fail" | "inconclusive" | "waived" | "live";
  readonly findings: readonly Finding[];
  readonly waiver?: WaiverNote;
}

/** What all gates would say that judge signed documents. */
export interface Verification {
  readonly release: string;
  readonly stack: string;
  readonly phase: string;
  readonly evidence: string;
  readonly evidenceDigest: string;
  readonly checklistDigest: string;
  readonly gates: readonly GateAnswer[];
  /** Whether each gate that was judged is open. */
  readonly open: boolean;
}

/**
 * Judges the documents of a release with the gates of the pack.
 *
 * @throws OperatorError when the stack, its release or its checklist cannot be read
 */
export async function verify(choice: Choice): Promise<Verification> {
  const project = readProject(choice);
  const { root, config, release, stack, checklist } = project;
  const { phase } = config;
  const documents = await loadDocuments(config.evidence, release.version, root);
  const now = Date.now();
  const attested = attest(documents, () => readTrust(project.trust), now);
  const facts = factsOf(project, evidenceDigest(documents));
  const judged = gatesOf(checklist);
  const live = checklist.gates.filter(isLive).map(({ id }) => gateName(checklist.system, id));
  const required = checklist.gates
    .filter((gate) => gate.phase.includes(phase))
    .map(({ id }) => gateName(checklist.system, id));
  const gates = [evidenceVerified, ...judged.filter(({ id }) => required.includes(id))].map(
    (gate): GateAnswer => {
      if (live.includes(gate.id)) return { gate: gate.id, verdict: "live", findings: [] };
      const told = { attested, readings: {} };
      const judge = { now, rehearsal: false };
      const findings = judgeGate(gate, facts, new Run(), told, judge);
      return { gate: gate.id, ...judgementOf(gate, findings, facts, told, judge) };
    },
  );
  return {
    release: release.version,
    stack,
    phase,
    evidence: config.evidence,
    evidenceDigest: attested.digest,
    checklistDigest: checklist.digest,
    gates,
    open: closedGates({ gates }).length === 0,
  };
}

/** Whether a gate judges what only a run can see: the system itself, its resources, or where the stack stands. */
function isLive(row: ChecklistGate): boolean {
  const kind = kindOf(row);
  if (row.guard !== "entry" || row.reading !== undefined || row.after !== undefined) return true;
  return kind.judges === "release" && kind.asksStack?.(kind.requires.parse(row.requires)) === true;
}

/** The names of the gates that are closed. */
export function closedGates({ gates }: Pick<Verification, "gates">): string[] {
  return gates
    .filter(({ verdict }) => verdict === "fail" || verdict === "inconclusive")
    .map(({ gate }) => gate);
}

/** A verification as people read it, in at most 80 columns. */
export function verificationText(found: Verification): string {
  const { release, stack, phase, evidence, gates } = found;
  const closed = closedGates(found).length;
  const live = gates.filter(({ verdict }) => verdict === "live").length;
  const judged = gates.length - live;
  return [
    `${release}, ${phase} on ${stack}`,
    `Evidence in ${evidence}, digest ${found.evidenceDigest.slice(0, 12)}`,
    "",
    ...gates.map(answerText),
    "",
    closed === 0
      ? judged === 1
        ? "The one gate is open."
        : `All ${judged} gates are open.`
      : `${closed} of ${judged} gates ${closed === 1 ? "is" : "are"} closed.`,
    ...(live === 0
      ? []
      : [
          `${live} more ${live === 1 ? "is" : "are"} judged by pulumi preview, which reads the system itself.`,
        ]),
  ].join("\n");
}

const words: Readonly<Record<GateAnswer["verdict"], string>> = {
  pass: "open",
  fail: "CLOSED",
  inconclusive: "CLOSED",
  waived: "waived",
  live: "live",
};

function answerText({ gate, verdict, findings, waiver }: GateAnswer): string {
  const lines = [
    ...(waiver === undefined ? [] : [waiverText(waiver)]),
    ...findings.map(findingText),
  ].flatMap((text) => text.split("\n"));
  return [`${words[verdict].padEnd(7)} ${gate}`, ...lines.map((line) => `          ${line}`)].join(
    "\n",
  );
}

/** The facts as far as documents are judged with them: where the stack stands is not known here. */
function factsOf(project: Project, digest: string): GuardFacts {
  const { config, release, stack, checklist } = project;
  const plan = planRelease(config, emptyLedger, release, []);
  const known = { evidenceDigest: digest, checklistDigest: checklist.digest, replaced: [] };
  return { guard: "entry", ...runFacts(config, plan, stack, known) };
}
