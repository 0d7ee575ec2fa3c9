import { messageOf } from "./error-text.ts";
import { must } from "./host-files.ts";
import { get } from "./http-get.ts";
import { pause } from "./pause.ts";
import type { Host } from "./ssh.ts";

/** Where a unit answers, asked from here. */
export interface HealthPlace {
  readonly url: string;
  /** Connect to this address, whatever DNS says. */
  readonly address: string;
}

/** Whether a unit is well; if not, what was found. */
export type Finding =
  | { readonly isWell: true; readonly mainPid: number }
  | { readonly isWell: false; readonly found: string };

const pollMilliseconds = 500;
const attemptMilliseconds = 5000;

/**
 * Waits until systemd calls a unit active and its health path answers 200. One that answers nowhere must have been active
 * with the same process twice in a row.
 *
 * @throws when the host cannot be asked, and when the signal aborts
 */
export async function waitUntilWell(
  host: Host,
  unit: string,
  place: HealthPlace | undefined,
  seconds: number,
  signal: AbortSignal,
): Promise<Finding> {
  const began = performance.now();
  let last: Finding = { isWell: false, found: "nothing yet" };
  let settledPid = 0;
  for (;;) {
    const state = await stateOf(host, unit);
    const told = `systemd calls it ${state.active}, ${state.sub}`;
    if (state.active === "failed") {
      return { isWell: false, found: `${told}, result ${state.result}` };
    }
    if (state.active !== "active") {
      last = { isWell: false, found: `${told}, after ${state.restarts} restarts` };
      settledPid = 0;
    } else if (place === undefined) {
      if (state.mainPid !== 0 && state.mainPid === settledPid)
        return { isWell: true, mainPid: settledPid };
      settledPid = state.mainPid;
      last = { isWell: false, found: `${told}, but not for long` };
    } else {
      const answer = await ask(place, signal);
      if (answer === undefined) return { isWell: true, mainPid: state.mainPid };
      last = { isWell: false, found: `${answer}; ${told}` };
    }
    if (performance.now() - began >= seconds * 1000) return last;
    await pause(pollMilliseconds, signal);
  }
}

/** What is wrong with the answer of the health path; undefined when nothing is. */
async function ask(
  { url, address }: HealthPlace,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { status } = await get(new URL(url), address, attemptMilliseconds, signal);
    return status === 200 ? undefined : `status ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    return `no answer from ${address} (${messageOf(error)})`;
  }
}

interface State {
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  readonly mainPid: number;
  readonly restarts: string;
}

async function stateOf(host: Host, unit: string): Promise<State> {
  const names = ["ActiveState", "SubState", "Result", "MainPID", "NRestarts"];
  const { stdout } = await must(host, [
    "systemctl",
    "show",
    ...names.flatMap((name) => ["-p", name]),
    `${unit}.service`,
  ]);
  const values = new Map(
    stdout.split("\n").map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const said = (name: string): string => values.get(name) ?? "unknown";
  return {
    active: said("ActiveState"),
    sub: said("SubState"),
    result: said("Result"),
    mainPid: Number(values.get("MainPID") ?? 0),
    restarts: said("NRestarts"),
  };
}
