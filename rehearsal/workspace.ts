import { randomBytes } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseDocument, type Document } from "yaml";
import { knownStacks } from "../cli/project.ts";
import { availableVersions } from "../infra/release/release.ts";
import type { Engine } from "../tools/engine/engine.ts";
import { clockScale } from "./clock.ts";
import { startCloud, type Cloud } from "./cloud.ts";
import { RehearsalError } from "./command.ts";
import { pulumi, type Workplace } from "./pulumi.ts";
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

/** A project folder of its own, with its own state, wired to the stand-ins. */
export interface Workspace extends Workplace {
  readonly stack: string;
  /** Whom its pack trusts. */
  readonly signers: Signers;
  /** What the stack's own config says at a path, such as `["cutover:dns", "names", 0]`. */
  configured(path: readonly (string | number)[]): unknown;
}

/** What a workspace is made from. */
export interface WorkspaceOptions {
  readonly engine: Engine;
  readonly cloud: Cloud;
  /** The stack whose config is rehearsed: `Pulumi.<stack>.yaml` of the project. */
  readonly stack: string;
  readonly clockScale: number;
  /** Made if absent. */
  readonly folder: string;
}

/**
 * Makes a workspace: the same program, pack and stack config, with addresses, resolvers and clock of the stand-ins, a
 * state folder of its own, and a random database password that is a secret of the stack.
 */
export async function createWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { engine, cloud, stack, folder } = options;
  const config = await stackConfig(stack);
  await mkdir(join(folder, "state"), { recursive: true });
  await Promise.all(shared.map((name) => symlink(join(projectFolder, name), join(folder, name))));
  await Promise.all(
    copied.map((name) => cp(join(projectFolder, name), join(folder, name), { recursive: true })),
  );
  const signers = await makeSigners(folder);
  await writeFile(join(folder, `Pulumi.${stack}.yaml`), rehearsedConfig(config, options));
  const place: Workplace = {
    pulumi: engine.pulumi,
    folder,
    env: environment(engine, cloud, folder),
  };
  for (const [args, input] of [
    [["stack", "init", stack], undefined],
    [["config", "set", "--secret", "databasePassword"], randomBytes(18).toString("base64url")],
  ] as const) {
    const result = await pulumi(place, args, input === undefined ? {} : { input });
    if (result.exitCode !== 0)
      throw new Error(`pulumi ${args.join(" ")} failed:\n${result.output}`);
  }
  return { ...place, stack, signers, configured: (path) => config.getIn(["config", ...path]) };
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

/** What the CLI needs to work on a workspace, beside what the machine's environment holds. */
function environment(engine: Engine, cloud: Cloud, folder: string): Record<string, string> {
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
async function stackConfig(stack: string): Promise<Document> {
  const file = `Pulumi.${stack}.yaml`;
  try {
    return parseDocument(await readFile(join(projectFolder, file), "utf8"));
  } catch {
    const known = knownStacks(projectFolder);
    throw new RehearsalError(
      `There is no ${file}. Required: a stack with a config file (${known.join(", ")}).\n` +
        `To do: npm run rehearse -- --stack ${known[0] ?? "production"}`,
    );
  }
}

/** The stack's own config, with what only the stand-ins can give. */
function rehearsedConfig(config: Document, { cloud, clockScale }: WorkspaceOptions): string {
  const document = config.clone();
  const { network } = cloud;
  const values: [string[], unknown][] = [
    [["cutover:clockScale"], clockScale],
    [["cutover:dns", "resolvers"], [cloud.resolver]],
    [["cutover:services", "port"], network.port],
    [["cutover:services", "slots"], { blue: network.blue, green: network.green }],
    [["cutover:legacy", "address"], network.legacy],
  ];
  for (const [name, reading] of Object.entries(readingsOf(config))) {
    if (reading.kind !== "dns-answers") continue;
    values.push(
      [["cutover:readings", name, "resolvers"], [cloud.resolver]],
      [["cutover:readings", name, "authorities"], [cloud.nameServer]],
    );
  }
  // The databases of a rehearsal speak no TLS.
  document.deleteIn(["config", "cutover:database", "caFile"]);
  for (const [path, value] of values) {
    document.setIn(["config", ...path], document.createNode(value));
  }
  return document.toString();
}

function readingsOf(config: Document): Record<string, { readonly kind?: unknown }> {
  const { config: values = {} } = (config.toJS() ?? {}) as { config?: Record<string, unknown> };
  return (values["cutover:readings"] ?? {}) as Record<string, { readonly kind?: unknown }>;
}
