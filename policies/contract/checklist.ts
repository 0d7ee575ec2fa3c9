import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { phases, type Phase } from "./phase.ts";
import { digestOf } from "./digest.ts";
import { guards, type GuardName } from "./facts.ts";
import { issueText, parsePlainly } from "./issues.ts";
import { resolveOpen, type Resolved } from "./open-requirements.ts";
import { stepName } from "./steps.ts";

const kebabCase = "a name in kebab case, 2 to 63 characters";
const id = z.string(kebabCase).regex(/^[a-z][a-z0-9-]{1,62}$/, kebabCase);
const sentence = z.string("a sentence").trim().min(1, "a sentence");

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

const lengthOfTime = "a length of time such as 30m, 24h or 7d";

/** A length of time such as `90s`, `30m`, `24h` or `7d`; parsed to seconds. */
export const duration = z
  .string(lengthOfTime)
  .regex(/^[1-9]\d{0,5}[smhd]$/, lengthOfTime)
  .transform((text) => Number(text.slice(0, -1)) * units[text.slice(-1) as keyof typeof units]);

const gatePhases = z
  .union(
    [
      z.enum(phases).transform((phase): readonly Phase[] => [phase]),
      z.literal("always").transform((): readonly Phase[] => phases),
      z.array(z.enum(phases)).min(1).readonly(),
    ],
    `a phase, a list of phases, or always; the phases are ${phases.join(", ")}`,
  )
  .describe("the phase that cannot be entered without it, several, or always");

const shape = {
  id: id.describe("its name, kebab case, for the state that must hold"),
  title: sentence.describe("the state that must hold, one sentence"),
  phase: gatePhases,
  guard: z
    .enum(guards)
    .default("entry")
    .describe("data or switch, for kinds that judge declared resources"),
  kind: id.describe("which evaluator judges it: a file of policies/kinds/"),
  evidence: id.optional().describe("name of the evidence that it judges"),
  maxAge: duration.optional().describe("how old the evidence may be, such as 24h or 30d"),
  after: z
    .enum(phases)
    .optional()
    .describe("a phase of this release that must have ended before the evidence was produced"),
  afterBy: duration.optional().describe("how long after the end of that phase, such as 1h"),
  reading: id.optional().describe("name of the reading that it judges"),
  requires: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("what the kind asks for: numbers, sets, texts"),
  severity: z.enum(["low", "medium", "high", "critical"]).describe("how bad it is when it fails"),
  why: sentence.describe("the harm when it does not hold, one sentence"),
  remedy: sentence.describe("what to do: the command or the key"),
  source: z
    .strictObject({
      document: sentence
        .optional()
        .describe("the document, where it is another than the checklist's"),
      section: sentence.describe("the heading that it stands under"),
    })
    .optional()
    .describe("where it comes from"),
  waivable: z.boolean().describe("whether a signed waiver can open it"),
};

const row = z.strictObject(shape);

const stepRow = z.strictObject({
  ...shape,
  step: stepName.describe("the action of the release that does it"),
});

const watchRow = z.strictObject({
  ...shape,
  reaction: z.enum(["hold", "rollback"]).describe("what to do when it does not hold"),
});

/** One gate of a checklist. A step says which action of the release it is, a watch item what follows when it fails. */
export type ChecklistGate = z.infer<typeof row> &
  Partial<Pick<z.infer<typeof stepRow>, "step">> &
  Partial<Pick<z.infer<typeof watchRow>, "reaction">>;

const openRequirement = z.strictObject({
  asks: sentence.describe("what the document leaves open, one sentence"),
  value: z
    .unknown()
    .optional()
    .describe("what the team decided; a checklist without it is refused"),
});

/** The form of a checklist's file. */
export const checklistSchema = z.strictObject({
  system: id.describe("the system's name, which is the file's name too"),
  title: sentence.describe("what the system is"),
  document: sentence.optional().describe("the document that the checklist was made from"),
  open: z
    .record(id, openRequirement)
    .default({})
    .describe("requirements that the document leaves open, by name"),
  gates: z.array(row).min(1).describe("conditions that must hold"),
  steps: z.array(stepRow).default([]).describe("what the release or its rollback does, proved"),
  watch: z.array(watchRow).default([]).describe("what is watched after the release went live"),
});

/** The lists of a checklist's file. */
const lists = ["gates", "steps", "watch"] as const;

/** The ordered gates of one system, as data. */
export type Checklist = Pick<
  z.infer<typeof checklistSchema>,
  "system" | "title" | "document" | "open"
> & {
  /** All of them: conditions, steps and watch items. */
  readonly gates: readonly ChecklistGate[];
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
  // Each guard of a run asks for it again, and a long one takes a tenth of a second.
  const kept = parsed.get(system);
  if (kept?.text === text) return kept.checklist;
  const checklist = parseChecklist(text, system, file);
  parsed.set(system, { text, checklist });
  return checklist;
}

