import { z } from "zod";
import { guards, type GuardFacts } from "../../policies/contract/facts.ts";
import { isPhase } from "../../policies/contract/phase.ts";
import { digestOf } from "../../policies/contract/digest.ts";
import {
  ChecklistError,
  readChecklist,
  type Checklist,
} from "../../policies/contract/checklist.ts";
import { sealProblems, type Seal, type SealProblem } from "../../policies/contract/seal.ts";
import { wrapWords } from "../../policies/contract/text.ts";
import { inputFailures } from "./inputs.ts";
import { hasUnknown, sameProperty, type Properties } from "./properties.ts";
import { RefusedError, type Call, type CheckFailure, type ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  documents: z.array(z.looseObject({ name: z.string() })).optional(),
  readings: z.record(z.string(), z.looseObject({})).optional(),
  facts: z.looseObject({
    system: z.string(),
    guard: z.enum(guards),
    phase: z.string().refine(isPhase, "required is the name of a phase"),
    direction: z.enum(["forward", "rollback"]),
    release: z.looseObject({ version: z.string() }),
  }),
});

/**
 * A point that a release passes only with every required gate open. The pack writes the seal between `check` and what
 * follows; without a seal that covers every required gate nothing is created or updated, and so nothing behind it.
 */
export const guard: ResourceType = {
  check(news): CheckFailure[] {
    const { seal, ...rest } = news;
    const failures = inputFailures(inputs, rest);
    if (seal !== undefined && seal !== null) {
      failures.push({
        property: "seal",
        reason: "found in the program, only the policy pack writes it",
      });
    }
    for (const property of ["facts", "documents", "readings"].filter((name) =>
      hasUnknown(news[name]),
    )) {
      failures.push({
        property,
        reason: "found unknown values, required is that all are known before anything changes",
      });
    }
    return failures;
  },

  diff(olds, news) {
    // Readings are new in every run; what they change shows in the seal.
    const diffs = ["facts", "documents", "seal"].filter(
      (name) => !sameProperty(olds.inputs[name], news[name]),
    );
    return { changes: diffs.length > 0, diffs };
  },

  async create(news, call) {
    const { facts, outputs } = pass(news, call);
    return { id: call.preview ? "" : facts.guard, outputs };
  },

  async update(_id, _olds, news, call) {
    return { outputs: pass(news, call).outputs };
  },
};

/** The facts and outputs of an open guard; throws for a closed one. */
function pass(news: Properties, call: Call): { facts: GuardFacts; outputs: Properties } {
  const facts = news["facts"] as GuardFacts;
  const seal = (news["seal"] ?? undefined) as Seal | undefined;
  const problems = sealProblems(seal, facts, checklistOf(facts)).filter(
    (problem, _index, all) => !call.preview || stopsPreview(problem, all),
  );
  if (problems.length > 0) throw new RefusedError(closedText(facts, problems));
  const { guard: _guard, ...common } = facts;
  const outputs = {
    sealed: digestOf(common),
    phase: facts.phase,
    release: facts.release.version,
    verdicts: seal?.verdicts,
    waivers: seal?.waivers,
  };
  return { facts, outputs };
}

function checklistOf({ guard, system }: GuardFacts): Checklist {
  try {
    return readChecklist(system);
  } catch (error) {
    if (!(error instanceof ChecklistError)) throw error;
    throw new RefusedError(
      `guard ${guard} stays closed: the checklist cannot be used\n${itemText(error.message)}`,
    );
  }
}

/** In a preview the pack prints every closed gate itself, unless it was switched off. */
function stopsPreview(problem: SealProblem, all: readonly SealProblem[]): boolean {
  return (
    problem.kind !== "closed" ||
    all.some((other) => other.kind === "switched-off" && other.gate === problem.gate)
  );
}

function closedText(facts: GuardFacts, problems: readonly SealProblem[]): string {
  const headline = `guard ${facts.guard} stays closed: ${facts.release.version} may not pass in phase ${facts.phase}`;
  return [headline, ...problems.map(({ text }) => itemText(text))].join("\n");
}

/** The CLI indents an error by a few columns, so that this keeps within 80. */
const width = 74;

/** A text as a list item, what to do on a line of its own, wrapped between words. */
function itemText(text: string): string {
  return text
    .replace(/[.]? To do: /, "\nTo do: ")
    .split("\n")
    .flatMap((line) => wrapWords(line, width - 2))
    .map((line, index) => `${index === 0 ? "- " : "  "}${line}`)
    .join("\n");
}
