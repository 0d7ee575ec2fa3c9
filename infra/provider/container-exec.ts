import type { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type Dockerode from "dockerode";
import { reasonOf } from "./container-host.ts";
import { pause } from "./pause.ts";
import { RefusedError } from "./resource-type.ts";

/** A container that runs, and where its host is, for messages. */
export interface Inside {
  readonly container: Dockerode.Container;
  readonly host?: string | null | undefined;
}

/** A program that is run inside of a container. */
export interface Program {
  readonly command: readonly string[];
  /** Lines `NAME=value`. Secrets belong here: whoever lists processes sees the command. */
  readonly env: readonly string[];
  /** What it reads; nothing when it is absent. */
  readonly input?: Readable;
  /** Told what it writes, piece by piece; the next piece waits for it. */
  readonly onOutput: (piece: Buffer) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Runs a program inside of a container that runs, as `docker exec` does.
 *
 * @throws RefusedError with the end of what it said when it does not exit with 0
 */
export async function runInside(inside: Inside, program: Program): Promise<void> {
  const { command, env, input, onOutput, signal } = program;
  const exec = await asked(
    inside,
    signal,
    inside.container.exec({
      Cmd: [...command],
      Env: [...env],
      AttachStdin: input !== undefined,
      AttachStdout: true,
      AttachStderr: true,
      abortSignal: signal,
    }),
  );
  const streams = input === undefined ? {} : { hijack: true, stdin: true };
  const stream = await asked(inside, signal, exec.start({ ...streams, abortSignal: signal }));
  const onAbort = (): void => {
    stream.destroy();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  let said = "";
  try {
    // A program that ends before it has read all of it says why itself.
    const fed = input === undefined ? undefined : pipeline(input, stream).catch(() => undefined);
    for await (const { kind, piece } of frames(stream)) {
      if (kind === "output") await onOutput(piece);
      else said = `${said}${piece.toString()}`.slice(-saidLimit);
    }
    await fed;
    signal.throwIfAborted();
    const exitCode = await asked(inside, signal, exitCodeOf(exec, signal));
    if (exitCode === 0) return;
    throw new RefusedError(
      `${String(command[0])} ended with ${String(exitCode)}: ${reasonIn(said)}`,
    );
  } catch (error) {
    // What an abort cuts off fails with a lost connection, which is not why it failed.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    stream.destroy();
  }
}

/**
 * What a container host answers.
 *
 * @throws RefusedError in the host's words when it refuses, or cannot be asked
 */
export async function asked<Answer>(
  { host }: Pick<Inside, "host">,
  signal: AbortSignal,
  answer: Promise<Answer>,
): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    signal.throwIfAborted();
    throw new RefusedError(reasonOf(host, error), { cause: error });
  }
}

const saidLimit = 10_000;
const pollMilliseconds = 50;
const headerBytes = 8;

/** What PostgreSQL's programs say first of a failure; the lines behind it (DETAIL, CONTEXT) quote rows. */
function reasonIn(said: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const reason = lines.find((line) => /\b(error|fatal):/i.test(line)) ?? lines.at(-1);
  return reason === undefined ? "it said nothing" : reason.slice(0, 300);
}

interface Frame {
  readonly kind: "output" | "error";
  readonly piece: Buffer;
}

/**
 * Takes both streams of a program apart, which come in one: a header of eight bytes, whose first says which stream and
 * whose last four how many bytes follow. https://docs.docker.com/reference/api/engine/ (attach, stream format). The
 * client library's own way does not wait for who takes the pieces.
 */
async function* frames(stream: Duplex): AsyncGenerator<Frame> {
  let held: Buffer = Buffer.alloc(0);
  let kind: Frame["kind"] = "output";
  let left = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (;;) {
      if (left === 0) {
        if (held.length < headerBytes) break;
        kind = held[0] === 2 ? "error" : "output";
        left = held.readUInt32BE(4);
        held = held.subarray(headerBytes);
      }
      if (held.length === 0) break;
      const piece = held.subarray(0, left);
      held = held.subarray(piece.length);
      left -= piece.length;
      if (piece.length > 0) yield { kind, piece };
    }
  }
  if (left > 0 || held.length > 0) {
    throw new RefusedError("the connection to the container host broke off in the middle");
  }
}

/** The streams may end a moment before the container host knows that the program has. */
async function exitCodeOf(exec: Dockerode.Exec, signal: AbortSignal): Promise<number> {
  for (;;) {
    const { Running, ExitCode } = await exec.inspect({ abortSignal: signal });
    if (!Running && ExitCode !== null) return ExitCode;
    await pause(pollMilliseconds, signal);
  }
}
