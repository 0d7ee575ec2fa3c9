import { z } from "zod";
import { duration } from "../policies/contract/checklist.ts";
import { phases } from "../policies/contract/phase.ts";
import { alarmsConfig } from "./alarms/config.ts";
import { announcementMoments, isWebhookUrl, webhookUrlForm } from "./announcement.ts";
import { backupsConfig, restoreTestConfig } from "./backups/config.ts";
import { bucketConfig } from "./buckets/config.ts";
import { filledIn, key, lengthOfTime, tableName } from "./config-key.ts";
import { dotted, namespace, setSecret } from "./config-path.ts";
import { relations } from "./config-relations.ts";
import { databaseConfig } from "./databases/config.ts";
import { dnsConfig } from "./dns/config.ts";
import { OperatorError, problemText, type Problem } from "./errors.ts";
import { identityConfig } from "./identity/config.ts";
import { legacyConfig } from "./legacy/config.ts";
import { readingShape, readingsConfig } from "./readings/readings.ts";
import { secretConfig } from "./secrets/config.ts";
import { hostsConfig, jobConfig, serviceConfig, slotsConfig } from "./services/config.ts";

const offsetForm =
  "a length of time such as 24h, with a minus for before the planned cutover; 0h for the cutover itself";

function isOffset(text: string): boolean {
  return text === "0h" || duration.safeParse(text.replace(/^-/, "")).success;
}

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
  notBefore: key(
    z
      .partialRecord(z.enum(phases), key(z.string().refine(isOffset), offsetForm, "-24h"))
      .default({}),
    "by phase, how long after the cutover (or, with a minus, before the planned one) it may begin",
    "",
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
      tableName,
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
        tableName,
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
            lengthOfTime.optional(),
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
    z
      .record(tableName, key(z.string().refine(isWebhookUrl), webhookUrlForm, "--secret"))
      .default({}),
    "the URL of a webhook for each announcement, by its name",
    "--secret",
  ),
  readings: readingsConfig.default({}),
  databasePassword: key(
    z.string().min(12).optional(),
    "a secret of at least 12 characters",
    "--secret",
  ),
  database: databaseConfig,
  backups: backupsConfig.optional(),
  restoreTest: restoreTestConfig.optional(),
  buckets: table(bucketConfig, "buckets by name"),
  secrets: table(secretConfig, "secrets by name, each with the store that keeps it"),
  dns: dnsConfig,
  slots: slotsConfig.optional(),
  hosts: hostsConfig.default({}),
  services: z.record(tableName, serviceConfig),
  jobs: table(jobConfig, "jobs by name"),
  flags: key(
    z.record(tableName, z.union([z.boolean(), z.string()])).default({}),
    "feature flags by name, each true, false or a text",
    "",
  ),
  safeMode: key(
    z.boolean().default(false),
    "true starts the services of the release in safe mode",
    "true",
  ),
  alarms: alarmsConfig.optional(),
  identity: identityConfig.optional(),
  legacy: legacyConfig.optional(),
  deadlines: z.strictObject({
    drainSeconds: key(z.number().min(0).max(300), "seconds open writes get to finish", "10"),
    healthSeconds: key(z.number().int().min(1), "seconds a service gets to be healthy", "60"),
    probeSeconds: key(z.number().int().min(1), "seconds a probe gets to succeed", "60"),
  }),
});

function table<Row extends z.ZodType>(row: Row, description: string) {
  return key(z.record(tableName, row).default({}), description, "");
}

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

/** Text stays text where the schema wants text; everything else is JSON, and what isn't stays text to be refused. */
function decode(name: string, text: string): unknown {
  const wanted = schema.shape[name as keyof typeof schema.shape] as z.ZodType | undefined;
  const form = wanted && unwrapped(wanted);
  // Whatever its form: z.iso.datetime() is a text of another class.
  if (form?.def.type === "string" || form?.def.type === "enum") return text;
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
  const path = typeof issue.path.at(-1) === "number" ? issue.path.slice(0, -1) : issue.path;
  const meta = schemaAt(path, raw)?.meta() ?? {};
  const where = dotted(path);
  const kinds = kindsOf(issue);
  const example = kinds[0] ?? (typeof meta["example"] === "string" ? meta["example"] : "");
  return [
    {
      where,
      found:
        isSecret && valueAt(raw, path) !== undefined
          ? "a secret (not shown)"
          : shown(valueAt(raw, issue.path)),
      required: meta.description ?? formAt(path, raw, kinds),
      todo: isSecret
        ? setSecret(path)
        : example === ""
          ? `see the same key in Pulumi.production.yaml`
          : `pulumi config set --path '${where}' '${example}'`,
    },
  ];
}

