import { z } from "zod";
import { duration } from "../policies/contract/checklist.ts";
import { phases } from "../policies/contract/phase.ts";
import { readingShape, readingsConfig } from "./readings/readings.ts";
import { OperatorError, problemText, type Problem } from "./errors.ts";
import { announcementMoments, isWebhookUrl, webhookUrlForm } from "./announcement.ts";

/** The config namespace: the project's name, so that `pulumi config set phase cutover` reaches it. */
export const namespace = "cutover";

const address = z.ipv4();
const host = z.hostname();
const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,62}$/)
  .meta({ description: "a name in kebab case" });
/** Somebody's own words: not nothing, and not the form's `(configure)`. */
const filledIn = z.string().regex(/^(?!\s*\(.*\)\s*$)[^]*\S/);

/**
 * Every key of the stack config. `describe` says what a value means and what is accepted; `meta.example` is shown to
 * who got it wrong.
 */
const schema = z.strictObject({
  system: key(z.string().regex(/^[a-z][a-z0-9-]{1,30}$/), "a short name in kebab case", "flagship"),
  folder: key(
    z.string().min(1),
    "the folder with releases, migrations and evidence, from the project's top",
    "examples/flagship",
  ),
  phase: key(z.enum(phases), `one of ${phases.join(", ")}`, "prepare"),
  release: key(z.string().regex(/^v\d+\.\d+\.\d+$/), "a version vX.Y.Z", "v1.0.0"),
  cutoverAt: key(
    z.iso.datetime({ offset: true }).optional(),
    "when the cutover is to begin, a time with its offset",
    "2026-12-01T02:00:00Z",
  ),
  clockScale: key(
    z.number().min(1).default(1),
    "how much faster than the wall the clock runs; 1 outside a rehearsal",
    "1",
  ),
  evidence: key(
    z.string().regex(/^(?:(?!.*:\/\/)[^/].*|(?:s3|https?):\/\/[^/@?#\s]+(?:\/[^?#\s]*)?)$/),
    "a folder from the project's top, s3://bucket/prefix, or an https:// address without credentials",
    "examples/flagship/evidence",
  ),
  owners: z
    .record(
      name,
      key(z.string().regex(/^\S{1,128}$/), "a principal of the allowed signers", "you@example.com"),
    )
    .default({}),
  contacts: key(
    z
      .record(
        z
          .string()
          .regex(/^[a-zA-Z][a-zA-Z0-9-]{1,62}$/)
          .meta({ description: "a name of letters, digits and hyphens" }),
        z.strictObject({
          address: key(
            filledIn,
            "where somebody can be reached, not empty and not (configure)",
            "on-call@example.com",
          ),
          escalation: key(
            filledIn,
            "when to turn to them, not empty and not (configure)",
            "Primary",
          ),
        }),
      )
      .default({}),
    "contacts by name, each with address and escalation",
    "",
  ),
  announcements: key(
    z
      .record(
        name,
        z.strictObject({
          on: key(
            z.enum(announcementMoments),
            `when it is made: one of ${announcementMoments.join(", ")}`,
            "freeze",
          ),
          text: key(
            filledIn,
            "what is said, not empty and not (configure)",
            "Orders cannot be changed from 02:00 to 02:15 UTC.",
          ),
          dueWithin: key(
            z
              .string()
              .refine((text) => duration.safeParse(text).success)
              .optional(),
            "a length of time such as 48h, within which what it asks for is due",
            "48h",
          ),
        }),
      )
      .default({}),
    "announcements by name, each with on and text",
    "",
  ),
  webhooks: key(
    z.record(name, key(z.string().refine(isWebhookUrl), webhookUrlForm, "--secret")).default({}),
    "the URL of a webhook for each announcement, by its name",
    "--secret",
  ),
  readings: readingsConfig.default({}),
  databasePassword: key(z.string().min(12), "a secret of at least 12 characters", "--secret"),
  database: z.strictObject({
    identifier: key(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/), "an RDS identifier", "flagship"),
    name: key(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), "a PostgreSQL database name", "flagship"),
    username: key(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), "a PostgreSQL role", "cutover"),
    engineVersion: key(z.string().regex(/^\d+(\.\d+)?$/), "a PostgreSQL version", "18.1"),
    instanceClass: key(z.string().startsWith("db."), "an RDS instance class", "db.t4g.small"),
    storageGib: key(z.number().int().min(20), "whole GiB, at least 20", "20"),
    storageEncrypted: key(z.boolean().default(true), "true or false", "true"),
    backupRetentionDays: key(z.number().int().min(0).max(35), "whole days, 0 to 35", "7"),
    deletionProtection: key(z.boolean().default(true), "true or false", "true"),
    caFile: key(
      z.string().min(1).optional(),
      "a PEM file with the server's CA, from the project's top; RDS wants TLS unless it was switched off",
      "rds-ca.pem",
    ),
    skipFinalSnapshot: key(z.boolean().default(false), "true or false", "false"),
  }),
  backups: z.strictObject({
    vault: key(z.string().regex(/^[a-zA-Z0-9_-]{2,50}$/), "an AWS Backup vault name", "flagship"),
    lockMinRetentionDays: key(z.number().int().min(0), "whole days", "7"),
    keepDays: key(z.number().int().min(1), "whole days a backup is kept", "35"),
    schedule: key(z.string().startsWith("cron("), "an AWS cron expression", "cron(0 3 * * ? *)"),
  }),
  bucket: z.strictObject({
    name: key(z.string().regex(/^[a-z0-9][a-z0-9.-]{2,62}$/), "an S3 bucket name", "flagship-docs"),
    encrypted: key(z.boolean().default(true), "true or false", "true"),
    versioned: key(z.boolean().default(true), "true or false", "true"),
    publicAccessBlocked: key(z.boolean().default(true), "true or false", "true"),
    retentionDays: key(z.number().int().min(0), "whole days an old version is kept", "30"),
  }),
  archive: z.strictObject({
    accountId: key(z.string().regex(/^[0-9a-f]{32}$/), "a Cloudflare account id", "0123…cdef"),
    name: key(z.string().regex(/^[a-z0-9][a-z0-9-]{2,62}$/), "an R2 bucket name", "flagship-log"),
    lockDays: key(z.number().int().min(0), "whole days an object is locked", "30"),
  }),
  dns: z.strictObject({
    zoneId: key(z.string().regex(/^[0-9a-f]{32}$/), "a Cloudflare zone id", "0123…cdef"),
    names: key(z.array(host).min(1), "a list of host names that move together", "app.example.com"),
    ttl: z.strictObject({
      baseline: key(z.number().int().min(60).max(86_400), "seconds, 60 to 86400", "3600"),
      lowered: key(z.number().int().min(60).max(86_400), "seconds, 60 to 86400", "60"),
    }),
    resolvers: key(
      z.array(z.string().regex(/^[\d.]+:\d+$/)).min(1),
      "a list of resolvers as address:port",
      "1.1.1.1:53",
    ),
  }),
  services: z.strictObject({
    slots: z.strictObject({
      blue: key(address, "an IPv4 address", "203.0.113.10"),
      green: key(address, "an IPv4 address", "203.0.113.20"),
    }),
    port: key(z.number().int().min(1).max(65_535), "the port that clients use", "8080"),
    memoryMib: key(z.number().int().min(16), "whole MiB a service may use", "256"),
  }),
  legacy: z.strictObject({
    address: key(address, "an IPv4 address", "203.0.113.30"),
    image: key(z.string().min(1), "an image by digest", "registry.example.com/app@sha256:…"),
  }),
  deadlines: z.strictObject({
    drainSeconds: key(z.number().min(0).max(300), "seconds open writes get to finish", "10"),
    healthSeconds: key(z.number().int().min(1), "seconds a service gets to be healthy", "60"),
    probeSeconds: key(z.number().int().min(1), "seconds a probe gets to succeed", "60"),
  }),
});

