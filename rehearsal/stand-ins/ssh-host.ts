import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import ssh, { type AuthContext, type Connection, type Server, type Session } from "ssh2";
import { runLine } from "./host/commands.ts";
import { openSystemd, type RunUnit, type Systemd } from "./host/systemd.ts";
import { openTree, type HostTree } from "./host/tree.ts";
import { openStore } from "./store.ts";

/** How a host is started. */
export interface SshHostOptions {
  /** Where its files, its keys and what it remembers are kept. Started again there, it is the same host. */
  readonly folder: string;
  readonly address: string;
  /** TCP port of its SSH server; 0 for a free one. */
  readonly port: number;
  /** Who may log in. Only root does anything without `sudo`. */
  readonly user: string;
  readonly runUnit: RunUnit;
}

/** A host of the rehearsal: a real SSH server, files in a folder, and what the rehearsal needs of systemd. */
export interface SshHost {
  /** As the stack config's `hosts` has it: `ssh://user@address:port`. */
  readonly url: string;
  /** What makes a client use the rehearsal's key and know this host: `CUTOVER_SSH_KEY` and `CUTOVER_KNOWN_HOSTS`. */
  readonly env: Readonly<Record<"CUTOVER_SSH_KEY" | "CUTOVER_KNOWN_HOSTS", string>>;
  readonly tree: HostTree;
  readonly systemd: Systemd;
  /** Every command line that was run, oldest first. */
  readonly commands: readonly string[];
  /** Puts folders and programs there, which somebody else installs on a real host: one that is under `bin` is a file. */
  provide(paths: readonly string[]): void;
  /** Loses every connection when this many more commands have run, once. */
  dropAfter(commands: number): void;
  close(): Promise<void>;
}

/** Starts a host. What was enabled runs again. */
export async function startSshHost(options: SshHostOptions): Promise<SshHost> {
  const { folder, address, user } = options;
  mkdirSync(folder, { recursive: true });
  const tree = openTree(join(folder, "files"));
  for (const path of ["/etc/systemd/system", "/usr/local/libexec"]) tree.makeFolder(path);
  const store = openStore(join(folder, "memory"));
  const systemd = openSystemd(tree, store, options.runUnit);
  const hostKey = await keyIn(folder, "host_ed25519");
  const clientKey = await keyIn(folder, "id_ed25519");
  const commands: string[] = [];
  const connections = new Set<Connection>();
  let left = Number.POSITIVE_INFINITY;
  const server: Server = new ssh.Server({ hostKeys: [hostKey.private] }, (client) => {
    connections.add(client);
    // The types of ssh2 leave it out.
    (client as Connection & { setNoDelay(isOn: boolean): void }).setNoDelay(true);
    client.on("close", () => connections.delete(client));
    // A client that goes without a word is nothing to end the rehearsal for.
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      authenticate(context, user, clientKey.public);
    });
    client.on("session", (accept) => {
      serve(accept(), (line, input) => {
        if (left === 0) {
          left = Number.POSITIVE_INFINITY;
          client.end();
          return new Promise(() => undefined);
        }
        left -= 1;
        commands.push(line);
        return runLine(line, user, { tree, systemd, input });
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, address, resolve);
  });
  const { port } = server.address() as { port: number };
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(
    knownHosts,
    `[${address}]:${port} ${hostKey.public}\n${address} ${hostKey.public}\n`,
  );
  await systemd.boot();
  return {
    url: `ssh://${user}@${address}:${port}`,
    env: { CUTOVER_SSH_KEY: join(folder, "id_ed25519"), CUTOVER_KNOWN_HOSTS: knownHosts },
    tree,
    systemd,
    commands,
    provide(paths) {
      for (const path of paths) {
        const at = path.lastIndexOf("/");
        const isProgram = path.slice(0, at).endsWith("/bin");
        tree.makeFolder(isProgram ? path.slice(0, at) : path);
        if (isProgram) tree.create(path, 0o755);
      }
    },
    dropAfter(count) {
      left = count;
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      for (const client of connections) client.end();
      await systemd.close();
      await closed;
    },
  };
}

/** Runs each command of a session: no shell, no terminal, no files. */
function serve(
  session: Session,
  run: (line: string, input: Buffer) => ReturnType<typeof runLine>,
): void {
  session.on("exec", (accept, _reject, { command }) => {
    const channel = accept();
    const chunks: Buffer[] = [];
    channel.on("data", (chunk: Buffer) => chunks.push(chunk));
    channel.on("end", () => {
      run(command, Buffer.concat(chunks)).then(
        ({ code, stdout, stderr }) => {
          channel.write(stdout);
          channel.stderr.write(stderr);
          channel.exit(code);
          channel.end();
        },
        (error: unknown) => {
          channel.stderr.write(`the stand-in failed: ${String(error)}\n`);
          channel.exit(70);
          channel.end();
        },
      );
    });
  });
}

/** Lets in whoever has the rehearsal's key, under the one name. */
function authenticate(context: AuthContext, user: string, line: string): void {
  const key = ssh.utils.parseKey(line);
  if (context.method !== "publickey" || context.username !== user || key instanceof Error) {
    context.reject(["publickey"]);
    return;
  }
  const isOurs = context.key.data.equals(key.getPublicSSH());
  const { blob, signature, hashAlgo } = context;
  const isAsking = blob === undefined || signature === undefined;
  // What cannot be verified comes back as an Error, whatever the types of ssh2 say.
  const verified: unknown = isAsking || key.verify(blob, signature, hashAlgo);
  if (isOurs && verified === true) context.accept();
  else context.reject(["publickey"]);
}

/** A key pair that is made once and kept. */
async function keyIn(folder: string, name: string): Promise<{ private: string; public: string }> {
  const file = join(folder, name);
  // Not by ssh2: of a thousand Ed25519 keys that it made, it could not read two itself.
  if (!existsSync(file))
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file]);
  return {
    private: readFileSync(file, "utf8"),
    public: readFileSync(`${file}.pub`, "utf8").trim(),
  };
}
