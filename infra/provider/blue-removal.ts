import { z } from "zod";
import { inputFailures, parseInputs } from "./inputs.ts";
import { openRds, waitFor } from "./rds-client.ts";
import { sameProperty } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";

const inputs = z
  .strictObject({
    /** Identifier of the instance that serves; never this one. */
    identifier: z.string().min(1),
    /** Identifier of the old instance. */
    blue: z.string().min(1),
    /** RDS's own id of the old instance. */
    blueResourceId: z.string().min(1),
    /** Identifier of its last snapshot. */
    finalSnapshot: z.string().min(1),
    /** Where they are. Default: AWS_REGION. */
    region: z.string().min(1).optional(),
    deadlineSeconds: z.number().positive(),
    /** Milliseconds between two questions. Default 15,000. */
    intervalMs: z.number().positive().optional(),
  })
  .refine(({ blue, identifier }) => blue !== identifier, {
    path: ["blue"],
    error: "required is another instance than the one that serves",
  });

/** Inputs of the removal of an old instance. */
type RemovalInputs = Readonly<z.infer<typeof inputs>>;

const identifying = ["blue", "blueResourceId", "finalSnapshot"] as const;

/**
 * Deletes the old instance of a blue/green upgrade, and only when its last snapshot is there, whole and its own. One that
 * is gone already is as wanted, as long as the snapshot is there. Its automated backups stay until they expire.
 */
export const blueRemoval: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff(olds, news) {
    const diffs = identifying.filter((name) => !sameProperty(olds.inputs[name], news[name]));
    return { changes: diffs.length > 0, diffs };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: parsed.blueResourceId, outputs: await remove(parsed, call) };
  },

  async update(_id, olds, news, call) {
    if (identifying.every((name) => sameProperty(olds.inputs[name], news[name]))) {
      return { outputs: olds.outputs };
    }
    return { outputs: call.preview ? {} : await remove(parseInputs(inputs, news), call) };
  },
};

async function remove(parsed: RemovalInputs, call: Call): Promise<{ removedAt: string }> {
  const { blue, blueResourceId, finalSnapshot, deadlineSeconds, intervalMs = 15_000 } = parsed;
  const { signal } = call;
  const rds = await openRds(parsed.region, signal);
  const patience = { intervalMs, until: performance.now() + deadlineSeconds * 1000, signal };
  try {
    const snapshot = await rds.findSnapshot(finalSnapshot);
    if (snapshot?.Status !== "available" || snapshot.DbiResourceId !== blueResourceId) {
      throw refused(parsed, {
        found:
          snapshot?.Status === "available"
            ? `snapshot ${finalSnapshot} is of another instance`
            : `snapshot ${finalSnapshot} is ${snapshot?.Status ?? "absent"}`,
        required: "its own last snapshot, available",
        todo: `aws rds create-db-snapshot --db-instance-identifier ${blue} --db-snapshot-identifier ${finalSnapshot}, then run pulumi up again`,
      });
    }
    const instance = await rds.findInstance(blue);
    // Another instance may have got the name since.
    if (instance === undefined || instance.DbiResourceId !== blueResourceId) {
      call.log("info", `${blue} is gone already`);
      return { removedAt: new Date().toISOString() };
    }
    let state = instance.DBInstanceStatus ?? "unknown";
    if (state !== "deleting") {
      await rds.protect(blue, false);
      await waitFor(
        patience,
        async () => {
          const found = await rds.findInstance(blue);
          state = found?.DBInstanceStatus ?? "absent";
          return found?.DeletionProtection === true || state !== "available" ? undefined : true;
        },
        () => late(parsed, state),
      );
      await rds.deleteInstance(blue);
    }
    await waitFor(
      patience,
      async () => {
        const found = await rds.findInstance(blue);
        state = found?.DBInstanceStatus ?? "absent";
        return found === undefined ? true : undefined;
      },
      () => late(parsed, state),
    );
    return { removedAt: new Date().toISOString() };
  } finally {
    rds.close();
  }
}

function late(parsed: RemovalInputs, state: string): RefusedError {
  return refused(parsed, {
    found: `status ${state}, after ${String(parsed.deadlineSeconds)} s`,
    required: "no such instance",
    todo: "wait until RDS is done with it, then run pulumi up again",
  });
}

function refused(
  { blue }: RemovalInputs,
  { found, required, todo }: Readonly<Record<"found" | "required" | "todo", string>>,
): RefusedError {
  return new RefusedError(
    [
      `the old instance ${blue} is not removed.`,
      `found:    ${found}`,
      `required: ${required}`,
      `to do:    ${todo}`,
    ].join("\n"),
  );
}