/** The keys that must be Pulumi secrets. */
const secretKeys = ["databasePassword", "webhooks"] as const;

/** The parsed stack config. `databasePassword` and `webhooks` are in clear: wrap them before they reach a resource. */
export type Config = z.infer<typeof schema>;

/** The parsed stack config without its secrets. */
export function openConfig(config: Config): Omit<Config, (typeof secretKeys)[number]> {
  const { databasePassword: _password, webhooks: _urls, ...open } = config;
  return open;
}

/**
 * Parses the stack config.
 *
 * @param values the whole config as the engine hands it over: `namespace:key` to text, JSON for anything but text
 * @param secrets names of the keys that are encrypted; of what no engine decrypted, the file's `{ secure: … }` counts as
 *   encrypted too
 * @throws OperatorError that lists every bad key: where, found, required, to do
 */
export function parseConfig(
  values: Readonly<Record<string, string>>,
  secrets: readonly string[],
): Config {
  const raw: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(values)) {
    if (name.startsWith(`${namespace}:`)) {
      const short = name.slice(namespace.length + 1);
      raw[short] = decode(short, text);
    }
  }
  const plain = secretKeys.filter((name) => !secrets.includes(`${namespace}:${name}`));
  const plainWebhooks = plain.includes("webhooks") ? coverEncrypted(raw) : [];
  const result = schema.safeParse(raw);
  const problems = [
    ...(result.success ? [] : result.error.issues.flatMap((issue) => issueProblems(issue, raw))),
    ...plain
      .filter((name) => name !== "webhooks" && name in raw)
      .map((name) => plainSecret([name])),
    ...plainWebhooks.map((name) => plainSecret(["webhooks", name])),
    ...(result.success ? relations(result.data) : []),
  ];
  if (!result.success || problems.length > 0) {
    const keys = problems.length === 1 ? "1 key is" : `${problems.length} keys are`;
    throw new OperatorError(
      problemText(`The stack config cannot be used: ${keys} wrong.`, problems),
    );
  }
  return result.data;
}

