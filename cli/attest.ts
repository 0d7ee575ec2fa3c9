import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { gatesOf } from "../policies/checklist-gates.ts";
import { sha256 } from "../policies/contract/envelope.ts";
import { UnreadableError } from "../policies/contract/json.ts";
import type { RowsWanted } from "../policies/kind.ts";
import { requirements } from "../policies/requirements.ts";
import {
  reportLimits,
  type Reader,
  type ReadOptions,
  type ReadReport,
} from "../infra/evidence/reader.ts";
import { readers } from "../infra/evidence/readers.ts";
import { OperatorError, problemText, type Problem } from "../infra/errors.ts";
import { codeOf } from "../infra/provider/error-text.ts";
import { wholeBody } from "../infra/whole-body.ts";
import { releaseSubjects } from "../policies/contract/statement.ts";
import { evidenceAsked, readersFor, type AskingGate } from "./asked.ts";
import { readProject, type Choice, type Project } from "./project.ts";
import { placeFor, readKey, signWithKey, statementOf, writeDocument } from "./sign.ts";

/** What `cutover attest` is told. */
export interface AttestOptions extends Choice {
  readonly format: string;
  readonly report: string;
  readonly key?: string;
  readonly out?: string;
  /** Write the statement unsigned, for cosign to sign. */
  readonly statement?: boolean;
}

/**
 * Makes a signed statement from a report. It says what the report says, good or bad; a gate judges it later.
 *
 * @returns the file that was written
 * @throws OperatorError when the report cannot be read or is about something else than the release
 */
export async function attest(evidence: string, options: AttestOptions): Promise<string> {
  const project = readProject(options);
  // Says what is wrong with a checklist that cannot be used.
  gatesOf(project.checklist);
  const all = evidenceAsked(project.checklist);
  const gates = all.filter((gate) => gate.evidence === evidence);
  const reader = readerFor(project, all, gates, evidence, options.format);
  const rows = rowsFor(project, gates, evidence);
  const key = options.statement === true ? undefined : readKey(options.key);
  const now = new Date();
  const { bytes, read } = await readReport(options.report, reader, { now, rows });
  expectAbout(read, project, options.report);
  const producedAt = read.producedAt ?? now.toISOString();
  if (Date.parse(producedAt) > now.getTime() + requirements.clockSkewSeconds * 1000) {
    throw wrong(options.report, `it is from the future (${producedAt})`, "a report of the past");
  }
  const meta = {
    evidence,
    producedAt,
    report: {
      name: basename(options.report),
      format: reader.format,
      digest: { sha256: sha256(bytes) },
    },
    ...(read.about?.images === undefined ? {} : { images: read.about.images }),
  };
  const statement = statementOf(project, reader.predicate, { ...read.facts, cutover: meta });
  const name = key === undefined ? `${evidence}.statement.json` : `${evidence}.intoto.jsonl`;
  const file = placeFor(project, name, options.out);
  await writeDocument(file, key === undefined ? statement : signWithKey(statement, key));
  return file;
}

function readerFor(
  { checklist }: Project,
  all: readonly AskingGate[],
  gates: readonly AskingGate[],
  evidence: string,
  format: string,
): Reader {
  const problems: Problem[] = [];
  const asked = [...new Set(all.map((gate) => gate.evidence))];
  if (gates.length === 0) {
    problems.push({
      where: "the name of the evidence",
      found: evidence,
      required: `one that checklists/${checklist.system}.yaml asks for: ${asked.join(", ")}`,
      todo: `npx cutover attest ${asked[0] ?? "<name>"} --format ${format} --report <file>`,
    });
  }
  const reader = readers.find((one) => one.format === format);
  if (reader === undefined) {
    problems.push({
      where: "--format",
      found: format,
      required: `one of ${readers.map((one) => one.format).join(", ")}`,
      todo: "npx cutover attest --help",
    });
  }
  if (reader === undefined || problems.length > 0) {
    throw new OperatorError(problemText("Nothing was attested.", problems));
  }
  const fitting = readersFor(gates);
  if (fitting.includes(reader)) return reader;
  throw new OperatorError(
    problemText("Nothing was attested.", [
      {
        where: "--format",
        found: `${format}, which gate ${gates[0]?.row.id ?? ""} cannot judge`,
        required: `one of ${fitting.map((one) => one.format).join(", ")}`,
        todo: `npx cutover attest ${evidence} --format ${fitting[0]?.format ?? "<format>"} --report <file>`,
      },
    ]),
  );
}

/** What all gates read of the rows together; undefined where none reads rows. */
function rowsFor(
  { checklist }: Project,
  gates: readonly AskingGate[],
  evidence: string,
): RowsWanted | undefined {
  // What people approve is known by its digest; nothing of it is kept.
  if (gates.every(({ predicate }) => predicate === undefined)) return { fields: [] };
  const asking = gates.flatMap(({ row: { id }, rows }) =>
    rows === undefined ? [] : [{ id, rows }],
  );
  const [first] = asking;
  if (first === undefined) return undefined;
  const other = asking.find(({ rows }) => rows.of !== first.rows.of);
  if (other !== undefined) {
    const place = ({ id, rows }: typeof first): string =>
      `gate ${id} wants ${rows.of === undefined ? "the whole report" : `the rows at ${rows.of}`}`;
    throw new OperatorError(
      problemText("Nothing was attested.", [
        {
          where: `policies/checklists/${checklist.system}.yaml`,
          found: `${place(first)}, ${place(other)}`,
          required: `the same \`of\` in all gates of evidence ${evidence}`,
          todo: "give one of them evidence of its own",
        },
      ]),
    );
  }
  return { ...first.rows, fields: [...new Set(asking.flatMap(({ rows }) => rows.fields))] };
}

async function readReport(
  path: string,
  reader: Reader,
  options: ReadOptions,
): Promise<{ bytes: Buffer; read: ReadReport }> {
  try {
    // A device that never ends is not read to its end.
    const bytes = await wholeBody(
      createReadStream(path) as AsyncIterable<Uint8Array>,
      reportLimits.bytes,
      () => new UnreadableError(`it is larger than ${reportLimits.bytes / 1024 / 1024} MiB`),
    );
    return { bytes, read: reader.read(bytes, options) };
  } catch (error) {
    const code = codeOf(error);
    if (!(error instanceof UnreadableError) && code === undefined) throw error;
    const found =
      error instanceof UnreadableError ? error.message : `it cannot be read (${String(code)})`;
    throw wrong(path, found, reader.title);
  }
}

/** A report that names its own commit or images must name those of the release. */
function expectAbout({ about = {} }: ReadReport, { release }: Project, report: string): void {
  const known = releaseSubjects(release).map(({ digest }) => digest["sha256"]);
  const strange = (about.images ?? []).filter((image) => !known.includes(image));
  if (about.commit !== undefined && about.commit !== release.commit) {
    throw wrong(report, `it is about commit ${about.commit}`, `commit ${release.commit}`);
  }
  if (strange.length > 0) {
    throw wrong(
      report,
      `it is about image sha256:${String(strange[0]).slice(0, 12)}`,
      "an image of the release",
    );
  }
}

function wrong(report: string, found: string, required: string): OperatorError {
  return new OperatorError(
    problemText("Nothing was attested.", [
      { where: report, found, required, todo: "give the report of this release with --report" },
    ]),
  );
}
