import * as pulumi from "@pulumi/pulumi";
import type { ContainerArgs } from "@pulumi/docker/container.js";
import type { SubmittedDocument } from "../../policies/contract/documents.ts";
import { guardType, type GuardFacts } from "../../policies/contract/facts.ts";
import type { Seal } from "../../policies/contract/seal.ts";
import type { Readings } from "../../policies/contract/readings.ts";
import type { Connection } from "../databases/database.ts";
import type { FileMode } from "../services/render/rendered-file.ts";
import {
  announcementType,
  containerStateType,
  inPlaceServiceType,
  jobType,
  migrationType,
  probeType,
  releaseRecordType,
  systemdUnitType,
  testAlarmType,
  ttlShownType,
  writeFreezeType,
} from "../provider/type-tokens.ts";
import type { AnnouncementMoment } from "../announcement.ts";
import type { Ledger, LedgerEntry } from "./ledger.ts";

/** What a guard is told. */
export interface GuardArgs extends Partial<Evidence> {
  readonly facts: GuardFacts;
}

/** What the entry guard is told beside the facts. */
export interface Evidence {
  readonly documents: readonly SubmittedDocument[];
  /** They change from run to run, and that alone is no change of the guard. */
  readonly readings: Readings;
}

/** A guard: created and updated only with a seal of the policy pack that opens every required gate. */
export class Guard extends pulumi.CustomResource {
  /** Digest of the facts that were sealed: what the resources behind the guard compare themselves with. */
  declare readonly sealed: pulumi.Output<string>;
  declare readonly verdicts: pulumi.Output<Seal["verdicts"]>;
  declare readonly waivers: pulumi.Output<Seal["waivers"]>;

  constructor(name: string, args: GuardArgs, opts: pulumi.CustomResourceOptions) {
    super(
      guardType,
      name,
      { ...args, sealed: undefined, verdicts: undefined, waivers: undefined },
      opts,
    );
  }
}

/** What a write freeze, or its lift, is made from. */
export interface WriteFreezeArgs {
  readonly connection: Connection;
  readonly stack: string;
  readonly release: string;
  readonly writes: "frozen" | "open";
  /** Seconds that open writes get to finish. */
  readonly drainSeconds: number;
}

/** Freezes the writes of a database, or opens them again. */
export class WriteFreeze extends pulumi.CustomResource {
  /** Identifies this freeze: a later one of the same release has another token. */
  declare readonly token: pulumi.Output<string>;

  constructor(name: string, args: WriteFreezeArgs, opts: pulumi.CustomResourceOptions) {
    super(writeFreezeType, name, { ...args, token: undefined, since: undefined }, opts);
  }
}

/** What a migration run is made from. */
export interface MigrationArgs {
  readonly connection: Connection;
  readonly stack: string;
  readonly release: string;
  /** Absolute path of the folder with the SQL files. */
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}

/** Runs SQL files in order, each once. */
export class Migration extends pulumi.CustomResource {
  constructor(name: string, args: MigrationArgs, opts: pulumi.CustomResourceOptions) {
    super(migrationType, name, { ...args, applied: undefined }, opts);
  }
}

/** What a service that keeps its port is made from: the inputs of a container, and what it is a release of. */
export interface InPlaceServiceArgs extends ContainerArgs {
  readonly stack: string;
  readonly release: string;
  /** Address of the container daemon; the default one where it is undefined. */
  readonly host: pulumi.Input<string | undefined>;
}

/** A container that keeps its port: the new one takes the old one's place, or the old one comes back. */
export class InPlaceService extends pulumi.CustomResource {
  constructor(name: string, args: InPlaceServiceArgs, opts: pulumi.CustomResourceOptions) {
    super(inPlaceServiceType, name, { ...args, containerId: undefined }, opts);
  }
}

/** What a service under systemd is made from. */
export interface SystemdUnitArgs {
  readonly stack: string;
  readonly release: string;
  /** Name of the unit, without `.service`. */
  readonly name: string;
  /** As `ssh://user@host:port`. */
  readonly host: string;
  /** By their path on the host. */
  readonly files: Readonly<
    Record<string, { readonly text: pulumi.Input<string>; readonly mode: FileMode }>
  >;
  /** Paths that must be there already. */
  readonly required: readonly string[];
  /** Where it answers; undefined for one that answers nowhere. */
  readonly health: { readonly url: string; readonly address: string } | undefined;
  readonly healthSeconds: number;
  readonly graceSeconds: number;
}

/** A service under systemd that keeps its port: the new one takes the old one's place, or the old one comes back. */
export class SystemdUnit extends pulumi.CustomResource {
  constructor(name: string, args: SystemdUnitArgs, opts: pulumi.CustomResourceOptions) {
    super(systemdUnitType, name, { ...args, activeAt: undefined, mainPid: undefined }, opts);
  }
}