function key<T extends z.ZodType>(type: T, description: string, example: string): T {
  return type.meta({ description, example });
}

/** Text stays text where the schema wants text; everything else is JSON, and what isn't stays text to be refused. */
function decode(name: string, text: string): unknown {
  const wanted = schema.shape[name as keyof typeof schema.shape] as z.ZodType | undefined;
  if (wanted instanceof z.ZodString || wanted instanceof z.ZodEnum) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function issueProblems(issue: z.core.$ZodIssue, raw: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const known = shapeAt(issue.path, raw);
    return issue.keys.map((name) => {
      const where = dotted([...issue.path, name]);
      return {
        where,
        found: "a key that nothing reads",
        required: `one of ${known.join(", ")}`,
        todo: `pulumi config rm --path '${where}'`,
      };
    });
  }
  const isSecret = secretKeys.some((entry) => entry === issue.path[0]);
  if (issue.code === "invalid_key") {
    // A secret may have got where its name belongs.
    const shownPath = isSecret ? issue.path.slice(0, -1) : issue.path;
    const where = dotted(shownPath);
    return [
      {
        where,
        found: isSecret ? "a name (not shown)" : String(issue.path.at(-1)),
        required: keyForm(issue.path.slice(0, -1), raw),
        todo: `pulumi config rm --path '${where}', and set it under another name`,
      },
    ];
  }
  // A wrong item of a list is shown as the list's own problem, because the list is what gets set.
  const item = issue.path.findIndex((part) => typeof part === "number");
  const path = item === -1 ? issue.path : issue.path.slice(0, item);
  const meta = schemaAt(path, raw)?.meta() ?? {};
  const where = dotted(path);
  const example = typeof meta["example"] === "string" ? meta["example"] : "";
  return [
    {
      where,
      found:
        isSecret && valueAt(raw, path) !== undefined
          ? "a secret (not shown)"
          : shown(valueAt(raw, issue.path)),
      required: meta.description ?? `a group of keys: ${shapeAt(path, raw).join(", ")}`,
      todo: isSecret
        ? setSecret(path)
        : example === ""
          ? `see the same key in Pulumi.production.yaml`
          : `pulumi config set --path '${where}' '${example}'`,
    },
  ];
}

function plainSecret(path: readonly string[]): Problem {
  return {
    where: dotted(path),
    found: "plain text (not shown)",
    required: "a Pulumi secret",
    todo: setSecret(path),
  };
}

function setSecret(path: readonly PropertyKey[]): string {
  const where = dotted(path);
  return path.length === 1
    ? `pulumi config set --secret ${where}`
    : `pulumi config set --secret --path '${where}'`;
}

/** Stands for a webhook whose URL only the engine can decrypt. No name ends so, so nothing can be sent there. */
const encryptedUrl = "https://encrypted.invalid/";

