import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isNode, parseDocument, type Document } from "yaml";
import { rolesAsked } from "../cli/asked.ts";
import { knownStacks } from "../cli/project.ts";
import { loadChecklist } from "../infra/release/checklist.ts";
import { availableVersions, readRelease } from "../infra/release/release.ts";
import type { Engine } from "../tools/engine/engine.ts";
import { clockScale } from "./clock.ts";
import { startCloud, type Cloud } from "./cloud.ts";
import { RehearsalError } from "./command.ts";
import { pulumi, type Workplace } from "./pulumi.ts";
import { rehearsedConfig, type RehearsedOptions } from "./rehearsed-config.ts";
import type { WriterOptions } from "./writer.ts";
import { makeSigners, signRelease, type Signers } from "./signers.ts";

/**
 * Makes a temporary folder that holds all of a rehearsal. Others may pass through it, because PostgreSQL refuses to run
 * as root and must still reach its data.
 */
export async function makeHome(prefix: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), prefix));
  await chmod(home, 0o711);
  return home;
}

/** The project's top folder. */
export const projectFolder = resolve(import.meta.dirname, "..");

/** Parts of the project that a workspace shares with it. */
const shared = ["tools", "node_modules", "package.json", "Pulumi.yaml"];

/** Parts that it has of its own: a rehearsal edits the examples, and trusts signers that nobody else does. */
const copied = ["examples", "infra", "policies"];

/** Who waives gates in a rehearsal. */
export const waiverRole = "release-manager";

/** A project folder of its own, with its own state, wired to the stand-ins. */
export interface Workspace extends Workplace {
  readonly stack: string;
  /** Whom its pack trusts. */
  readonly signers: Signers;
  /** What the stack's file says now at a key of the namespace `cutover`. */
  current(key: string): unknown;
  /** Changes a key of the namespace `cutover` in the stack's file; what is under it is replaced as a whole. */
  change(key: string, value: unknown): Promise<void>;
  /** Where a client of the system writes. */
  readonly client: Client;
  /** What the rehearsed stack config says at a path, such as `["cutover:dns", "resolvers", 0]`. */
  configured(path: readonly (string | number)[]): unknown;
}

/** Where a client of a system writes, and what. */
export type Client = Pick<WriterOptions, "host" | "port" | "writes">;

/** What a workspace is made from. */
export interface WorkspaceOptions extends RehearsedOptions {
  readonly engine: Engine;
  /** The stack whose config is rehearsed: `Pulumi.<stack>.yaml`. */
  readonly stack: string;
  /** Further secrets of the stack, by their path below `cutover:`. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** What the engine, and so program and pack, find in their environment beside what the stand-ins need. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Values for what the system's checklist leaves open, by name. */
  readonly open?: Readonly<Record<string, unknown>>;
  /** Commits that releases are made from, by version. */
  readonly commits?: Readonly<Record<string, string>>;
  /** Folder with the stack's config; the project's top by default. */
  readonly source?: string;
  /** Made if absent. */
  readonly folder: string;
}

/**
 * Makes a workspace: the same program, pack and stack config, with addresses, resolvers and clock of the stand-ins, a
 * state folder of its own, and a random database password that is a secret of the stack.
 */
export async function createWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { engine, cloud, stack, folder } = options;
  const config = await stackConfig(stack, options.source ?? projectFolder);
  await mkdir(join(folder, "state"), { recursive: true });
  await Promise.all(shared.map((name) => symlink(join(projectFolder, name), join(folder, name))));
  await Promise.all(
    copied.map((name) => cp(join(projectFolder, name), join(folder, name), { recursive: true })),
  );
  const system = String(config.getIn(["config", "cutover:system"]));
  const signers = await makeSigners(folder, [
    ...new Set([...rolesAsked(loadChecklist(system)), waiverRole]),
  ]);
  await copyFile(cloud.databaseCaFile, join(folder, "rds-ca.pem"));
  const rehearsed = rehearsedConfig(config, options);
  await writeFile(join(folder, `Pulumi.${stack}.yaml`), rehearsed.toString());
  await decide(join(folder, "policies", "checklists", `${system}.yaml`), options.open ?? {});
  for (const [version, commit] of Object.entries(options.commits ?? {})) {
    await commitTo(join(folder, "examples", system, "releases", `${version}.yaml`), commit);
  }
  const place: Workplace = {
    pulumi: engine.pulumi,
    folder,
    env: { ...environment(engine, cloud, folder), ...options.env },
  };
  const secrets = { databasePassword: randomBytes(18).toString("base64url"), ...options.secrets };
  for (const [args, input] of [
    [["stack", "init", stack], undefined],
    ...Object.entries(secrets).map(
      ([path, value]) =>
        [["config", "set", "--secret", "--path", `cutover:${path}`], value] as const,
    ),
  ] as const) {
    const result = await pulumi(place, args, input === undefined ? {} : { input });
    if (result.exitCode !== 0)
      throw new Error(`pulumi ${args.join(" ")} failed:\n${result.output}`);
  }
  const current: Workspace["current"] = (key) =>
    parseDocument(readFileSync(join(folder, `Pulumi.${stack}.yaml`), "utf8")).getIn([
      "config",
      `cutover:${key}`,
    ]);
  const change: Workspace["change"] = async (key, value) => {
    const file = join(folder, `Pulumi.${stack}.yaml`);
    const document = parseDocument(await readFile(file, "utf8"));
    document.setIn(["config", `cutover:${key}`], document.createNode(value));
    await writeFile(file, document.toString());
  };
  const configured: Workspace["configured"] = (path) => {
    const value: unknown = rehearsed.getIn(["config", ...path]);
    return isNode(value) ? (value.toJS(rehearsed) as unknown) : value;
  };
  return {
    ...place,
    stack,
    signers,
    configured,
    client: clientOf(configured, folder, cloud),
    current,
    change,
  };
}

