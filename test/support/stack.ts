import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Ledger } from "../../infra/release/ledger.ts";
import { clockScale } from "../../rehearsal/clock.ts";
import { startCloud, type Cloud } from "../../rehearsal/cloud.ts";
import { lookup } from "../../rehearsal/lookup.ts";
import { follow, pulumi, type RunResult } from "../../rehearsal/pulumi.ts";
import { createWorkspace, makeHome, type Workspace } from "../../rehearsal/workspace.ts";
import { ensureEngine } from "../../tools/engine/engine.ts";

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
  state(): Promise<readonly StateResource[]>;
  /** How to reach the database as its master user. */
  connection(): Promise<pg.ClientConfig>;
  /** Runs SQL as the master user. */
  sql<T extends object>(text: string): Promise<T[]>;
  close(): Promise<void>;
}

/** What a service says of itself. */
export interface Health {
  readonly version: string;
  readonly slot: string;
}

/** A resource of the state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs: unknown;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** The arguments that attach the pack. */
export const withPack = ["--policy-pack", "policies"];

/** The host that the flagship's production stack answers under. */
export const host = "app.example.com";

/** Starts stand-ins and a stack; nothing is deployed yet. */
export async function startStack(): Promise<TestStack> {
  const engine = await ensureEngine();
  const home = await makeHome("cutover-test-");
  const cloud = await startCloud({ folder: join(home, "cloud"), clockScale });
  const workspace = await createWorkspace({
    engine,
    cloud,
    stack: "production",
    clockScale,
    folder: join(home, "workspace"),
  });
  return new Driven(home, cloud, workspace);
}

class Driven implements TestStack {
  readonly #home: string;
  readonly cloud: Cloud;
  readonly workspace: Workspace;
  #password: string | undefined;
  #connection: pg.ClientConfig | undefined;

  constructor(home: string, cloud: Cloud, workspace: Workspace) {
    this.#home = home;
    this.cloud = cloud;
    this.workspace = workspace;
  }

  async set(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(values)) {
      await this.#must("config", "set", "--path", `cutover:${name}`, value);
    }
  }

  run(...args: string[]): Promise<RunResult> {
    return pulumi(this.workspace, args);
  }

  up(...args: string[]): Promise<RunResult> {
    return follow(this.workspace, "up", args);
  }

  preview(...args: string[]): Promise<RunResult> {
    return follow(this.workspace, "preview", args);
  }

  async through(release: string, ...phases: string[]): Promise<void> {
    for (const phase of phases) {
      await this.set({ release, phase });
      if (phase === "cutover") await this.#answersRunOut();
      const result = await this.up(...withPack);
      if (result.exitCode !== 0) throw new Error(`${phase} ${release} failed:\n${told(result)}`);
    }
  }

  async dnsAnswer(): Promise<string> {
    const answer = await lookup(host, this.cloud.nameServer);
    return answer.addresses.map(({ address }) => address).join();
  }

  async health(target: "legacy" | "blue" | "green"): Promise<Health | null> {
    const { port, [target]: address } = this.cloud.network;
    try {
      const response = await fetch(`http://${address}:${port}/healthz`);
      return (await response.json()) as Health;
    } catch {
      return null;
    }
  }

  async state(): Promise<readonly StateResource[]> {
    // In clear, because a secret is encrypted anew at every write and would look changed.
    const { output } = await this.#must("stack", "export", "--show-secrets");
    const { deployment } = JSON.parse(output) as { deployment: { resources?: StateResource[] } };
    return (deployment.resources ?? [])
      .filter(({ type }) => type !== "pulumi:pulumi:Stack" && !type.startsWith("pulumi:providers:"))
      .map(({ urn, type, inputs, outputs }) => ({ urn, type, inputs, outputs }))
      .sort((a, b) => a.urn.localeCompare(b.urn));
  }

  async connection(): Promise<pg.ClientConfig> {
    const instance = (await this.state()).find(({ type }) => type === "aws:rds/instance:Instance");
    const { address, port, dbName, username } = instance?.outputs ?? {};
    this.#password ??= (await this.#must("config", "get", "databasePassword")).output.trim();
    return {
      host: String(address),
      port: Number(port),
      database: String(dbName),
      user: String(username),
      password: this.#password,
    };
  }

  async sql<T extends object>(text: string): Promise<T[]> {
    this.#connection ??= await this.connection();
    const client = new pg.Client(this.#connection);
    await client.connect();
    try {
      return (await client.query<T>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async close(): Promise<void> {
    await this.cloud.close();
    await rm(this.#home, { recursive: true, force: true });
  }

  async #must(...args: string[]): Promise<RunResult> {
    const result = await this.run(...args);
    if (result.exitCode !== 0) throw new Error(`pulumi ${args.join(" ")}:\n${told(result)}`);
    return result;
  }

  /** Until every answer that was given with the old TTL has run out, by the ledger's own time stamp. */
  async #answersRunOut(): Promise<void> {
    const record = (await this.state()).find(({ type }) => type === "cutover:index:ReleaseRecord");
    if (record === undefined) throw new Error("Nothing was recorded yet.");
    const { ttl } = (record.outputs["ledger"] as Ledger).now;
    if (ttl === null) throw new Error("No TTL was recorded yet.");
    const due = Date.parse(ttl.changedAt) + (ttl.previousSeconds * 1000) / clockScale;
    while (Date.now() < due) await sleep(due - Date.now() + 1);
  }
}

/** Everything that a run said, for a test that did not expect it. */
export function told(result: RunResult): string {
  return [
    `exit code ${result.exitCode}`,
    ...result.violations.map(
      (violation) => `${violation.gate} on ${violation.resource}: ${violation.message}`,
    ),
    ...result.errors,
    result.output,
  ].join("\n");
}
