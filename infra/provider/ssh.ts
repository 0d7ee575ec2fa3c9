import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Client, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import { codeOf, messageOf } from "./error-text.ts";
import {
  algorithmsOf,
  fingerprint,
  judgeKey,
  knownName,
  linesOf,
  type KeyKnown,
} from "./known-hosts.ts";
import { RefusedError } from "./resource-type.ts";
import { execute, type Ran, type RunOptions } from "./ssh-exec.ts";

/** A host that is reached over SSH. */
export interface Host {
  /** As `user@host:port`. */
  readonly name: string;
  /**
   * Runs a command as root: through `sudo -n` where the user is another.
   *
   * @param argv the words of the command; nothing in them means anything to a shell
   * @throws Error when it does not end in time, or when the connection is lost
   */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** Where the keys come from: the process's environment, by the names of {@link sshVariables}. */
export type SshEnvironment = Readonly<Record<string, string | undefined>>;

/** The variables that say how to reach hosts. */
export const sshVariables = {
  /** A private key file without a passphrase. Without it the agent is asked. */
  key: "CUTOVER_SSH_KEY",
  /** Default: ~/.ssh/known_hosts. */
  knownHosts: "CUTOVER_KNOWN_HOSTS",
  agent: "SSH_AUTH_SOCK",
} as const;

/** An address of a host, as the stack config has it. */
export const sshUrlForm = /^ssh:\/\/([a-z_][\w-]*)@([\w.-]+)(?::(\d{1,5}))?$/;

const connectMilliseconds = 20_000;

/**
 * Connects to a host, hands it over, and hangs up.
 *
 * @param url as `ssh://user@host:port`
 * @param signal ends the connection, and the command under way with it
 * @throws RefusedError when there is no key to show, when the host's own key is not known, and when it lets nobody in
 */
export async function withHost<Result>(
  url: string,
  signal: AbortSignal,
  use: (host: Host) => Promise<Result>,
  env: SshEnvironment = process.env,
): Promise<Result> {
  const [, user = "", hostName = "", portText = "22"] = sshUrlForm.exec(url) ?? [];
  const target = { user, host: hostName, port: Number(portText) };
  const client = await connect(target, signal, env);
  const onAbort = (): void => void client.destroy();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await use({
      name: nameOf(target),
      run: (argv, options) =>
        execute(client, user === "root" ? argv : ["sudo", "-n", "--", ...argv], signal, options),
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
    client.end();
  }
}

interface Target {
  readonly user: string;
  readonly host: string;
  readonly port: number;
}

function nameOf({ user, host, port }: Target): string {
  return `${user}@${host}:${port}`;
}

async function connect(target: Target, signal: AbortSignal, env: SshEnvironment): Promise<Client> {
  signal.throwIfAborted();
  const { host, port, user } = target;
  const { file, text } = await readKnownHosts(env);
  const lines = linesOf(text, host, port);
  const algorithms = algorithmsOf(lines) as ServerHostKeyAlgorithm[];
  let judged: { readonly known: KeyKnown; readonly key: Buffer } | undefined;
  const config: ConnectConfig = {
    host,
    port,
    username: user,
    ...(await credentials(target, env)),
    readyTimeout: connectMilliseconds,
    keepaliveInterval: 10_000,
    // A server has several keys: it must show one that is known.
    ...(algorithms.length === 0 ? {} : { algorithms: { serverHostKey: algorithms } }),
    hostVerifier: (key: Buffer): boolean => {
      judged = { known: judgeKey(lines, key), key };
      return judged.known === "known";
    },
  };
  const { default: ssh } = await import("ssh2");
  const client = new ssh.Client();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      client.destroy();
      reject(signal.reason instanceof Error ? signal.reason : new Error("the run was stopped"));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    client.once("ready", () => {
      // A command is a few small packets each way: without it every one of them waits for the last one's receipt.
      client.setNoDelay(true);
      signal.removeEventListener("abort", onAbort);
      resolve(client);
    });
    // It stays: a connection that breaks later must not end the process.
    client.on("error", (error: Error & { readonly level?: string }) => {
      signal.removeEventListener("abort", onAbort);
      reject(
        new RefusedError(
          judged !== undefined && judged.known !== "known"
            ? strangerText(target, file, judged.known, judged.key)
            : failureText(target, error, env),
        ),
      );
    });
    try {
      client.connect(config);
    } catch (error) {
      reject(new RefusedError(failureText(target, error as Error, env)));
    }
  });
}

async function readKnownHosts(env: SshEnvironment): Promise<{ file: string; text: string }> {
  const file = env[sshVariables.knownHosts] ?? join(homedir(), ".ssh", "known_hosts");
  try {
    return { file, text: await readFile(file, "utf8") };
  } catch (error) {
    // Without the file no host is known, and that is said of the host.
    if (codeOf(error) === "ENOENT") return { file, text: "" };
    throw unreadable(sshVariables.knownHosts, file, error);
  }
}

async function credentials(
  target: Target,
  env: SshEnvironment,
): Promise<Pick<ConnectConfig, "privateKey" | "agent">> {
  const file = env[sshVariables.key];
  if (file !== undefined && file !== "") {
    try {
      return { privateKey: await readFile(file) };
    } catch (error) {
      throw unreadable(sshVariables.key, file, error);
    }
  }
  const agent = env[sshVariables.agent];
  if (agent !== undefined && agent !== "") return { agent };
  throw new RefusedError(
    [
      `${nameOf(target)} cannot be asked to let anybody in.`,
      `found:    neither ${sshVariables.key} nor ${sshVariables.agent}`,
      "required: a key that the host knows",
      `to do:    eval "$(ssh-agent)" && ssh-add, or export ${sshVariables.key}=<key file>`,
    ].join("\n"),
  );
}

function unreadable(name: string, file: string, error: unknown): RefusedError {
  return new RefusedError(
    [
      `${name} cannot be read.`,
      `found:    ${file} (${codeOf(error) ?? messageOf(error)})`,
      "required: a file that may be read",
      `to do:    export ${name}=<file>`,
    ].join("\n"),
  );
}

function strangerText(target: Target, file: string, known: KeyKnown, key: Buffer): string {
  const { host, port } = target;
  const found = `${fingerprint(key)}, which is ${known}`;
  return [
    `${nameOf(target)} may be another machine. Nothing was sent to it.`,
    `found:    its key ${found}`,
    `required: the key of ${knownName(host, port)} in ${file}`,
    ...(known === "unknown"
      ? [
          `to do:    ssh-keyscan -p ${port} ${host} >> ${file}`,
          "          and compare the fingerprint with the one that the machine itself shows",
        ]
      : [
          "to do:    find out why; when the machine was made anew,",
          `          ssh-keygen -R '${knownName(host, port)}' -f ${file}`,
        ]),
  ].join("\n");
}

function failureText(
  target: Target,
  error: Error & { readonly level?: string },
  env: SshEnvironment,
): string {
  const file = env[sshVariables.key];
  const how = file === undefined || file === "" ? "the keys of the agent" : `the key ${file}`;
  const isDenied = error.level === "client-authentication";
  const found = error.message === "" ? (codeOf(error) ?? "no connection") : error.message;
  return [
    `${nameOf(target)} cannot be reached over SSH.`,
    `found:    ${found}`,
    `required: ${isDenied ? `that it lets ${target.user} in with ${how}` : "an SSH server that answers"}`,
    `to do:    ssh -p ${target.port} ${target.user}@${target.host} true`,
  ].join("\n");
}
