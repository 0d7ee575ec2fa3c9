import { setTimeout as sleep } from "node:timers/promises";
import type { ClientConfig } from "pg";
import { releaseRecordType } from "../infra/provider/type-tokens.ts";
import type { Ledger } from "../infra/release/ledger.ts";
import { RehearsalError } from "./command.ts";
import type { Workspace } from "./workspace.ts";
import { pulumi, type RunResult, type Workplace } from "./pulumi.ts";

/** A resource of a stack's state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: unknown;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** The arguments that attach the pack. */
export const withPack = ["--policy-pack", "policies"];

/**
 * Runs a command of the CLI that prints plain text, and returns what it printed.
 *
 * @throws RehearsalError when it fails
 */
export async function must(
  place: Workplace,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const result = await pulumi(place, args, signal === undefined ? {} : { signal });
  if (result.exitCode === 0) return result.output;
  throw unexpected(`pulumi ${args.join(" ")}`, "to succeed", result);
}

/** Sets config keys of the namespace `cutover`, by their dotted path. */
export async function setConfig(
  place: Workplace,
  values: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    await must(place, ["config", "set", "--path", `cutover:${name}`, value], signal);
  }
}

/** The resources of the state. Secrets are encrypted anew at every write; `--show-secrets` gives them in clear. */
export async function stateOf(
  place: Workplace,
  args: readonly string[] = [],
): Promise<readonly StateResource[]> {
  const output = await must(place, ["stack", "export", ...args]);
  const { deployment } = JSON.parse(output) as { deployment: { resources?: StateResource[] } };
  return deployment.resources ?? [];
}

/** What the stack's ledger says; undefined before the first run finished. */
export function ledgerIn(state: readonly StateResource[]): Ledger | undefined {
  const record = state.find(({ type }) => type === releaseRecordType);
  return record?.outputs?.["ledger"] as Ledger | undefined;
}

/** How to reach the database as its master user. The password is read from the stack's config and goes nowhere else. */
export async function connectionOf(
  place: Workplace & Pick<Workspace, "configured">,
): Promise<ClientConfig> {
  const password = (await must(place, ["config", "get", "databasePassword"])).trim();
  const {
    kind,
    address: host,
    port: at,
    name,
    username: role,
  } = place.configured(["cutover:database"]) as Record<string, unknown>;
  if (kind === "container") {
    const own = {
      host: String(host),
      port: Number(at),
      database: String(name),
      user: String(role),
    };
    return { ...own, password };
  }
  const instance = (await stateOf(place)).find(({ type }) => type === "aws:rds/instance:Instance");
  const { address, port, dbName, username } = instance?.outputs ?? {};
  return {
    host: String(address),
    port: Number(port),
    database: String(dbName),
    user: String(username),
    password,
    ssl: { rejectUnauthorized: false },
  };
}

/** Waits until every answer that was given with the old TTL has run out, by the ledger's own time stamp. */
export async function answersRunOut(
  place: Workplace,
  clockScale: number,
  signal?: AbortSignal,
): Promise<void> {
  const ttl = ledgerIn(await stateOf(place))?.now.ttl;
  if (ttl === undefined || ttl === null) throw new RehearsalError("No TTL was recorded yet.");
  const due = Date.parse(ttl.changedAt) + (ttl.previousSeconds * 1000) / clockScale;
  while (Date.now() < due) {
    await sleep(due - Date.now() + 1, undefined, signal === undefined ? {} : { signal });
  }
}

/** The error of a run that ended otherwise than it must, with everything that the run said. */
export function unexpected(what: string, required: string, result: RunResult): RehearsalError {
  return new RehearsalError(`Expected ${what} ${required}.\n\n${told(result)}`);
}

/** Everything that a run said. */
export function told({ exitCode, violations, errors, output }: RunResult): string {
  // Advice about the next phase would hide why this one is closed.
  const mandatory = violations.filter(({ level }) => level === "mandatory");
  const closed = (mandatory.length > 0 ? mandatory : violations).map(
    ({ gate, resource, message }) => `${gate} (${resource}): ${message}`,
  );
  const said = [...closed, ...errors.filter((error) => error !== output), output.slice(-20_000)];
  return [`It ended with ${exitCode}.`, ...said.filter((text) => text !== "")].join("\n\n");
}
