import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { randomInt } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openRegistry } from "../../../rehearsal/registry/registry.ts";
import type { ContainerRecord } from "../../../rehearsal/stand-ins/container-record.ts";
import { startDaemon, type Daemon } from "../../../rehearsal/stand-ins/containers.ts";
import { startDockerApi } from "../../../rehearsal/stand-ins/docker-api.ts";
import { openStore } from "../../../rehearsal/stand-ins/store.ts";
import type { Wire } from "../../support/engine.ts";

const repository = "registry.example.com/app/identity";

/** Versions of an image that needs no database. */
const versions = {
  "1.0.0": {},
  "1.1.0": {},
  unhealthy: { unhealthy: true },
  crashing: { crashes: true },
} as const;

/** A version of the image. */
export type Version = keyof typeof versions;

/** A container host of a test's own. */
export interface TestDocker {
  readonly daemon: Daemon;
  /** As `DOCKER_HOST` has it. */
  readonly host: string;
  /** Where the service `identity` listens. */
  readonly url: string;
  image(version: Version): string;
  /** Inputs of a service that keeps its port, or of what they are made of. */
  inputs(version: Version, more?: Wire): Wire;
  /** Names of the containers that run. */
  running(): string[];
  names(): string[];
  named(name: string): ContainerRecord;
  /** The version that answers; undefined when none does. */
  answering(): Promise<string | undefined>;
  /** From so many changes on, the host does nothing any more and says so; without a number it is well again. */
  breakAfter(changes?: number): void;
  /** How many changes it was asked for since it broke last. */
  changes(): number;
}

/** Starts a container host; it ends with the test. */
export async function startTestDocker(): Promise<TestDocker> {
  const folder = await mkdtemp(join(tmpdir(), "cutover-host-"));
  const images = join(folder, "images");
  await mkdir(images);
  for (const [version, faults] of Object.entries(versions)) {
    const manifest = { repository, service: "keycloak", version, columns: [], faults };
    await writeFile(join(images, `${version}.json`), JSON.stringify(manifest));
  }
  const registry = openRegistry(images);
  const daemon = await startDaemon(openStore(join(folder, "store")), registry);
  const breaking = breakable(daemon);
  const api = await startDockerApi(breaking.daemon, folder);
  onTestFinished(async () => {
    await api.close();
    await daemon.close();
    await rm(folder, { recursive: true, force: true });
  });
  const ip = `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
  const url = `http://${ip}:8080`;
  const image = (version: Version): string =>
    registry.resolve(`${repository}:${version}`)?.reference ?? "";
  return {
    daemon,
    host: api.host,
    url,
    image,
    inputs: (version, more = {}) => ({
      stack: "production",
      release: `v${version}`,
      host: api.host,
      name: "identity",
      image: image(version),
      ports: [{ internal: 8080, external: 8080, ip }],
      envs: ["PORT=8080"],
      healthcheck: {
        tests: ["CMD", "curl", "-f", "http://127.0.0.1:8080/healthz"],
        interval: "100ms",
        retries: 3,
      },
      waitTimeout: 10,
      destroyGraceSeconds: 5,
      restart: "unless-stopped",
      ...more,
    }),
    running: () =>
      daemon.containers
        .items()
        .filter(({ status }) => status === "running")
        .map(({ name }) => name),
    names: () => daemon.containers.items().map(({ name }) => name),
    named(name) {
      const found = daemon.containers.get(name);
      if (found === undefined) throw new Error(`there is no container ${name}`);
      return found;
    },
    async answering() {
      try {
        const answer = await fetch(`${url}/version`);
        return ((await answer.json()) as { version: string }).version;
      } catch {
        return undefined;
      }
    },
    breakAfter: (changes) => {
      breaking.breakAfter(changes);
    },
    changes: () => breaking.changes(),
  };
}

const changing = ["create", "start", "stop", "rename", "update", "remove"] as const;

/** A daemon that can be made to do nothing any more after some changes, as when whoever asks it is killed. */
function breakable(daemon: Daemon): {
  daemon: Daemon;
  breakAfter(changes?: number): void;
  changes(): number;
} {
  let left = Infinity;
  let asked = 0;
  const counted = changing.map((name) => [
    name,
    (...args: never[]): unknown => {
      asked += 1;
      if (asked > left) throw new Error("the host broke");
      const change: (...given: never[]) => unknown = daemon[name];
      return change(...args);
    },
  ]);
  return {
    daemon: { ...daemon, ...(Object.fromEntries(counted) as Partial<Daemon>) },
    breakAfter(changes = Infinity) {
      left = changes;
      asked = 0;
    },
    changes: () => asked,
  };
}