/**
 * Puts a stand-in for each webhook that is still encrypted, as the stack's file has it.
 *
 * @returns the names of the others: they lie there in plain text
 */
function coverEncrypted(raw: Record<string, unknown>): string[] {
  const webhooks = raw["webhooks"];
  if (typeof webhooks !== "object" || webhooks === null) return [];
  const names = Object.keys(isEncrypted(webhooks) ? Object(raw["announcements"]) : webhooks);
  const plain = isEncrypted(webhooks)
    ? []
    : Object.entries(webhooks).flatMap(([name, url]) => (isEncrypted(url) ? [] : [name]));
  raw["webhooks"] = Object.fromEntries(
    names.map((name) => [
      name,
      plain.includes(name) ? (webhooks as Record<string, unknown>)[name] : encryptedUrl,
    ]),
  );
  return plain;
}

function isEncrypted(value: unknown): boolean {
  return z.strictObject({ secure: z.string() }).safeParse(value).success;
}

/** What single keys cannot say. */
function relations(config: Config): Problem[] {
  return [...placeRelations(config), ...webhookRelations(config)];
}

function webhookRelations({ announcements, webhooks }: Config): Problem[] {
  const where = (name: string): string => dotted(["webhooks", name]);
  return [
    ...Object.keys(announcements)
      .filter((name) => !Object.hasOwn(webhooks, name))
      .map((name) => ({
        where: where(name),
        found: `nothing, but there is an announcement ${name}`,
        required: "a webhook for every announcement",
        todo: setSecret(["webhooks", name]),
      })),
    ...Object.keys(webhooks)
      .filter((name) => !Object.hasOwn(announcements, name))
      .map((name) => ({
        where: where(name),
        found: `a webhook, but no announcement ${name}`,
        required: "an announcement for every webhook",
        todo: `pulumi config rm --path '${where(name)}'`,
      })),
  ];
}

function placeRelations(config: Config): Problem[] {
  const { ttl } = config.dns;
  const { slots } = config.services;
  const targets = [slots.blue, slots.green, config.legacy.address];
  const problems: Problem[] = [];
  if (ttl.lowered > ttl.baseline) {
    problems.push({
      where: `${namespace}:dns.ttl.lowered`,
      found: `${ttl.lowered} seconds, above the baseline`,
      required: `at most dns.ttl.baseline (${ttl.baseline} seconds)`,
      todo: `pulumi config set --path '${namespace}:dns.ttl.lowered' 60`,
    });
  }
  if (new Set(targets).size !== targets.length) {
    problems.push({
      where: `${namespace}:services.slots`,
      found: targets.join(", "),
      required: "three different addresses for blue, green and legacy",
      todo: `pulumi config set --path '${namespace}:services.slots.green' 203.0.113.20`,
    });
  }
  return problems;
}

function dotted(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map(String);
  return `${namespace}:${[first, ...rest].join(".")}`;
}

function schemaAt(path: readonly PropertyKey[], raw: unknown): z.ZodType | undefined {
  const [first, name, ...rest] = path;
  if (first !== "readings" || name === undefined) return schemaWithin(schema, path);
  return schemaWithin(readingShape(valueAt(raw, [first, name, "kind"])), rest);
}

function schemaWithin(from: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let at: z.ZodType | undefined = from;
  for (const part of path) {
    if (at instanceof z.ZodDefault || at instanceof z.ZodOptional) at = at.unwrap() as z.ZodType;
    if (at instanceof z.ZodRecord) at = at.valueType as z.ZodType;
    else if (at instanceof z.ZodObject) at = (at.shape as Record<string, z.ZodType>)[String(part)];
    else at = undefined;
  }
  return at;
}

/** What the names in a record must look like. */
function keyForm(path: readonly PropertyKey[], raw: unknown): string {
  let at = schemaAt(path, raw);
  if (at instanceof z.ZodDefault) at = at.unwrap() as z.ZodType;
  const meta = at instanceof z.ZodRecord ? (at.keyType as z.ZodType).meta() : undefined;
  return meta?.description ?? "another name";
}

function shapeAt(path: readonly PropertyKey[], raw: unknown): string[] {
  const at = schemaAt(path, raw);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    raw,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
