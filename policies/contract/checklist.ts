import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { phases, type Phase } from "./phase.ts";
import { digestOf } from "./digest.ts";

const id = z.string().regex(/^[a-z][a-z0-9-]{1,62}$/, "a name in kebab case");
const sentence = z.string().trim().min(1);

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A length of time such as `90s`, `30m`, `24h` or `7d`; parsed to seconds. */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, "a length of time such as 30m, 24h or 7d")
  .transform((text) => Number(text.slice(0, -1)) * units[text.slice(-1) as keyof typeof units]);

const gate = z.strictObject({
  id,
  /** The state that must hold, one sentence. */
  title: sentence,
  /** The phase that cannot be entered without it. */
  phase: z.enum(phases),
  /** Which evaluator judges it: a file of policies/kinds/. */
  kind: id,
  /** Name of the evidence that it judges. */
  evidence: id.optional(),
  /** Seconds that the evidence may be old. */
  maxAge: duration.optional(),
  /** Name of the reading that it judges. */
  reading: id.optional(),
  /** What the kind asks for: numbers, sets, texts. */
  requires: z.record(z.string(), z.unknown()).default({}),
  severity: z.enum(["low", "medium", "high", "critical"]),
  /** The harm when it does not hold, one sentence. */
  why: sentence,
  /** What to do: the command or the key. */
  remedy: sentence,
  /** Where it comes from. */
  source: z.strictObject({ document: sentence, section: sentence }).optional(),
  waivable: z.boolean(),
});

/** One gate of a checklist. */
export type ChecklistGate = z.infer<typeof gate>;

const checklistSchema = z.strictObject({
  system: id,
  title: sentence,
  gates: z.array(gate).min(1),
});

/** The ordered gates of one system, as data. */
export type Checklist = z.infer<typeof checklistSchema> & {
  /** SHA-256 over all of it, hex. */
  readonly digest: string;
};

/** Backups, encryption and retention: what cannot be had afterwards is never waived. */
const neverWaived = /backup|snapshot|restore|recovery|encrypt|retention|retained/;

/** A checklist cannot be used: one line for each thing that is wrong with it. */
export class ChecklistError extends Error {}

const ownFolder = join(import.meta.dirname, "..", "checklists");

/**
 * Reads `<folder>/<system>.yaml`.
 *
 * @param folder the pack's own checklists by default
 * @throws ChecklistError when there is none, and with everything that is wrong with it
 */
export function readChecklist(system: string, folder = ownFolder): Checklist {
  const file = `checklists/${system}.yaml`;
  if (!id.safeParse(system).success) throw new ChecklistError("the system's name is no kebab case");
  let text: string;
  try {
    text = readFileSync(join(folder, `${system}.yaml`), "utf8");
  } catch {
    throw new ChecklistError(`policies/${file} cannot be read; every system needs a checklist`);
  }
  return parseChecklist(text, system, file);
}

/** Parses a checklist; `file` names it in messages. */
export function parseChecklist(text: string, system: string, file: string): Checklist {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new ChecklistError(`${file}: ${error instanceof Error ? error.message : "no YAML"}`);
  }
  // The schema would drop such a key, and with it a requirement, without a word.
  if (/["']?__proto__["']?\s*:/.test(text)) {
    throw new ChecklistError(
      `${file}: found the key __proto__, required are the keys of a checklist`,
    );
  }
  const result = checklistSchema.safeParse(value);
  if (!result.success) {
    throw new ChecklistError(
      result.error.issues.map((issue) => `${file}: ${placeOf(issue, value)}`).join("\n"),
    );
  }
  const problems: string[] = [];
  const { data } = result;
  if (data.system !== system) problems.push(`system: found ${data.system}, required ${system}`);
  for (const { id: protects } of data.gates.filter(
    (one) => one.waivable && neverWaived.test(one.id),
  )) {
    problems.push(`gate ${protects}, waivable: found true, required false for what protects data`);
  }
  const ids = data.gates.map((one) => one.id);
  for (const twice of new Set(ids.filter((one, index) => ids.indexOf(one) !== index))) {
    problems.push(`gate ${twice} stands there twice`);
  }
  if (problems.length > 0) {
    throw new ChecklistError(problems.map((problem) => `${file}: ${problem}`).join("\n"));
  }
  return { ...data, digest: digestOf(data) };
}

/** The gates of a checklist that a phase cannot be entered without. */
export function checklistGates(checklist: Checklist, phase: Phase): readonly ChecklistGate[] {
  return checklist.gates.filter((one) => one.phase === phase);
}

/** The name under which a gate of a checklist reports. */
export function gateName(system: string, gateId: string): string {
  return `${system}/${gateId}`;
}

function placeOf(issue: z.core.$ZodIssue, value: unknown): string {
  const path = issue.path.map(String).join(".");
  const index = issue.path[0] === "gates" ? issue.path[1] : undefined;
  const gates = (value as { gates?: { id?: unknown }[] } | null)?.gates;
  const name = typeof index === "number" ? gates?.[index]?.id : undefined;
  const rest = issue.path.slice(2).map(String).join(".");
  const where = typeof name === "string" ? `gate ${name}, ${rest}` : path;
  return `${where}: ${issue.message}`;
}
