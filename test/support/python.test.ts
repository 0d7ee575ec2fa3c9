import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { execa } from "execa";
import { python } from "./python.ts";

const folder = await mkdtemp(join(tmpdir(), "cutover-python-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function fakePython(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

test("the environment has the programs that tests start", async () => {
  const { bin } = await python();
  const moto = await execa(join(bin, "python"), ["-c", "import moto; print(moto.__version__)"]);
  expect(moto.stdout).toBe("5.2.5");
  const redis = await execa(join(bin, "redis-server"), ["--version"]);
  expect(redis.stdout).toContain("v=6.2");
});

test("runs that start at once make one environment, and a half made one is made anew", async () => {
  const source = { folder: join(folder, "cache"), program: "python3", requirements: ["pip"] };
  const [one, two] = await Promise.all([python(source), python(source)]);
  expect(one).toEqual(two);
  const place = dirname(one.bin);
  await rm(join(place, "complete"));
  await rm(join(place, "bin", "python"));
  await python(source);
  await access(join(place, "bin", "python"));
});

test.each([
  ["absent", "exit 127", "none", "there is no none on PATH"],
  ["too old", "echo Python 3.9.18", undefined, "is Python 3.9.18"],
  ["another major version", "echo Python 2.7.18", undefined, "is Python 2.7.18"],
  [
    "without venv",
    '[ "$1" = --version ] && echo Python 3.12.1 && exit; echo no ensurepip; exit 1',
    undefined,
    "failed: no ensurepip",
  ],
])("a Python that is %s gives one clear error", async (name, script, absent, found) => {
  const program = absent ?? (await fakePython(name.replaceAll(" ", "-"), script));
  const failure = await python({ folder: join(folder, name), program, requirements: [] }).catch(
    (error: unknown) => String(error),
  );
  expect(failure).toContain(found);
  expect(failure).toContain("required: Python 3.10 or newer");
  expect(failure).toContain("to do:    install it");
});
