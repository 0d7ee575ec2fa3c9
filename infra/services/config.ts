import { z } from "zod";
import { address, imageByDigest, key, port, tableName } from "../config-key.ts";

const text = z.string().min(1);

const conda = z.strictObject({
  environment: key(text, "the name of a conda environment", "dashboard"),
  command: key(z.array(text).min(1), "what runs in it, as a list of words", "uvicorn"),
  workingDirectory: key(z.string().startsWith("/"), "an absolute path on the host", "/srv/app"),
  user: key(z.string().regex(/^[a-z_][a-z0-9_-]*$/), "a user of the host", "dashboard"),
  watchdogSeconds: key(
    z.number().int().min(1),
    "seconds without a good answer after which its workers are reloaded",
    "30",
  ),
  unit: key(
    z
      .string()
      .regex(/^[\w@:.-]+$/)
      .optional(),
    "the name of its unit, without .service; system and service where it is left out",
    "dashboard",
  ),
  listens: key(z.boolean().default(true), "false for a process without a port", "true"),
});

/** A row of the table `services`. */
export const serviceConfig = z.strictObject({
  placement: key(
    z.enum(["two-slot", "in-place"]).default("two-slot"),
    "two-slot (the old release keeps running beside the new one) or in-place (it keeps its port)",
    "two-slot",
  ),
  address: address.optional(),
  port,
  image: imageByDigest.optional(),
  systemd: conda.optional(),
  dependsOn: key(z.array(tableName).default([]), "names of services that must run first", "api"),
  health: key(
    z.string().startsWith("/").default("/healthz"),
    "the path that answers 200 when all is well",
    "/healthz",
  ),
  healthCommand: key(
    z.array(text).min(1).optional(),
    "a command that ends with 0 when all is well, in place of the path",
    "redis-cli",
  ),
  memoryMib: key(z.number().int().min(16).default(256), "whole MiB it may use", "256"),
  cpus: key(z.number().min(0.1).optional(), "CPUs it may use", "0.5"),
  drainSeconds: key(
    z.number().int().min(1).max(3600).default(30),
    "seconds it gets to finish what it has begun, 1 to 3600",
    "30",
  ),
  writable: key(
    z.boolean().default(false),
    "true lets it write to its own file system, false only to /tmp and its volumes",
    "false",
  ),
  volumes: key(
    z.record(tableName, key(z.string().startsWith("/"), "an absolute path", "/data")).default({}),
    "paths inside by the volume's name",
    "",
  ),
  env: key(
    z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string()).default({}),
    "values by the name of a variable; none of them a secret",
    "",
  ),
  secrets: key(
    z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), tableName).default({}),
    "names in cutover:secrets by the name of a variable",
    "",
  ),
});

/** A row of the table `jobs`: it runs once for each release, and must exit with 0. */
export const jobConfig = z.strictObject({
  step: key(
    z.enum(["data-jobs", "check-jobs"]),
    "data-jobs (after the migrations, before the services) or check-jobs (after the services, before DNS moves)",
    "data-jobs",
  ),
  image: key(tableName, "the service whose image it runs", "api"),
  command: key(z.array(text).min(1), "what it runs, as a list of words", "node"),
  deadlineSeconds: key(z.number().int().min(1).max(86_400), "seconds, 1 to 86400", "600"),
  memoryMib: key(z.number().int().min(16).default(256), "whole MiB it may use", "256"),
  env: key(
    z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string()).default({}),
    "values by the name of a variable; none of them a secret",
    "",
  ),
});

/** The group `slots`: the two places of a release. */
export const slotsConfig = z.strictObject({ blue: address, green: address });

/** The table `hosts`: how to reach the container daemon behind an address; the local one where it is silent. */
export const hostsConfig = key(
  z.record(
    address,
    key(
      z
        .string()
        .regex(/^ssh:\/\/[a-z_][\w-]*@[\w.-]+(:\d+)?$|^tcp:\/\/[\w.-]+:\d+$|^unix:\/\/\/.+$/),
      "ssh://user@host:port, tcp://host:port or unix:///path",
      "ssh://deploy@203.0.113.10:22",
    ),
  ),
  "container hosts by their address",
  "",
);

/** A service of the stack config. */
export type ServiceConfig = z.infer<typeof serviceConfig>;