/** Stand-ins and a stack on them. */
export interface Place {
  readonly cloud: Cloud;
  readonly workspace: Workspace;
  /** Ends the stand-ins and removes everything. */
  readonly close: () => Promise<void>;
}

/**
 * Starts stand-ins and makes a stack on them, in a temporary folder of their own. Its releases are signed for; nothing
 * is deployed yet.
 */
export async function openPlace(engine: Engine, stack: string, prefix: string): Promise<Place> {
  const home = await makeHome(prefix);
  let cloud: Cloud | undefined;
  const close = async (): Promise<void> => {
    await cloud?.close();
    await rm(home, { recursive: true, force: true });
  };
  try {
    cloud = await startCloud({ folder: join(home, "cloud"), clockScale });
    const folder = join(home, "project");
    const workspace = await createWorkspace({ engine, cloud, stack, clockScale, folder });
    for (const release of availableVersions(join(folder, "examples", "flagship"))) {
      await signRelease(workspace, release);
    }
    return { cloud, workspace, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first name that moves, and what its service's image writes. */
function clientOf(
  configured: Workspace["configured"],
  folder: string,
  { registry }: Cloud,
): Client {
  const names = configured(["cutover:dns", "names"]) as Record<string, { service?: string }>;
  const [host = "", { service = "web" } = {}] = Object.entries(names)[0] ?? [];
  const system = join(folder, String(configured(["cutover:folder"])));
  const release = readRelease(system, availableVersions(system)[0] ?? "");
  const image = registry.resolve(release?.images[service] ?? "")?.image;
  return {
    host,
    port: Number(configured(["cutover:services", service, "port"])),
    ...(image === undefined ? {} : { writes: image.writes }),
  };
}

/** Puts the rehearsal's own values for what a checklist leaves open. */
async function decide(file: string, open: Readonly<Record<string, unknown>>): Promise<void> {
  const document = parseDocument(await readFile(file, "utf8"));
  for (const [name, value] of Object.entries(open)) {
    document.setIn(["open", name, "value"], document.createNode(value));
  }
  if (Object.keys(open).length > 0) await writeFile(file, document.toString());
}

/** Lets a release be made from a commit that the rehearsal's own repository has. */
async function commitTo(file: string, commit: string): Promise<void> {
  const document = parseDocument(await readFile(file, "utf8"));
  document.set("commit", commit);
  await writeFile(file, document.toString());
}

/** What the CLI needs to work on a workspace, beside what the machine's environment holds. */
function environment(engine: Engine, cloud: Cloud, folder: string): Workplace["env"] {
  const node = dirname(process.execPath);
  return {
    ...cloud.env,
    // Program and pack start anew for every preview and every update; what was compiled once is kept.
    NODE_COMPILE_CACHE: join(projectFolder, "node_modules", ".cache", "node"),
    PATH: [node, engine.folder, process.env["PATH"] ?? ""].join(":"),
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_HOME: join(folder, "home"),
    PULUMI_CONFIG_PASSPHRASE: randomBytes(18).toString("base64url"),
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

/**
 * The stack's own config.
 *
 * @throws RehearsalError when there is no such stack
 */
async function stackConfig(stack: string, folder: string): Promise<Document> {
  const file = `Pulumi.${stack}.yaml`;
  try {
    return parseDocument(await readFile(join(folder, file), "utf8"));
  } catch {
    const known = knownStacks(folder);
    throw new RehearsalError(
      `There is no ${file}. Required: a stack with a config file (${known.join(", ")}).\n` +
        `To do: npm run rehearse -- --stack ${known[0] ?? "production"}`,
    );
  }
}
