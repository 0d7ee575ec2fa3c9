import { createConnection } from "node:net";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInside } from "../../infra/provider/container-exec.ts";
import { clientEnvironment } from "../../infra/provider/recovery-dump.ts";
import { eventually } from "../support/eventually.ts";
import {
  containerName,
  login,
  startPostgresHost,
  type PostgresHost,
} from "../infra/provider/postgres-host.ts";

let host: PostgresHost;
let docker: Docker;

beforeAll(async () => {
  host = await startPostgresHost();
  docker = new Docker({ socketPath: host.host.replace("unix://", "") });
}, 120_000);

afterAll(() => host.close());

async function output(
  command: readonly string[],
  env = clientEnvironment(login, "test"),
): Promise<string> {
  const pieces: Buffer[] = [];
  await runInside(
    { container: docker.getContainer(containerName) },
    {
      command,
      env,
      onOutput: (piece) => void pieces.push(piece),
      signal: AbortSignal.timeout(30_000),
    },
  );
  return Buffer.concat(pieces).toString();
}

const ask = (sql: string) => output(["psql", "--csv", "--tuples-only", "--command", sql]);

describe("a PostgreSQL container of the rehearsal", () => {
  test("runs a real server with the user, the database and the checksums that it was told", async () => {
    expect(
      await ask(
        "SELECT current_database(), current_user, rolsuper FROM pg_roles WHERE rolname = current_user",
      ),
    ).toBe("flagship,cutover,t\n");
    expect(await ask("SHOW data_checksums")).toBe("on\n");
    expect(await ask("SHOW server_version_num")).toMatch(/^1[89]\d{4}\n$/);
  });

  test("says to pg_isready that it is ready", async () => {
    expect(await output(["pg_isready"])).toContain("accepting connections");
  });

  test("lets nobody in with another password", async () => {
    const env = clientEnvironment({ ...login, password: "wrong" }, "test");
    await expect(output(["psql", "--command", "SELECT 1"], env)).rejects.toThrow(
      "psql ended with 2",
    );
  });

  test("keeps its data when it is started again", async () => {
    await host.query("CREATE TABLE kept AS SELECT 1 AS one");
    const container = docker.getContainer(containerName);
    await container.stop({ t: 10 });
    await container.start();
    expect(await ask("SELECT one FROM kept")).toBe("1\n");
  });

  test("ends with its container, however that ends", async () => {
    const { ports } = host.daemon.find(containerName) ?? { ports: [] };
    const container = docker.getContainer(containerName);
    await container.kill();
    await eventually(async () => {
      await expect(connects(ports[0]?.external ?? 0)).resolves.toBe(false);
    });
    await container.start();
  });
});

describe("docker exec of the rehearsal", () => {
  test("gives much output whole and in order", async () => {
    const text = await ask("SELECT n FROM generate_series(1, 200000) n");
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(200_000);
    expect(lines.every((line, index) => line === String(index + 1))).toBe(true);
  });

  test("keeps errors out of the output, and hands the exit code on", async () => {
    await expect(ask("SELECT * FROM nothing")).rejects.toThrow(
      /^psql ended with 1: ERROR: {2}relation "nothing" does not exist$/,
    );
  });

  test.each([
    ["a program that it has not", ["rm", "-rf", "/"], "does not imitate the program rm"],
    [
      "another server",
      ["psql", "--host=203.0.113.1"],
      "does not imitate --host=203.0.113.1 of psql",
    ],
  ])("refuses %s by name", async (_, command, message) => {
    await expect(output(command)).rejects.toThrow(message);
  });

  test("refuses a container that does not run", async () => {
    const { id } = host.daemon.create({
      ...(host.daemon.find(containerName) ?? never()),
      name: "stopped",
      ports: [],
    });
    const exec = docker.getContainer(id).exec({ Cmd: ["psql"], AttachStdout: true });
    await expect(exec).rejects.toThrow("is not running");
    await host.daemon.remove(id, 0);
  });

  test("knows no program twice, and none that it was not asked for", async () => {
    const exec = await docker
      .getContainer(containerName)
      .exec({ Cmd: ["pg_isready"], AttachStdout: true });
    expect(await exec.inspect()).toMatchObject({ Running: false, ExitCode: null });
    const stream = await exec.start({});
    stream.resume();
    await eventually(async () => {
      expect(await exec.inspect()).toMatchObject({ Running: false, ExitCode: 0 });
    });
    await expect(exec.start({})).rejects.toThrow("409");
    await expect(docker.getExec("0b7e91c2").inspect()).rejects.toThrow("404");
  });
});

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}

function never(): never {
  throw new Error("the container is not there");
}
