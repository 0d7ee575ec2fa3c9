import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import type { RunUnit } from "../../rehearsal/stand-ins/host/systemd.ts";
import { startSshHost, type SshHost } from "../../rehearsal/stand-ins/ssh-host.ts";

/**
 * A program for units: it answers with the status that `ANSWER` says, tells its `RELEASE`, and ends at once with the code
 * that `ENDS` says.
 */
const program = `
const { ANSWER = "200", RELEASE = "", ENDS, PORT } = process.env;
if (ENDS !== undefined) process.exit(Number(ENDS));
process.on("SIGTERM", () => process.exit(0));
process.on("disconnect", () => process.exit(1));
require("node:http").createServer((request, response) => {
  response.writeHead(Number(ANSWER)).end(RELEASE);
}).listen(Number(PORT ?? 0), "127.0.0.1", () => process.send({}));
`;

/** Runs units as {@link program}. */
export const runProgram: RunUnit = ({ environment }) => {
  const child = spawn(process.execPath, ["-e", program], {
    env: { ...environment },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  return {
    pid: child.pid ?? 0,
    ready: once(child, "message").then(() => undefined),
    exited: once(child, "exit").then(([code]) => (typeof code === "number" ? code : 128)),
    kill: (signal) => void child.kill(signal),
  };
};

/** A host of its own for one test, whose keys this process uses. */
export async function startTestHost(user = "deploy"): Promise<SshHost> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-host-"));
  const host = await startSshHost({
    folder,
    address: "127.0.0.1",
    port: 0,
    user,
    runUnit: runProgram,
  });
  onTestFinished(async () => {
    await host.close();
    await rm(folder, { recursive: true, force: true });
  });
  for (const [name, value] of Object.entries(host.env)) vi.stubEnv(name, value);
  return host;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
