import type { Direction, Phase } from "./phase.ts";
import type { Verdict } from "./verdict.ts";
import type { ReleaseIdentity } from "./statement.ts";

/** The guards of a release, in the order in which they stand in its way. */
export const guards = ["entry", "data", "switch"] as const;

/**
 * A point that a release passes only with every required gate open: `entry` before anything changes, `data` after
 * the data resources and before the write freeze, `switch` after the services and before DNS moves.
 */
export type GuardName = (typeof guards)[number];

/** Type token of the guard resource. */
export const guardType = "cutover:index:Guard";

/**
 * What the ledger knows about the DNS answers: seconds they live now and lived before, and since when all who were asked
 * showed that (ISO 8601).
 */
export interface TtlFacts {
  readonly seconds: number;
  readonly previousSeconds: number;
  readonly changedAt: string;
}

/** Where the release stands before this run, read from the ledger. All null in a stack that never ran. */
export interface BeforeFacts {
  readonly phase: Phase | null;
  /** Version that the phase was about. */
  readonly release: string | null;
  /** Version that traffic goes to; null while the legacy system serves. */
  readonly serving: string | null;
  /** Versions that went live, oldest first. */
  readonly recorded: readonly string[];
  readonly ttl: TtlFacts | null;
  /** When each phase of `release` ended, ISO 8601. */
  readonly times: Readonly<Partial<Record<Phase, string>>>;
  /** The newest record of this release's own cutover; null before it. */
  readonly record: RecordFacts | null;
  /** The last restore of a backup that was asked and answered as it should, whichever release it was for. */
  readonly restoreTest: RestoreTestFacts | null;
  /** The last export of the legacy system's database. */
  readonly legacyExport: LegacyExportFacts | null;
}

/** A restore of a backup beside production. */
export interface RestoreTestFacts {
  /** ISO 8601. */
  readonly at: string;
  readonly recoveryPoint: string;
}

/** An export of a database that is about to go. */
export interface LegacyExportFacts {
  /** ISO 8601. */
  readonly at: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

/** Who shows that a host is who it says, and where logins may end. */
export interface IdentityFacts {
  /** By host name that moves: `acm`, `external`, or `none`. */
  readonly certificates: Readonly<Record<string, string>>;
  /** By client: the URIs of the legacy system, and all that services are told now. */
  readonly redirects: Readonly<
    Record<string, { readonly legacy: readonly string[]; readonly told: readonly string[] }>
  >;
}

/** What a release record says of the gates. */
export interface RecordFacts {
  readonly release: string;
  /** ISO 8601. */
  readonly at: string;
  readonly verdicts: Readonly<Record<string, Verdict>>;
}

/**
 * Physical names of what this phase must cover, by noun. A gate judges each name; a name that no declared resource
 * carries is a closed gate, so a resource that was left out cannot pass for one that is fine.
 */
export interface CoverFacts {
  /** RDS instance identifiers. */
  readonly databases: readonly string[];
  /** Names of containers that a database of our own runs in. */
  readonly containerDatabases: readonly string[];
  /** AWS Backup vault names. */
  readonly backups: readonly string[];
  /** S3 bucket names. */
  readonly buckets: readonly string[];
  /** R2 bucket names. */
  readonly archives: readonly string[];
  /** Names of the units that systemd runs, without `.service`. */
  readonly units: readonly string[];
  /** Container names. */
  readonly services: readonly string[];
  /** Names of secrets in AWS Secrets Manager. */
  readonly secrets: readonly string[];
  /** Names of CloudWatch alarms. */
  readonly alarms: readonly string[];
}

/** What a run would replace or drop that must stay. */
export interface ReplacedFacts {
  /** As an operator would call it, such as `bucket documents`. */
  readonly resource: string;
  /** The property that can only be changed by a replacement; null when it is no longer declared. */
  readonly property: string | null;
  /** Path in the stack config that says it; null when none does any more. */
  readonly key: string | null;
}

/** The release that a guard lets pass. */
export interface ReleaseFacts extends ReleaseIdentity {
  /** Who made it: principals, who may be barred from signing for it. */
  readonly authors: readonly string[];
  /** File names of its migrations, in order. */
  readonly migrations: readonly string[];
}

/** Everything a guard is told before it is registered. Holds no secret and nothing unknown. */
export interface GuardFacts {
  readonly guard: GuardName;
  readonly system: string;
  readonly stack: string;
  readonly phase: Phase;
  readonly direction: Direction;
  readonly release: ReleaseFacts;
  readonly before: BeforeFacts;
  /** The phases that this system has, in order. */
  readonly phases: readonly Phase[];
  /** By phase, how long after its cutover it may begin, or with a minus before the planned one, such as `-24h`. */
  readonly notBefore: Readonly<Record<string, string>>;
  /** The actions of this run, in the order in which they wait for each other. */
  readonly steps: readonly string[];
  /** When the cutover is to begin, as the stack config says, ISO 8601; null where it says nothing. */
  readonly plannedCutover: string | null;
  /** Seconds that DNS answers live after this phase. */
  readonly ttlSeconds: number;
  /** Who is assigned to what, such as `rollback`: principals of the pack's allowed signers. */
  readonly owners: Readonly<Record<string, string>>;
  /** The stack config by dotted key, as texts, without secrets: what documents are compared with. */
  readonly declared: Readonly<Record<string, string>>;
  /** Digest of the signed evidence and waivers, see contract/documents.ts. */
  readonly evidenceDigest: string;
  /** Digest of the system's checklist. */
  readonly checklistDigest: string;
  readonly covers: CoverFacts;
  readonly identity: IdentityFacts;
  /** Name of the legacy system's own database in Cloudflare D1; null when it has none. */
  readonly legacy: { readonly d1: string | null };
  /** What this run would replace or drop that must stay. */
  readonly replaced: readonly ReplacedFacts[];
  /** How much faster than the wall the clock runs; anything but 1 is refused outside a rehearsal. */
  readonly clockScale: number;
  /** SHA-256 of the parsed stack config without secrets: a changed config is a changed guard. */
  readonly configDigest: string;
}
