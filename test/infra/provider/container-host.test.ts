import { createServer } from "node:http";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { openContainerHost, reasonOf, statusOf } from "../../../infra/provider/container-host.ts";
import { sshArguments } from "../../../infra/provider/ssh-agent.ts";
import { startTestDocker } from "./docker.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

async function versionAt(host?: string): Promise<string> {
  const { Version } = await (await openContainerHost(host)).version();
  return Version;
}

async function reasonAt(host: string): Promise<string> {
  return versionAt(host).then(
    () => "it answered",
    (error: unknown) => reasonOf(host, error),
  );
}

describe("a host is asked", () => {
  test("at its socket", async () => {
    const { host } = await startTestDocker();

    expect(await versionAt(host)).toBe("28.2.2");
  });

  test("where DOCKER_HOST says, when none is given", async () => {
    const { host } = await startTestDocker();
    vi.stubEnv("DOCKER_HOST", host);

    expect(await versionAt()).toBe("28.2.2");
  });

  test("over TCP, whatever DOCKER_HOST says", async () => {
    const server = createServer((_request, response) => {
      response.end('{"Version": "over TCP"}');
    });
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    vi.stubEnv("DOCKER_HOST", "unix:///nowhere.sock");

    expect(await versionAt(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`)).toBe(
      "over TCP",
    );
  });
});

describe("over SSH", () => {
  /** Puts a program before the real ssh. */
  async function standInForSsh(script: string): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "cutover-ssh-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "ssh"), `#!${process.execPath}\n${script}`);
    await chmod(join(folder, "ssh"), 0o755);
    vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"] ?? ""}`);
  }

  test("the daemon's socket is handed over, several times", async () => {
    const host = await startTestDocker();
    host.daemon.pull(host.image("1.0.0"));
    await standInForSsh(`
      const socket = require("node:net").connect(${JSON.stringify(host.host.slice("unix://".length))});
      process.stdin.pipe(socket).pipe(process.stdout);
    `);
    const docker = await openContainerHost("ssh://deploy@host.example.com");

    expect((await docker.version()).Version).toBe("28.2.2");
    expect(await docker.listImages()).toHaveLength(1);
  });

  test("what ssh says is told", async () => {
    await standInForSsh(`
      console.error("Host key verification failed.");
      process.exitCode = 255;
    `);

    expect(await reasonAt("ssh://deploy@host.example.com")).toBe(
      "the container host ssh://deploy@host.example.com cannot be asked: " +
        "ssh ended before it was done: Host key verification failed.",
    );
  });

  test("ssh is told nothing of the stack config", async () => {
    vi.stubEnv("PULUMI_CONFIG", "canary");
    await standInForSsh(`
      console.error("PULUMI_CONFIG" in process.env ? "told" : "not told");
      process.exitCode = 1;
    `);

    expect(await reasonAt("ssh://deploy@host.example.com")).toContain("not told");
  });

  test("no unknown host is asked, and nobody is asked for a password", () => {
    expect(
      sshArguments("ssh://deploy@host.example.com:2222", {
        CUTOVER_SSH_KEY: "/keys/ci",
        CUTOVER_KNOWN_HOSTS: "/keys/known hosts",
      }).join(" "),
    ).toBe(
      "-T -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20 " +
        '-i /keys/ci -o IdentitiesOnly=yes -o UserKnownHostsFile="/keys/known hosts" ' +
        "-p 2222 -l deploy -- host.example.com docker system dial-stdio",
    );
    expect(sshArguments("ssh://deploy@host.example.com", {})).toContain("22");
  });
});

describe("a host that cannot be asked says why", () => {
  test.each([
    ["no socket", "unix:///nowhere/docker.sock", "there is no such socket"],
    ["no listener", "tcp://127.0.0.1:1", "nothing listens there"],
    ["no such name", "tcp://host.invalid:2375", "cannot be asked: "],
  ])("%s", async (_what, host, reason) => {
    expect(await reasonAt(host)).toContain(reason);
  });

  test.each(["http://203.0.113.10:2375", "tcp://203.0.113.10", "ssh://host.example.com", "docker"])(
    "%s has another form",
    async (host) => {
      await expect(openContainerHost(host)).rejects.toThrow(
        "required: unix:///path, tcp://host:port or ssh://user@host:port",
      );
    },
  );

  test("a password in the address is not told", async () => {
    const error = await openContainerHost("ssh://deploy:canary@host.example.com").catch(
      (reason: unknown) => String(reason),
    );

    expect(error).toContain("cutover:hosts with ssh://");
    expect(error).not.toContain("canary");
  });

  test("a certificate that is not there is named", async () => {
    vi.stubEnv("DOCKER_TLS_VERIFY", "1");
    vi.stubEnv("DOCKER_CERT_PATH", "/nowhere");

    await expect(openContainerHost("tcp://203.0.113.10:2376")).rejects.toThrow(
      "ca.pem in DOCKER_CERT_PATH cannot be read (ENOENT)",
    );
  });

  test("what the daemon refuses is told in its words", async () => {
    const { host } = await startTestDocker();
    const docker = await openContainerHost(host);
    const error: unknown = await docker
      .getContainer("none")
      .inspect()
      .catch((reason: unknown) => reason);

    expect(statusOf(error)).toBe(404);
    expect(reasonOf(host, error)).toBe("No such container: none");
  });
});