/** What a job is made from. */
export interface JobArgs {
  readonly stack: string;
  readonly release: string;
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly envs: readonly pulumi.Input<string>[];
  /** MiB. */
  readonly memory: number;
  readonly networks: readonly string[];
  readonly host: string | undefined;
  readonly deadlineSeconds: number;
}

/** A container that runs once for a release, and must exit with 0. */
export class Job extends pulumi.CustomResource {
  constructor(name: string, args: JobArgs, opts: pulumi.CustomResourceOptions) {
    super(jobType, name, { ...args, exitCode: undefined, finishedAt: undefined }, opts);
  }
}

/** What the state of a container is made from. */
export interface ContainerStateArgs {
  /** Name of a container that is there. */
  readonly container: string;
  readonly host: string | undefined;
  readonly state: "running" | "stopped";
  readonly graceSeconds: number;
}

/** Keeps a container running, or stopped. */
export class ContainerState extends pulumi.CustomResource {
  constructor(name: string, args: ContainerStateArgs, opts: pulumi.CustomResourceOptions) {
    super(containerStateType, name, { ...args }, opts);
  }
}

/** What a test of an alarm is made from. */
export interface TestAlarmArgs {
  readonly stack: string;
  readonly release: string;
  /** Name of the alarm. */
  readonly alarm: string;
  readonly deadlineSeconds: number;
}

/** Sets an alarm off once for a release, and waits until its receivers were told. */
export class TestAlarm extends pulumi.CustomResource {
  constructor(name: string, args: TestAlarmArgs, opts: pulumi.CustomResourceOptions) {
    super(testAlarmType, name, { ...args, firedAt: undefined }, opts);
  }
}

/** What the wait for a lowered TTL is made from. */
export interface TtlShownArgs {
  readonly stack: string;
  /** The zone of each name, by the name. */
  readonly names: Readonly<Record<string, string>>;
  /** As address:port. */
  readonly resolvers: readonly string[];
  /** The name servers in charge, as address:port; found in DNS where they are undefined. */
  readonly authorities: readonly string[] | undefined;
  /** What the records say now. */
  readonly ttlSeconds: number;
  /** What they said before. */
  readonly previousSeconds: number;
  readonly clockScale: number;
  /** Seconds of patience beyond what answers from before can live. */
  readonly probeSeconds: number;
}

/** Waits until every resolver shows the lowered TTL. */
export class TtlShown extends pulumi.CustomResource {
  /** ISO 8601. */
  declare readonly shownAt: pulumi.Output<string>;

  constructor(name: string, args: TtlShownArgs, opts: pulumi.CustomResourceOptions) {
    super(ttlShownType, name, { ...args, shownAt: undefined }, opts);
  }
}

/** What a probe is made from. */
export interface ProbeArgs {
  readonly stack: string;
  readonly release: string;
  readonly url: string;
  /** Connect to this address, whatever DNS says. */
  readonly address?: string;
  /** Ask these resolvers, as address:port. */
  readonly resolvers?: readonly string[];
  /** What every resolver must answer. */
  readonly expectAddress?: string;
  readonly expect: {
    readonly status?: number;
    readonly version?: string;
    readonly json?: Readonly<Record<string, string>>;
  };
  readonly deadlineSeconds: number;
}

/** Asks a service over HTTP until it answers as required, or fails at its deadline. */
export class Probe extends pulumi.CustomResource {
  /** The release that it was last asked for and that answered. */
  declare readonly release: pulumi.Output<string>;

  constructor(name: string, args: ProbeArgs, opts: pulumi.CustomResourceOptions) {
    super(probeType, name, { ...args, at: undefined }, opts);
  }
}

/** What an announcement is made from. */
export interface AnnouncementArgs {
  readonly stack: string;
  readonly release: string;
  readonly name: string;
  readonly on: AnnouncementMoment;
  readonly text: string;
  /** Where it is sent; a secret. */
  readonly url: pulumi.Output<string>;
  /** When the cutover is to begin, ISO 8601. */
  readonly plannedCutover?: string | undefined;
  /** When the newest release before this run went live, ISO 8601. */
  readonly lastLiveAt?: string | undefined;
  /** Seconds within which what it asks for is due. */
  readonly dueWithinSeconds?: number | undefined;
}

/** Sends a text to a webhook, which must answer. */
export class Announcement extends pulumi.CustomResource {
  constructor(name: string, args: AnnouncementArgs, opts: pulumi.CustomResourceOptions) {
    super(
      announcementType,
      name,
      { ...args, answeredAt: undefined, status: undefined, dueAt: undefined },
      opts,
    );
  }
}

/** The ledger: written last, and only when everything before it succeeded. */
export class ReleaseRecord extends pulumi.CustomResource {
  declare readonly ledger: pulumi.Output<Ledger>;

  constructor(
    name: string,
    args: { readonly entry: pulumi.Input<LedgerEntry> },
    opts: pulumi.CustomResourceOptions,
  ) {
    super(releaseRecordType, name, { ...args, ledger: undefined }, opts);
  }
}
