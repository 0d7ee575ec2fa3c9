import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import type { Checklist } from "../policies/contract/checklist.ts";
import { parseConfig, type Config } from "../infra/config.ts";
import { OperatorError, problemText } from "../infra/errors.ts";
import { messageOf } from "../infra/provider/error-text.ts";
import { loadChecklist } from "../infra/release/checklist.ts";
import { availableVersions, readRelease, type Release } from "../infra/release/release.ts";

/** Which release, on which stack; what is left out is taken from the stack's config. */
export interface Choice {
  readonly stack: string;
  readonly release?: string;
  readonly phase?: string;
  /** A folder of the project (default: the working folder). */
  readonly folder?: string;
}

/** A stack as its files describe it: nothing of it is deployed, decrypted or asked for. */
export interface Project {
  /** Absolute path of the project's top. */
  readonly root: string;
  readonly config: Config;
  /** As guards call it: `<system>/<stack>`. */
  readonly stack: string;
  readonly release: Release;
  readonly checklist: Checklist;
  /** Absolute path of the pack's trusted signers. */
  readonly trust: string;
}

/**
 * Reads the project that a folder is in.
 *
 * @throws OperatorError with what is missing or wrong
 */
export function readProject(choice: Choice): Project {
  const root = topOf(choice.folder ?? process.cwd());
  const config = parseConfig(...engineValues(root, choice));
  const folder = join(root, config.folder);
  const release = readRelease(folder, config.release);
  if (release === undefined) {
    const versions = availableVersions(folder).join(", ");
    throw new OperatorError(
      problemText("The release is unknown.", [
        {
          where: `${config.folder}/releases/${config.release}.yaml`,
          found: "no such file",
          required: versions === "" ? "a file of the release" : `one of ${versions}`,
          todo: `name another one with --release, or write the file`,
        },
      ]),
    );
  }
  return {
    root,
    config,
    release,
    stack: `${config.system}/${choice.stack}`,
    checklist: loadChecklist(config.system, join(root, "policies", "checklists")),
    trust: join(root, "policies", "trust"),
  };
}

function topOf(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "Pulumi.yaml"))) return folder;
    if (folder === dirname(folder)) break;
  }
  throw new OperatorError(
    problemText("There is no project here.", [
      {
        where: from,
        found: "no Pulumi.yaml, here or above",
        required: "a folder of the project",
        todo: "cd to the project",
      },
    ]),
  );
}

/** The stacks of a project that have a config file. */
export function knownStacks(root: string): string[] {
  return readdirSync(root).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
}

/** The config as the engine would hand it over. Secrets stay encrypted: nothing here needs them. */
export function engineValues(
  root: string,
  { stack, release, phase }: Choice,
): [Record<string, string>, string[]] {
  const file = `Pulumi.${stack}.yaml`;
  if (!existsSync(join(root, file))) {
    const known = knownStacks(root);
    throw new OperatorError(
      problemText("The stack is unknown.", [
        {
          where: "--stack",
          found: stack,
          required: `one of ${known.join(", ")}`,
          todo: `name a stack that has a file, such as --stack ${known[0] ?? "production"}`,
        },
      ]),
    );
  }
  const { config = {} } = (yamlIn(join(root, file), file) ?? {}) as {
    config?: Record<string, unknown>;
  };
  const given = {
    ...config,
    ...(release === undefined ? {} : { "cutover:release": release }),
    ...(phase === undefined ? {} : { "cutover:phase": phase }),
  };
  const values = Object.entries(given).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const secrets = encrypted(config);
  return [
    { ...(Object.fromEntries(values) as Record<string, string>), ...secrets },
    Object.keys(secrets).filter((name) => name !== webhooks),
  ];
}

const webhooks = "cutover:webhooks";

/** What stands for secrets that are encrypted, or that are yet to be set. */
function encrypted(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const { password = "config" } = (config["cutover:database"] ?? {}) as { password?: unknown };
  const announcements = Object.keys(config["cutover:announcements"] ?? {});
  const covers = announcements.map((name) => [name, { secure: "not needed" }]);
  return {
    ...(password === "config" ? { "cutover:databasePassword": "encrypted, and not needed" } : {}),
    ...(webhooks in config || announcements.length === 0
      ? {}
      : { [webhooks]: JSON.stringify(Object.fromEntries(covers)) }),
  };
}

function yamlIn(path: string, where: string): unknown {
  try {
    return parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new OperatorError(
      problemText("The stack config cannot be read.", [
        {
          where,
          found: messageOf(error).split("\n")[0] ?? "",
          required: "a YAML document",
          todo: `correct ${where}`,
        },
      ]),
    );
  }
}
