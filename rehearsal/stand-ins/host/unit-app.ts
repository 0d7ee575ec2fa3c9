import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Registry } from "../../registry/registry.ts";
import type { RunUnit } from "./systemd.ts";

const appFile = join(import.meta.dirname, "..", "..", "app.ts");

/**
 * Runs units as the rehearsal's process. Whatever program a unit names, it behaves like the image of the release that
 * the unit's `RELEASE_IMAGE` says, and listens on `PORT` at the host's address.
 *
 * @param address of the host
 * @param folder where each unit's output is kept
 */
export function appRunner(registry: Registry, address: string, folder: string): RunUnit {
  return (unit) => {
    const { RELEASE_IMAGE: reference = "", PORT: port } = unit.environment;
    const published = registry.resolve(reference);
    if (published === undefined) {
      throw new Error(`the registry of the rehearsal has no image ${reference} (RELEASE_IMAGE)`);
    }
    const ports =
      port === undefined ? [] : [{ internal: Number(port), external: Number(port), ip: address }];
    const log = openSync(join(folder, `${unit.name}.log`), "a", 0o600);
    const child = spawn(process.execPath, [appFile], {
      env: {
        ...unit.environment,
        CONTAINER_IMAGE: JSON.stringify(published.image),
        CONTAINER_PORTS: JSON.stringify(ports),
        CONTAINER_COMMAND: "[]",
      },
      stdio: ["ignore", log, log, "ipc"],
      // A new process group, so that Ctrl-C in a terminal does not end it while the engine still needs it.
      detached: true,
    });
    closeSync(log);
    return {
      pid: child.pid ?? 0,
      ready: once(child, "message").then(() => undefined),
      exited: once(child, "exit").then(([code, signal]) =>
        typeof code === "number" ? code : 128 + constants.signals[signal as NodeJS.Signals],
      ),
      kill: (signal) => void child.kill(signal),
    };
  };
}
