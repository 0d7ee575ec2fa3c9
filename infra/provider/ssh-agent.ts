import { spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex } from "node:stream";
import { sshUrlForm, sshVariables } from "./ssh.ts";

/**
 * Makes the agent that asks a Docker daemon over SSH, the way Docker's own client does: `ssh` runs
 * `docker system dial-stdio` on the host, which hands over to the daemon's socket. A host whose key is not known is
 * not asked, and nobody is asked for a password.
 *
 * @param url as `ssh://user@host:port`
 */
export function sshAgent(url: string): Agent {
  return new SshAgent(sshArguments(url, process.env));
}

/** The words after `ssh`. */
export function sshArguments(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const [, user = "", host = "", port = "22"] = sshUrlForm.exec(url) ?? [];
  const { [sshVariables.key]: key = "", [sshVariables.knownHosts]: knownHosts = "" } = env;
  return [
    "-T",
    ...["-o", "BatchMode=yes"],
    ...["-o", "StrictHostKeyChecking=yes"],
    ...["-o", "ConnectTimeout=20"],
    ...(key === "" ? [] : ["-i", key, "-o", "IdentitiesOnly=yes"]),
    ...(knownHosts === "" ? [] : ["-o", `UserKnownHostsFile="${knownHosts}"`]),
    ...["-p", port, "-l", user, "--", host],
    "docker system dial-stdio",
  ];
}

// The plugin's environment holds the secrets of the stack config: ssh gets what it needs.
const passedOn = ["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SSH_AUTH_SOCK", "USER"];
const saidLimit = 2000;

class SshAgent extends Agent {
  readonly #words: readonly string[];

  constructor(words: readonly string[]) {
    super();
    this.#words = words;
  }

  override createConnection(): Duplex {
    return overSsh(this.#words);
  }
}

function overSsh(words: readonly string[]): Duplex {
  const env = Object.fromEntries(passedOn.map((name) => [name, process.env[name]]));
  const child = spawn("ssh", words, { env, stdio: "pipe" });
  const stream = new Duplex({
    read: () => child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => child.stdin.write(chunk, done),
    final: (done) => child.stdin.end(done),
    destroy(error, done) {
      child.kill();
      done(error);
    },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-saidLimit);
  });
  child.stdout.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  // What it could not read any more is said by how it ends.
  child.stdin.on("error", () => undefined);
  child.on("error", (error) => stream.destroy(error));
  child.on("close", (code) => {
    if (code === 0) stream.push(null);
    else stream.destroy(new Error(reasonIn(said)));
  });
  return stream;
}

function reasonIn(said: string): string {
  const reason = said
    .split("\n")
    .map((line) => line.trim())
    .findLast((line) => line !== "");
  return `ssh ended before it was done: ${reason ?? "it said nothing"}`;
}
