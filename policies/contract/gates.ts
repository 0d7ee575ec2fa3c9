import type { GuardName } from "./facts.ts";
import { phaseAfter, phases, type Direction, type Phase } from "./phase.ts";

/** Where a gate stands: which guard asks for it, in which phases and directions. */
export interface GateRow {
  readonly id: string;
  readonly guard: GuardName;
  readonly phases: readonly Phase[];
  readonly directions: readonly Direction[];
}

const bothWays: readonly Direction[] = ["forward", "rollback"];
const forward: readonly Direction[] = ["forward"];
const always = phases;

/** Every gate of the pack, in the order in which a release meets them. */
export const gateTable = [
  { id: "phase-in-order", guard: "entry", phases: always, directions: bothWays },
  { id: "unit-tests-passed", guard: "entry", phases: ["cutover"], directions: forward },
  { id: "dns-ttl-lowered", guard: "entry", phases: ["cutover"], directions: forward },
  { id: "database-encrypted-at-rest", guard: "data", phases: always, directions: bothWays },
  { id: "database-backups-retained", guard: "data", phases: always, directions: bothWays },
  { id: "database-deletion-protected", guard: "data", phases: always, directions: bothWays },
  { id: "database-final-snapshot-kept", guard: "data", phases: always, directions: bothWays },
  { id: "backup-vault-locked", guard: "data", phases: always, directions: bothWays },
  { id: "bucket-encrypted", guard: "data", phases: always, directions: bothWays },
  { id: "bucket-versioned", guard: "data", phases: always, directions: bothWays },
  { id: "bucket-public-access-blocked", guard: "data", phases: always, directions: bothWays },
  { id: "bucket-retention-set", guard: "data", phases: always, directions: bothWays },
  { id: "service-image-pinned", guard: "switch", phases: always, directions: bothWays },
  { id: "service-health-checked", guard: "switch", phases: always, directions: bothWays },
  { id: "recovery-point-taken", guard: "switch", phases: ["cutover"], directions: forward },
] as const satisfies readonly GateRow[];

/** The id of a gate. */
export type GateId = (typeof gateTable)[number]["id"];

function rows(): readonly (GateRow & { readonly id: GateId })[] {
  return gateTable;
}

/** The gates that a guard requires in a phase: all of them must be open before anything behind the guard changes. */
export function requiredGates(guard: GuardName, phase: Phase, direction: Direction): GateId[] {
  return rows()
    .filter(
      (row) =>
        row.guard === guard && row.phases.includes(phase) && row.directions.includes(direction),
    )
    .map((row) => row.id);
}

/** The gates that only the next phase will require: shown as advice, so that readiness is seen early. */
export function nextPhaseGates(guard: GuardName, phase: Phase, direction: Direction): GateId[] {
  const next = phaseAfter(phase);
  if (next === undefined || direction === "rollback") return [];
  const now = requiredGates(guard, phase, direction);
  return requiredGates(guard, next, direction).filter((id) => !now.includes(id));
}
