import { gatesOf } from "./checklist-gates.ts";
import { ChecklistError, readChecklist, type Checklist } from "./contract/checklist.ts";
import type { Gate } from "./gate.ts";

/** A system as the pack knows it. */
export interface System {
  readonly checklist: Checklist;
  /** The gates of its checklist, in its order. */
  readonly gates: readonly Gate[];
  /** What is wrong with its checklist; nothing passes then. */
  readonly problem?: string;
}

const known = new Map<string, System>();

/** The system of this name, with its checklist from the pack's own folder. */
export function systemOf(name: string): System {
  const system = known.get(name) ?? readSystem(name);
  known.set(name, system);
  return system;
}

function readSystem(name: string): System {
  try {
    const checklist = readChecklist(name);
    return { checklist, gates: gatesOf(checklist) };
  } catch (error) {
    if (!(error instanceof ChecklistError)) throw error;
    const checklist: Checklist = { system: name, title: name, open: {}, gates: [], digest: "" };
    return { checklist, gates: [], problem: error.message };
  }
}
