import { randomBytes } from "node:crypto";
import { z } from "zod";
import { inputFailures, parseInputs } from "./inputs.ts";
import type { ResourceType } from "./resource-type.ts";

const inputs = z.strictObject({
  /** What it opens, such as a database's identifier. */
  of: z.string().min(1),
});

/** 192 bits. */
const passwordBytes = 24;

/**
 * A password that is made once and kept in the state, secret: 32 letters, digits, hyphens and underscores, all of which
 * RDS takes (it refuses `/`, `@`, `"` and spaces). What it opens has the password too, so no change makes another one;
 * delete forgets it, and that is why it must be protected.
 */
export const generatedPassword: ResourceType = {
  check: (news) => inputFailures(inputs, news),

  diff: () => ({ changes: false }),

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const { of } = parseInputs(inputs, news);
    return { id: of, outputs: { password: randomBytes(passwordBytes).toString("base64url") } };
  },

  async update(_id, olds) {
    return { outputs: olds.outputs };
  },

  secretOutputs: ["password"],
};
