import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { binFolder, makeDraft, publish } from "./cache.ts";
import { RouteFailure } from "./errors.ts";
import { askVersion, isProgram, LANGUAGE_HOST, PULUMI } from "./programs.ts";
import { withTicks } from "./progress.ts";
import type { Engine, Say, Surroundings } from "./types.ts";
import { ENGINE_VERSION } from "./version.ts";

const INSTALLER = fileURLToPath(new URL("./installer.ts", import.meta.url));
const LIMIT_MS = 15 * 60_000;

/**
 * Downloads the official CLI with the installer of the Pulumi Automation API.
 * @throws RouteFailure within seconds when the network says no, and in any case after 15 minutes
 */
export async function fromDownload(surroundings: Surroundings, say: Say): Promise<Engine> {
  const fail = (reason: string) =>
    new RouteFailure("download", reason, "let this machine reach https://get.pulumi.com");

  say(`asking get.pulumi.com for Pulumi ${ENGINE_VERSION}`);
  const draft = await makeDraft(surroundings);
  try {
    const root = join(draft, "root");
    // A process of its own, because the installer cannot be stopped from within.
    const result = await withTicks(
      say,
      () => `downloading Pulumi ${ENGINE_VERSION}`,
      async () =>
        execa(process.execPath, [INSTALLER, root, ENGINE_VERSION], {
          env: { ...surroundings.env, NODE_USE_ENV_PROXY: "1", NODE_NO_WARNINGS: "1" },
          extendEnv: false,
          stdin: "ignore",
          timeout: LIMIT_MS,
          reject: false,
        }),
    );
    if (result.timedOut) throw fail("it took more than 15 minutes");
    if (result.failed) throw fail(result.stderr.trim() || `exit code ${result.exitCode}`);

    const answer = await askVersion(join(root, "bin", PULUMI), surroundings.env);
    if ("problem" in answer) throw fail(answer.problem);
    if (!(await isProgram(join(root, "bin", LANGUAGE_HOST)))) {
      throw fail(`it came without ${LANGUAGE_HOST}`);
    }
    await publish(surroundings, root, undefined);
    const folder = binFolder(surroundings);
    return {
      pulumi: join(folder, PULUMI),
      folder,
      version: answer.version.version,
      route: "download",
    };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
