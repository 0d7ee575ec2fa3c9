import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { messageOf } from "../infra/provider/error-text.ts";
import { EngineError } from "../tools/engine/engine.ts";

/** Something went otherwise than it must: its message says what, and is shown without a stack. */
export class RehearsalError extends Error {}

/** The options that every command has. */
const common = {
  stack: { type: "string", default: "production" },
  help: { type: "boolean", default: false },
} as const satisfies ParseArgsOptionsConfig;

/**
 * Runs a command of the rehearsal and sets the exit code: 0 when the action ends well, 1 when it fails or is stopped by
 * Ctrl-C, 2 when the options are wrong.
 *
 * @param action told about Ctrl-C by its signal; it ends what it started and returns or throws
 */
export async function runCommand<const Options extends ParseArgsOptionsConfig>(
  help: string,
  options: Options,
  action: (values: Values<Options>, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  let values: Values<Options>;
  try {
    const parsed = parseArgs<{ options: ParseArgsOptionsConfig }>({
      options: { ...common, ...options },
    });
    values = parsed.values as Values<Options>;
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${help}`);
    process.exitCode = 2;
    return;
  }
  if (values.help) {
    console.log(help);
    return;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      stop.abort(new RehearsalError("Stopped. Everything that was started is ended."));
    });
  }
  try {
    await action(values, stop.signal);
  } catch (error) {
    const reason: unknown = stop.signal.aborted ? stop.signal.reason : error;
    const known = reason instanceof RehearsalError || reason instanceof EngineError;
    console.error(
      `\n${known || !(reason instanceof Error) ? messageOf(reason) : (reason.stack ?? "")}`,
    );
    process.exitCode = 1;
  }
}

type Values<Options extends ParseArgsOptionsConfig> = {
  readonly stack: string;
  readonly help: boolean;
} & {
  readonly [Name in keyof Options]: Options[Name]["type"] extends "boolean"
    ? boolean
    : string | undefined;
};
