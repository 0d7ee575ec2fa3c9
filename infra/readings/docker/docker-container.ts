import { z } from "zod";
import { readingKind } from "../reading.ts";
import { engineHost, engineTime, inspect } from "./engine-api.ts";

const target = z.strictObject({
  container: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,254}$/, "must be a container's name")
    .meta({ description: "a container's name", example: "flagship-green-api" }),
  host: engineHost,
});

// What of ContainerInspectResponse is used: https://docs.docker.com/reference/api/engine/
const shape = z.looseObject({
  Name: z.string(),
  Image: z.string(),
  RestartCount: z.int().min(0),
  State: z.looseObject({
    Status: z.string(),
    OOMKilled: z.boolean(),
    ExitCode: z.int(),
    StartedAt: engineTime,
    Health: z
      .looseObject({ Status: z.enum(["none", "starting", "healthy", "unhealthy", ""]) })
      .nullish(),
  }),
  Config: z.looseObject({ Image: z.string() }),
  HostConfig: z.looseObject({ Privileged: z.boolean(), ReadonlyRootfs: z.boolean() }),
});

/** The state of a container. Its environment, arguments and logs stay untold. */
export const dockerContainer = readingKind({
  kind: "docker-container",
  title: "state and health of a container",
  target,
  facts: {
    exists: "true when there is such a container",
    running: "true when it runs, and is neither paused nor about to be started again",
    health:
      "healthy, unhealthy or starting, and none without a health check; null when there is no such container",
    imageId:
      "id of its image, which is the digest of the configuration of the image; null when there is no such container",
    image:
      "its image as it was named when the container was made; null when there is no such container",
    restartCount: "how often the Engine started it again; null when there is no such container",
    startedAt:
      "ISO 8601, when it was started last; null when there is no such container, or it never started",
    exitCode: "code of its last end; null while it runs and when there is no such container",
    oomKilled: "true when it was killed for want of memory; null when there is no such container",
    privileged: "true when it has all rights on its machine; null when there is no such container",
    readonlyRootfs:
      "true when it cannot write to its own file system; null when there is no such container",
  },
  subject: ({ container }) => container,

  async read({ container, host }, { signal }) {
    const found = await inspect(host, `/containers/${container}/json`, shape, signal);
    // The Engine takes the beginning of an ID for a name, too.
    return found?.Name === `/${container}` ? factsOf(found) : absent;
  },
});

const absent = {
  exists: false,
  running: false,
  health: null,
  imageId: null,
  image: null,
  restartCount: null,
  startedAt: null,
  exitCode: null,
  oomKilled: null,
  privileged: null,
  readonlyRootfs: null,
};

function factsOf({
  State,
  HostConfig,
  ...found
}: z.infer<typeof shape>): Record<keyof typeof absent, unknown> {
  const running = State.Status === "running";
  const health = State.Health?.Status ?? "";
  return {
    exists: true,
    running,
    health: health === "" ? "none" : health,
    imageId: found.Image,
    image: found.Config.Image,
    restartCount: found.RestartCount,
    startedAt: State.StartedAt,
    exitCode: running ? null : State.ExitCode,
    oomKilled: State.OOMKilled,
    privileged: HostConfig.Privileged,
    readonlyRootfs: HostConfig.ReadonlyRootfs,
  };
}