/** The checklists that this process has parsed, by system, each as it was read last. */
const parsed = new Map<string, { readonly text: string; readonly checklist: Checklist }>();

/** Parses a checklist; `file` names it in messages. */
export function parseChecklist(text: string, system: string, file: string): Checklist {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    // Its further lines show the place.
    const [why = "no YAML"] = error instanceof Error ? error.message.split("\n") : [];
    throw new ChecklistError(`${file}: ${why.replace(/:$/, "")}`);
  }
  if (holdsItself(value)) throw new ChecklistError(`${file}: an alias stands within what it names`);
  // The schema would drop such a key, and with it a requirement, without a word.
  if (holdsKey(value, "__proto__")) {
    throw new ChecklistError(
      `${file}: found the key __proto__, required are the keys of a checklist`,
    );
  }
  const open = resolveOpen(value);
  const result = parsePlainly(checklistSchema, open.resolved);
  const problems = [
    ...open.problems,
    ...(result.error?.issues ?? [])
      .filter((issue) => !open.unfilled.some((path) => isAbout(issue, path)))
      .map((issue) => `${placeOf(issue.path, value, open.filled)}: ${issueText(issue)}`),
  ];
  if (result.success) problems.push(...relationProblems(result.data, system));
  if (!result.success || problems.length > 0) {
    throw new ChecklistError(problems.map((problem) => `${file}: ${problem}`).join("\n"));
  }
  const { gates, steps, watch, ...rest } = result.data;
  const whole = { ...rest, gates: [...gates, ...steps, ...watch] };
  return { ...whole, digest: digestOf(whole) };
}

function holdsItself(value: unknown, within: readonly unknown[] = []): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (within.includes(value)) return true;
  return Object.values(value).some((entry) => holdsItself(entry, [...within, value]));
}

function holdsKey(value: unknown, key: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, key) || Object.values(value).some((entry) => holdsKey(entry, key));
}

/** What single keys cannot say. */
function relationProblems(data: z.infer<typeof checklistSchema>, system: string): string[] {
  const problems: string[] = [];
  const all = lists.flatMap((list) => data[list]);
  if (data.system !== system) problems.push(`system: found ${data.system}, required ${system}`);
  for (const { id: protects } of all.filter((one) => one.waivable && neverWaived.test(one.id))) {
    problems.push(`gate ${protects}, waivable: found true, required false for what protects data`);
  }
  const ids = all.map((one) => one.id);
  for (const twice of new Set(ids.filter((one, index) => ids.indexOf(one) !== index))) {
    problems.push(`gate ${twice} stands there twice`);
  }
  for (const { id: early, after, phase } of all) {
    const never = after === undefined ? [] : phase.filter((one) => !isLater(one, after));
    if (after !== undefined && never.length > 0) {
      problems.push(
        `gate ${early}, after: found ${after}, required a phase before ${never.join(", ")}`,
      );
    }
  }
  for (const { id: unplaced } of all.filter(
    ({ source }) => source !== undefined && (source.document ?? data.document) === undefined,
  )) {
    problems.push(
      `gate ${unplaced}, source.document: required where the checklist has no document`,
    );
  }
  return problems;
}

function isLater(phase: Phase, than: Phase): boolean {
  return phases.indexOf(phase) > phases.indexOf(than);
}

/** The gates of a checklist that a phase cannot be entered without, at one guard or at all of them. */
export function checklistGates(
  checklist: Checklist,
  phase: Phase,
  guard?: GuardName,
): readonly ChecklistGate[] {
  return checklist.gates.filter(
    (one) => one.phase.includes(phase) && (guard === undefined || one.guard === guard),
  );
}

/** The name under which a gate of a checklist reports. */
export function gateName(system: string, gateId: string): string {
  return `${system}/${gateId}`;
}

/** Whether an issue is about what stands at a path. A union tells of its parts as a whole. */
function isAbout(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): boolean {
  return begins(issue.path, path) || (issue.code === "invalid_union" && begins(path, issue.path));
}

function begins(path: readonly PropertyKey[], begin: readonly PropertyKey[]): boolean {
  return begin.every((part, index) => path[index] === part);
}

/** Where an issue is, by the gate's id where it has one, and by the open requirement that its value comes from. */
function placeOf(path: readonly PropertyKey[], value: unknown, filled: Resolved["filled"]): string {
  const from = filled.find((place) => begins(path, place.path));
  const origin = from === undefined ? "" : ` (open.${from.name}.value)`;
  const [list, index, ...rest] = path;
  if (!lists.some((one) => one === list) || typeof index !== "number") {
    return (path.map(String).join(".") || "the file") + origin;
  }
  const rows = (value as Record<string, ({ id?: unknown } | null)[]>)[String(list)];
  const name = rows?.[index]?.id;
  const row = typeof name === "string" ? `gate ${name}` : `${String(list)}, row ${index + 1}`;
  return [row, ...(rest.length === 0 ? [] : [rest.map(String).join(".")])].join(", ") + origin;
}
