import type { GuardName } from "./facts.ts";
import { checklistGates, gateName, type Checklist } from "./checklist.ts";
import { phaseAfter, phases, type Direction, type Phase } from "./phase.ts";

/** Where a gate stands: which guard asks for it, in which phases and directions. */
export interface GateRow {
  readonly id: string;
  readonly guard: GuardName;
  readonly phases: readonly Phase[];
  readonly directions: readonly Direction[];
  /** Whether a signed waiver can stand in for it. Never for backups, encryption and retention, nor for the guard itself. */
  readonly waivable: boolean;
}

const bothWays: readonly Direction[] = ["forward", "rollback"];
const forward: readonly Direction[] = ["forward"];
const always = phases;

/** Every gate of the pack, in the order in which a release meets them. */
export const gateTable = [
  { id: "phase-in-order", guard: "entry", phases: always, directions: bothWays, waivable: false },
  { id: "phase-not-early", guard: "entry", phases: always, directions: forward, waivable: true },
  { id: "nothing-replaced", guard: "entry", phases: always, directions: bothWays, waivable: false },
  {
    id: "evidence-verified",
    guard: "entry",
    phases: ["cutover"],
    directions: forward,
    waivable: false,
  },
  {
    id: "dns-ttl-lowered",
    guard: "entry",
    phases: ["cutover"],
    directions: forward,
    waivable: true,
  },
  {
    id: "backup-restore-tested",
    guard: "entry",
    phases: ["cutover"],
    directions: forward,
    waivable: false,
  },
  {
    id: "legacy-exported",
    guard: "entry",
    phases: ["decommission"],
    directions: forward,
    waivable: false,
  },
  {
    id: "certificate-declared",
    guard: "data",
    phases: always,
    directions: forward,
    waivable: true,
  },
  {
    id: "legacy-redirects-kept",
    guard: "entry",
    phases: always,
    directions: forward,
    waivable: true,
  },
  {
    id: "database-encrypted-at-rest",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  {
    id: "database-backups-retained",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  {
    id: "database-deletion-protected",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  {
    id: "database-final-snapshot-kept",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  {
    id: "database-tls-forced",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: true,
  },
  {
    id: "backup-vault-locked",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  { id: "bucket-encrypted", guard: "data", phases: always, directions: bothWays, waivable: false },
  { id: "bucket-versioned", guard: "data", phases: always, directions: bothWays, waivable: false },
  {
    id: "bucket-public-access-blocked",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  {
    id: "bucket-retention-set",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  { id: "bucket-tls-only", guard: "data", phases: always, directions: bothWays, waivable: false },
  {
    id: "secret-recoverable",
    guard: "data",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  {
    id: "service-image-pinned",
    guard: "switch",
    phases: always,
    directions: bothWays,
    waivable: false,
  },
  {
    id: "service-health-checked",
    guard: "switch",
    phases: always,
    directions: bothWays,
    waivable: true,
  },
  { id: "service-hardened", guard: "switch", phases: always, directions: bothWays, waivable: true },
  { id: "unit-hardened", guard: "switch", phases: always, directions: bothWays, waivable: false },
  {
    id: "alarm-has-receiver",
    guard: "switch",
    phases: always,
    directions: bothWays,
    waivable: true,
  },
  {
    id: "database-dump-taken",
    guard: "switch",
    phases: ["cutover"],
    directions: forward,
    waivable: false,
  },
  {
    id: "recovery-point-taken",
    guard: "switch",
    phases: ["cutover"],
    directions: forward,
    waivable: false,
  },
] as const satisfies readonly GateRow[];

/** The id of a gate of the table. */
export type GateId = (typeof gateTable)[number]["id"];

function rows(): readonly (GateRow & { readonly id: GateId })[] {
  return gateTable;
}

/**
 * The gates that a guard requires in a phase: all of them must be open before anything behind the guard changes. Those
 * of the checklist stand in the way forward only.
 */
export function requiredGates(
  guard: GuardName,
  phase: Phase,
  direction: Direction,
  checklist: Checklist,
): string[] {
  const own = rows()
    .filter(
      (row) =>
        row.guard === guard && row.phases.includes(phase) && row.directions.includes(direction),
    )
    .map((row) => row.id);
  if (direction !== "forward") return own;
  return [
    ...own,
    ...checklistGates(checklist, phase, guard).map(({ id }) => gateName(checklist.system, id)),
  ];
}

/** The gates that only the next phase will require: shown as advice, so that readiness is seen early. */
export function nextPhaseGates(
  guard: GuardName,
  phase: Phase,
  direction: Direction,
  checklist: Checklist,
): string[] {
  const next = phaseAfter(phase);
  if (next === undefined || direction === "rollback") return [];
  const now = requiredGates(guard, phase, direction, checklist);
  return requiredGates(guard, next, direction, checklist).filter((id) => !now.includes(id));
}