/** The names of the forms of which one must be chosen; none where that is not what is wrong. */
function kindsOf(issue: z.core.$ZodIssue): string[] {
  return issue.code === "invalid_union"
    ? ("options" in issue ? (issue.options ?? []) : []).map(String)
    : [];
}

/** What must stand at a place whose schema does not say so itself. */
function formAt(path: readonly PropertyKey[], raw: unknown, kinds: readonly string[]): string {
  if (kinds.length > 0) return `one of ${kinds.join(", ")}`;
  const isList = unwrapped(schemaAt(path, raw) ?? z.unknown()) instanceof z.ZodArray;
  const keys = shapeAt(isList ? [...path, 0] : path, raw).join(", ");
  return isList ? `a list of groups of keys: ${keys}` : `a group of keys: ${keys}`;
}

function plainSecret(path: readonly string[]): Problem {
  return {
    where: dotted(path),
    found: "plain text (not shown)",
    required: "a Pulumi secret",
    todo: setSecret(path),
  };
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

function schemaAt(path: readonly PropertyKey[], raw: unknown): z.ZodType | undefined {
  const [first, name, ...rest] = path;
  if (first !== "readings" || name === undefined) return schemaWithin(schema, path, raw);
  const value = valueAt(raw, [first, name]);
  return schemaWithin(readingShape(valueAt(value, ["kind"])), rest, value);
}

/** Where a path leads in a schema; `value` is what was given there, and tells which of several forms is meant. */
function schemaWithin(
  from: z.ZodType,
  path: readonly PropertyKey[],
  value: unknown,
): z.ZodType | undefined {
  let at: z.ZodType | undefined = from;
  path.forEach((part, depth) => {
    const form = at === undefined ? undefined : formOf(at, valueAt(value, path.slice(0, depth)));
    if (form instanceof z.ZodRecord) at = form.valueType as z.ZodType;
    else if (form instanceof z.ZodArray) at = form.element as z.ZodType;
    else if (form instanceof z.ZodObject)
      at = (form.shape as Record<string, z.ZodType>)[String(part)];
    else at = undefined;
  });
  return at;
}

/** A schema without what may be left out; of several forms the one that a value names, or else the first. */
function formOf(schemaOf: z.ZodType, value: unknown): z.ZodType {
  const form = unwrapped(schemaOf);
  if (!(form instanceof z.ZodDiscriminatedUnion)) return form;
  const { discriminator } = form.def;
  const named = valueAt(value, [discriminator]);
  const forms = form.options as z.ZodObject[];
  return (
    forms.find((one) => (one.shape[discriminator] as z.ZodLiteral).value === named) ??
    (forms[0] as z.ZodType)
  );
}

/** A schema without what may be left out. */
function unwrapped(schemaOf: z.ZodType): z.ZodType {
  return schemaOf instanceof z.ZodDefault || schemaOf instanceof z.ZodOptional
    ? unwrapped(schemaOf.unwrap() as z.ZodType)
    : schemaOf;
}

/** What the names in a record must look like. */
function keyForm(path: readonly PropertyKey[], raw: unknown): string {
  const found = schemaAt(path, raw);
  const at = found === undefined ? undefined : formOf(found, valueAt(raw, path));
  const meta = at instanceof z.ZodRecord ? (at.keyType as z.ZodType).meta() : undefined;
  return meta?.description ?? "another name";
}

function shapeAt(path: readonly PropertyKey[], raw: unknown): string[] {
  const found = schemaAt(path, raw);
  const at = found === undefined ? undefined : formOf(found, valueAt(raw, path));
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
