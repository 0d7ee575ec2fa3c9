import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { withHost, type Host } from "../../../infra/provider/ssh.ts";
import { commandLine } from "../../../infra/provider/ssh-exec.ts";
import { freePort, startTestHost } from "../../support/ssh-host.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const patient = new AbortController().signal;

function temporary(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "cutover-ssh-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
}

/** The file of a key that no host knows. */
function strangersKey(): string {
  const file = `${temporary("unused", "")}-key`;
  execaSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  return file;
}

function refused(url: string): Promise<unknown> {
  return withHost(url, patient, (host) => host.run(["test", "-e", "/etc"])).catch(
    (error: unknown) => error,
  );
}

describe("a command", () => {
  test("runs through sudo for a user who is not root, and says how it ended", async () => {
    const host = await startTestHost("deploy");
    const run = (argv: string[]) => withHost(host.url, patient, (there: Host) => there.run(argv));
    expect(await run(["test", "-e", "/etc/systemd/system"])).toMatchObject({ code: 0 });
    expect(await run(["test", "-e", "/none"])).toMatchObject({ code: 1 });
    expect(await run(["cat", "/none"])).toMatchObject({
      code: 1,
      stderr: "cat: /none: No such file or directory\n",
    });
    expect(host.commands[0]).toBe("sudo -n -- test -e /etc/systemd/system");
  });

  test("runs as it is for root", async () => {
    const host = await startTestHost("root");
    await withHost(host.url, patient, (there) => there.run(["test", "-e", "/etc"]));
    expect(host.commands).toEqual(["test -e /etc"]);
  });

  test("cannot end the run with a word that means something to a shell", () => {
    expect(commandLine(["cat", "/a b; rm -rf $HOME", "it's", ""])).toBe(
      `cat '/a b; rm -rf $HOME' 'it'\\''s' ''`,
    );
  });

  test("stops with the run", async () => {
    const host = await startTestHost();
    const stopped = new AbortController();
    const reason = new Error("the run was cancelled");
    await expect(
      withHost(host.url, stopped.signal, async (there) => {
        const running = there.run(["systemctl", "is-active", "x.service"]);
        stopped.abort(reason);
        return running;
      }),
    ).rejects.toThrow(reason);
    await expect(withHost(host.url, stopped.signal, () => Promise.resolve(1))).rejects.toThrow(
      reason,
    );
  });
});

describe("a host is refused", () => {
  test("whose key nobody knows, with the command that fetches it", async () => {
    const host = await startTestHost();
    vi.stubEnv("CUTOVER_KNOWN_HOSTS", temporary("known_hosts", ""));
    const error = await refused(host.url);
    expect(error).toMatchObject({ name: "RefusedError" });
    const { message } = error as Error;
    expect(message).toMatch(/SHA256:[\w+/]{43}, which is unknown/);
    expect(message).toMatch(/ssh-keyscan -p \d+ 127\.0\.0\.1 >> \S+known_hosts/);
    expect(host.commands).toEqual([]);
  });

  test("when there is no file of known hosts at all", async () => {
    const host = await startTestHost();
    vi.stubEnv("CUTOVER_KNOWN_HOSTS", "/nowhere/known_hosts");
    expect(String(await refused(host.url))).toContain("unknown");
  });

  test("whose key is another one than before", async () => {
    const host = await startTestHost();
    const { port } = new URL(host.url);
    const key = readFileSync(`${strangersKey()}.pub`, "utf8");
    vi.stubEnv("CUTOVER_KNOWN_HOSTS", temporary("known_hosts", `[127.0.0.1]:${port} ${key}`));
    const message = String(await refused(host.url));
    expect(message).toContain("which is changed");
    expect(message).toContain(`ssh-keygen -R '[127.0.0.1]:${port}'`);
  });

  test("that does not let this key in", async () => {
    const host = await startTestHost();
    vi.stubEnv("CUTOVER_SSH_KEY", strangersKey());
    const message = String(await refused(host.url));
    expect(message).toContain("All configured authentication methods failed");
    expect(message).toContain("that it lets deploy in with the key");
  });

  test("as another user", async () => {
    const host = await startTestHost();
    expect(String(await refused(host.url.replace("deploy@", "root@")))).toContain("lets root in");
  });

  test("without any key, with what to export", async () => {
    const host = await startTestHost();
    vi.stubEnv("CUTOVER_SSH_KEY", undefined);
    vi.stubEnv("SSH_AUTH_SOCK", undefined);
    expect(String(await refused(host.url))).toContain("neither CUTOVER_SSH_KEY nor SSH_AUTH_SOCK");
  });

  test("with a key that cannot be read", async () => {
    const host = await startTestHost();
    vi.stubEnv("CUTOVER_SSH_KEY", "/nowhere/key");
    expect(String(await refused(host.url))).toContain("/nowhere/key (ENOENT)");
    vi.stubEnv("CUTOVER_SSH_KEY", temporary("key", "no key"));
    expect(String(await refused(host.url))).toContain("Cannot parse privateKey");
  });

  test("that does not answer", async () => {
    await startTestHost();
    const port = await freePort();
    const message = String(await refused(`ssh://deploy@127.0.0.1:${port}`));
    expect(message).toContain("cannot be reached over SSH");
    expect(message).toContain("ECONNREFUSED");
  });
});
