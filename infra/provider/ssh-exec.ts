import type { Client, ClientChannel } from "ssh2";

/** What a command on a host did. */
export interface Ran {
  /** 128 and above when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run. */
export interface RunOptions {
  /** What it reads. */
  readonly input?: string;
  /** How long it may take. Default 30. */
  readonly deadlineSeconds?: number;
}

/** A command line of these words, in which a shell finds nothing but the words. */
export function commandLine(argv: readonly string[]): string {
  return argv
    .map((text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}

const keptBytes = 256 * 1024;

/**
 * Runs a command over a connection.
 *
 * @throws Error when it does not end in time, or when the connection is lost
 */
export function execute(
  client: Client,
  argv: readonly string[],
  signal: AbortSignal,
  { input = "", deadlineSeconds = 30 }: RunOptions = {},
): Promise<Ran> {
  // The first word that says what is done; arguments may be long.
  const what = argv.slice(0, 6).join(" ");
  return new Promise((resolve, reject) => {
    let channel: ClientChannel | undefined;
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      client.off("close", onLost);
      end();
    };
    const fail = (message: string): void => {
      settle(() => {
        channel?.close();
        reject(new Error(message));
      });
    };
    const onLost = (): void => {
      fail(`the connection was lost while it ran ${what}`);
    };
    const onAbort = (): void => {
      settle(() => {
        reject(signal.reason instanceof Error ? signal.reason : new Error("the run was stopped"));
      });
    };
    const timer = setTimeout(() => {
      fail(`${what} did not end within ${deadlineSeconds} s`);
    }, deadlineSeconds * 1000);
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    client.once("close", onLost);
    client.exec(commandLine(argv), (error, opened) => {
      if (error !== undefined) {
        fail(`${what} cannot be run: ${error.message}`);
        return;
      }
      channel = opened;
      let code = 255;
      const stdout = collect(opened);
      const stderr = collect(opened.stderr);
      opened.once("exit", (ended: number | null) => {
        code = ended ?? 128;
      });
      opened.once("close", () => {
        settle(() => {
          resolve({ code, stdout: stdout(), stderr: stderr() });
        });
      });
      opened.end(input);
    });
  });
}

/** Takes what a stream says, up to a bound. */
function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    if (size < keptBytes) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).subarray(0, keptBytes).toString("utf8");
}
