import { randomBytes } from "node:crypto";
import { z } from "zod";
import { RefusedError } from "../../../infra/provider/serve.ts";

/** A refusal of Cloudflare's API, in its form. */
export class CloudflareError extends RefusedError {
  constructor(status: string, code: number, message: string) {
    super(`${status} ${JSON.stringify({ success: false, errors: [{ code, message }] })}`);
  }
}

/** An id as Cloudflare gives them. */
export const hexId = z.string().regex(/^[0-9a-f]{32}$/, {
  error: "must be 32 hexadecimal digits",
});

/** A new id. */
export function newId(): string {
  return randomBytes(16).toString("hex");
}
