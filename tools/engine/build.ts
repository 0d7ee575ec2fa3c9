import { copyFile, link, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { binFolder, digestSources, makeDraft, publish, readNote } from "./cache.ts";
import { RouteFailure } from "./errors.ts";
import { askVersion, findOnPath, PULUMI } from "./programs.ts";
import { sayElapsed, withTicks } from "./progress.ts";
import type { Engine, Say, Surroundings } from "./types.ts";
import { ENGINE_VERSION, readGoVersion } from "./version.ts";

const CLI = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const HOST = "./pulumi-language-nodejs";
const VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const FLAGS = ["-trimpath", "-buildvcs=false", "-mod=readonly"];
const FETCH_LIMIT_MS = 30 * 60_000;
const BUILD_LIMIT_MS = 90 * 60_000;
// Below this many packages the build is short and needs no warning.
const MANY_PACKAGES = 300;

/**
 * Builds the CLI and the language host with Go. Of a kept engine, only what its sources changed.
 * @throws RouteFailure without a fit Go, without the modules, and when the build fails
 */
export async function fromGo(surroundings: Surroundings, say: Say): Promise<Engine> {
  const go = await findGo(surroundings);
  const start = Date.now();
  const digests = await digestSources(surroundings);
  const draft = await makeDraft(surroundings);
  try {
    const bin = join(draft, "bin");
    await mkdir(bin);
    const keepsCli = await takeKeptCli(surroundings, digests.cli, bin);
    const packages = keepsCli ? [HOST] : [CLI, HOST];

    const wanted = await listPackages(go, packages, say);
    sayPlan(wanted, keepsCli, say);
    await compile(go, packages, wanted, bin, say);

    const answer = await askVersion(join(bin, PULUMI), surroundings.env);
    if ("problem" in answer) throw fail(`the CLI that was built does not work: ${answer.problem}`);
    await publish(surroundings, draft, digests);
    say(`built in ${sayElapsed(Date.now() - start)}`);
    const folder = binFolder(surroundings);
    return {
      pulumi: join(folder, PULUMI),
      folder,
      version: answer.version.version,
      route: "go-build",
    };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

type Go = { program: string; env: NodeJS.ProcessEnv; folder: string };

function fail(reason: string, remedy?: string): RouteFailure {
  return new RouteFailure("go-build", reason, remedy);
}

async function findGo({ env, sources }: Surroundings): Promise<Go> {
  const goMod = await readFile(join(sources, "go.mod"), "utf8");
  const wanted = readGoVersion(/^go .*$/m.exec(goMod)?.[0] ?? "");
  if (wanted === undefined) throw fail("go.mod names no Go version");
  const remedy = `install Go ${wanted.version} or newer (https://go.dev/dl/) and let it reach its module proxy`;

  const program = await findOnPath(process.platform === "win32" ? "go.exe" : "go", env);
  if (program === undefined) throw fail("there is no go on PATH", remedy);
  const settings = {
    ...env,
    CGO_ENABLED: "0",
    // Neither another Go nor another module may come in from the user's settings.
    GOTOOLCHAIN: "local",
    GOWORK: "off",
  };
  const result = await execa(program, ["version"], {
    env: settings,
    extendEnv: false,
    stdin: "ignore",
    timeout: 60_000,
    reject: false,
  });
  const version = readGoVersion(result.stdout);
  if (result.failed || version === undefined) {
    throw fail(`${program} does not tell its version`, remedy);
  }
  if (version.compare(wanted) < 0) {
    throw fail(`${program} is ${version.version}; go.mod wants ${wanted.version} or newer`, remedy);
  }
  return { program, env: settings, folder: sources };
}

async function takeKeptCli(surroundings: Surroundings, digest: string, bin: string) {
  const note = await readNote(surroundings);
  if (note?.cli !== digest) return false;
  const kept = join(binFolder(surroundings), PULUMI);
  const answer = await askVersion(kept, surroundings.env);
  if ("problem" in answer) return false;
  const target = join(bin, PULUMI);
  await link(kept, target).catch(async () => copyFile(kept, target));
  return true;
}

type Packages = { total: number; stale: number; names: Set<string> };

async function listPackages(go: Go, packages: string[], say: Say): Promise<Packages> {
  say("asking Go for the modules");
  let fetched = 0;
  const format = "{{.Stale}} {{.ImportPath}}";
  const result = await withTicks(
    say,
    () => (fetched === 0 ? "looking at the modules" : `${fetched} modules fetched`),
    () =>
      runGo(go, ["list", ...FLAGS, "-deps", "-f", format, ...packages], FETCH_LIMIT_MS, (line) => {
        if (line.startsWith("go: downloading ")) fetched += 1;
      }),
  );
  if (result.problem !== undefined) {
    throw fail(
      `the Go modules cannot be had: ${result.problem}`,
      "let Go reach its module proxy (go env GOPROXY)",
    );
  }
  const lines = result.stdout.split("\n").filter((line) => line !== "");
  return {
    total: lines.length,
    stale: lines.filter((line) => line.startsWith("true ")).length,
    names: new Set(lines.map((line) => line.slice(line.indexOf(" ") + 1))),
  };
}

function sayPlan({ total, stale }: Packages, keepsCli: boolean, say: Say): void {
  const what = keepsCli ? "the language host" : `Pulumi ${ENGINE_VERSION} and its language host`;
  say(`building ${what} with Go`);
  say(`${stale} of its ${total} packages are to be compiled`);
  if (stale > MANY_PACKAGES) say("this takes about five minutes on two cores, once per machine");
}

async function compile(
  go: Go,
  packages: string[],
  { stale, names }: Packages,
  bin: string,
  say: Say,
): Promise<void> {
  let compiled = 0;
  const ldflags = `-s -w -X ${VERSION_VARIABLE}=v${ENGINE_VERSION}`;
  const result = await withTicks(
    say,
    () => (compiled < stale ? `compiled ${compiled} of ${stale} packages` : "linking"),
    () =>
      runGo(
        go,
        ["build", "-v", ...FLAGS, "-ldflags", ldflags, "-o", `${bin}/`, ...packages],
        BUILD_LIMIT_MS,
        (line) => {
          if (names.has(line)) compiled += 1;
        },
        (line) => !names.has(line),
      ),
  );
  if (result.problem !== undefined) throw fail(`the build failed: ${result.problem}`);
}

async function runGo(
  go: Go,
  args: string[],
  limitMs: number,
  onLine: (line: string) => void,
  isTelling: (line: string) => boolean = (line) => !line.startsWith("go: downloading "),
): Promise<{ stdout: string; problem?: string }> {
  const running = execa(go.program, args, {
    cwd: go.folder,
    env: go.env,
    extendEnv: false,
    stdin: "ignore",
    timeout: limitMs,
    reject: false,
  });
  const telling: string[] = [];
  createInterface({ input: running.stderr }).on("line", (line) => {
    onLine(line);
    if (isTelling(line) && line.trim() !== "") telling.push(line.trim());
  });
  const result = await running;
  if (!result.failed) return { stdout: result.stdout };
  const words = telling.slice(-5).join(" ") || (result.originalMessage ?? "no reason given");
  return {
    stdout: result.stdout,
    problem: result.timedOut ? `it took more than ${sayElapsed(limitMs)}` : words,
  };
}
