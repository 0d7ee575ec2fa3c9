import { z } from "zod";
import { address, cloudflareId, imageByDigest, key, port, tableName } from "../config-key.ts";

/** The group `legacy`: the system that the first release replaces. */
export const legacyConfig = z.strictObject({
  address,
  port: port.optional(),
  image: imageByDigest,
  afterCutover: key(
    z.enum(["running", "stopped"]).default("running"),
    "running (clients with an old answer still reach it) or stopped, from the end of the cutover on",
    "running",
  ),
  d1: z
    .strictObject({
      accountId: key(cloudflareId, "a Cloudflare account id", "0123…cdef"),
      name: key(z.string().min(1), "the D1 database's name", "ignition-legacy"),
      adopt: key(
        z.uuid().optional(),
        "the id of the database that exists already",
        "01234567-89ab-4cde-8f01-23456789abcd",
      ),
      exportTo: key(
        tableName,
        "the name of the bucket in cutover:buckets that its last export goes to",
        "backups",
      ),
    })
    .optional(),
});

/** The legacy system of the stack config. */
export type LegacyConfig = z.infer<typeof legacyConfig>;
