import pg from "pg";
import type { Ledger } from "../../infra/release/ledger.ts";
import { clockScale } from "../../rehearsal/clock.ts";
import type { Cloud } from "../../rehearsal/cloud.ts";
import { lookup } from "../../rehearsal/lookup.ts";
import { follow, pulumi, type RunResult } from "../../rehearsal/pulumi.ts";
import {
  answersRunOut,
  connectionOf,
  ledgerIn,
  setConfig,
  stateOf,
  unexpected,
  withPack,
  type StateResource,
} from "../../rehearsal/stack.ts";
import { openPlace, type Workspace } from "../../rehearsal/workspace.ts";
import { ensureEngine } from "../../tools/engine/engine.ts";

export { told, withPack } from "../../rehearsal/stack.ts";

/** A stack of the flagship on stand-ins of its own, driven through the real CLI. */
export interface TestStack {
  readonly cloud: Cloud;
  readonly workspace: Workspace;
  /** Sets config keys of the namespace `cutover`, by their dotted path. */
  set(values: Readonly<Record<string, string>>): Promise<void>;
  /** Runs a command of the CLI that prints plain text. */
  run(...args: string[]): Promise<RunResult>;
  up(...args: string[]): Promise<RunResult>;
  preview(...args: string[]): Promise<RunResult>;
  /** Takes the stack through phases of a release; each must succeed. Waits where DNS answers must run out. */
  through(release: string, ...phases: string[]): Promise<void>;
  /** What the authoritative name server answers for the system's host. */
  dnsAnswer(): Promise<string>;
  /** What the web of a target answers to `/healthz`; null when nobody answers. */
  health(target: "legacy" | "blue" | "green"): Promise<Health | null>;
  /** The resources of the state by URN, without what changes by itself. */
  state(): Promise<readonly Required<StateResource>[]>;
  /** How to reach the database as its master user. */
  connection(): Promise<pg.ClientConfig>;
  /** What the stack's ledger says; undefined before the first run finished. */
  ledger(): Promise<Ledger | undefined>;
  /** Whether new sessions of the database are read-only: `on` or `off`. */
  writesFrozen(): Promise<string | undefined>;
  /** Runs SQL as the master user. */
  sql<T extends object>(text: string): Promise<T[]>;
  close(): Promise<void>;
}

/** What a service says of itself. */
export interface Health {
  readonly version: string;
  readonly slot: string;
}

/** The host that the flagship's production stack answers under. */
export const host = "app.example.com";

/** Starts stand-ins and a stack; nothing is deployed yet. */
export async function startStack(): Promise<TestStack> {
  const { cloud, workspace, close } = await openPlace(
    await ensureEngine(),
    "production",
    "cutover-test-",
  );
  let known: pg.ClientConfig | undefined;

  const stack: TestStack = {
    cloud,
    workspace,
    close,
    set: (values) => setConfig(workspace, values),
    run: (...args) => pulumi(workspace, args),
    up: (...args) => follow(workspace, "up", args),
    preview: (...args) => follow(workspace, "preview", args),
    async through(release, ...phases) {
      for (const phase of phases) {
        await stack.set({ release, phase });
        if (phase === "cutover") await answersRunOut(workspace, clockScale);
        const result = await stack.up(...withPack);
        if (result.exitCode !== 0) throw unexpected(`${phase} ${release}`, "to succeed", result);
      }
    },
    async dnsAnswer() {
      const answer = await lookup(host, cloud.nameServer);
      return answer.addresses.map(({ address }) => address).join();
    },
    async health(target) {
      const { port, [target]: address } = cloud.network;
      try {
        const response = await fetch(`http://${address}:${port}/healthz`);
        return (await response.json()) as Health;
      } catch {
        return null;
      }
    },
    async state() {
      return (await stateOf(workspace, ["--show-secrets"]))
        .filter(
          ({ type }) => type !== "pulumi:pulumi:Stack" && !type.startsWith("pulumi:providers:"),
        )
        .map(({ urn, type, inputs, outputs }) => ({ urn, type, inputs, outputs: outputs ?? {} }))
        .sort((a, b) => a.urn.localeCompare(b.urn));
    },
    async ledger() {
      return ledgerIn(await stateOf(workspace));
    },
    connection: () => connectionOf(workspace),
    async sql<Row extends object>(text: string) {
      known ??= await connectionOf(workspace);
      const client = new pg.Client(known);
      await client.connect();
      try {
        return (await client.query<Row>(text)).rows;
      } finally {
        await client.end();
      }
    },
    async writesFrozen() {
      const [row] = await stack.sql<{ default_transaction_read_only: string }>(
        "SHOW default_transaction_read_only",
      );
      return row?.default_transaction_read_only;
    },
  };
  return stack;
}
