import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import {
  clientPrograms,
  findTools,
  postgresTools,
} from "../../../rehearsal/tools/postgres-tools.ts";

const folder = await mkdtemp(join(tmpdir(), "cutover-tools-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const installed = () => Promise.resolve("installed");

async function fakePrograms(
  name: string,
  version: string,
  programs: readonly string[] = clientPrograms,
): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const program of programs) {
    await writeFile(join(path, program), `#!/bin/sh\necho "${program} (PostgreSQL) ${version}"\n`, {
      mode: 0o755,
    });
  }
  return path;
}

test("every program runs, and none is older than the rehearsal's servers", async () => {
  const bin = await postgresTools();
  for (const name of clientPrograms) {
    const { stdout } = await execa(join(bin, name), ["--version"]);
    expect(Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(18);
  }
});

test("the first folder of PATH whose programs are new enough is taken", async () => {
  const old = await fakePrograms("old", "17.9");
  const fine = await fakePrograms("fine", "18.0 (Debian 18.0-1)");
  const newer = await fakePrograms("newer", "19beta1");
  const nowhere = join(folder, "nowhere");
  expect(await findTools(["", nowhere, old, fine, newer], installed)).toBe(fine);
  expect(await findTools([newer, fine], installed)).toBe(newer);
  expect(await findTools([old, nowhere], installed)).toBe("installed");
});

test("a folder in which one program is missing is passed over", async () => {
  const part = await fakePrograms("part", "18.4", ["pg_dump", "psql"]);
  expect(await findTools([part], installed)).toBe("installed");
});

test("without any, one clear error says what to install", async () => {
  const failure = await findTools([], () => Promise.reject(new Error("no network"))).catch(
    (error: unknown) => String(error),
  );
  expect(failure).toContain("No client programs of PostgreSQL");
  expect(failure).toContain("required: pg_dump, pg_restore, pg_isready, psql");
  expect(failure).toContain("to do:    install them, for example: apt-get install");
});
