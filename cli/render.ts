import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError, problemText, type Problem } from "../infra/errors.ts";
import { codeOf } from "../infra/provider/error-text.ts";
import {
  renderCompose,
  renderCoolify,
  type RenderSource,
} from "../infra/services/render/compose.ts";
import type { RenderedFile } from "../infra/services/render/rendered-file.ts";
import { renderSystemd } from "../infra/services/render/systemd-files.ts";
import { readProject, type Choice } from "./project.ts";

/** What can be rendered, by the name that the command takes. */
const forms: Readonly<Record<string, Form>> = {
  systemd: { render: renderSystemd, lacking: "no service with the key systemd" },
  compose: { render: renderCompose, lacking: "no service that runs in a container" },
  coolify: { render: renderCoolify, lacking: "no service that runs in a container" },
};

interface Form {
  readonly render: (source: RenderSource) => RenderedFile[];
  readonly lacking: string;
}

/** How files are rendered. */
export interface RenderOptions extends Choice {
  readonly out: string;
  /** Whether files that say something else are written over. */
  readonly force?: boolean;
}

/** What became of the files. */
export interface Rendered {
  readonly release: string;
  readonly files: readonly { readonly path: string; readonly written: boolean }[];
}

/**
 * Renders the service table of a stack for one release into a folder. Files that say the same already stay as they are.
 *
 * @throws OperatorError when there is nothing to render, and when a file was changed since; then nothing is written
 */
export function render(what: string, { out, force = false, ...choice }: RenderOptions): Rendered {
  const form = forms[what];
  if (form === undefined || !Object.hasOwn(forms, what)) {
    throw refused([
      {
        where: "<what>",
        found: what,
        required: `one of ${Object.keys(forms).join(", ")}`,
        todo: "npx cutover render --help",
      },
    ]);
  }
  const { config, release } = readProject(choice);
  const files = form.render({ config, release });
  if (!files.some(({ text }) => /^\[Service\]|^services:\n {2}/m.test(text))) {
    throw refused([
      {
        where: `Pulumi.${choice.stack}.yaml: cutover:services`,
        found: form.lacking,
        required: `something to render as ${what}`,
        todo: "name another stack with --stack, or another form",
      },
    ]);
  }
  const wanted = files.map((file) => {
    const path = join(out, file.path);
    return { ...file, path, before: textIn(path) };
  });
  const changed = wanted.filter(({ text, before }) => before !== undefined && before !== text);
  if (changed.length > 0 && !force) {
    throw refused(
      changed.map(({ path }) => ({
        where: path,
        found: "a file that says something else",
        required: "the rendered file, or none",
        todo: `see what differs, then add --force, or name another folder with --out`,
      })),
    );
  }
  for (const { path, text, mode, before } of wanted) {
    if (before !== text) write(path, text, mode);
  }
  return {
    release: release.version,
    files: wanted.map(({ path, text, before }) => ({ path, written: before !== text })),
  };
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw unusable(path, "read", error);
  }
}

function write(path: string, text: string, mode: RenderedFile["mode"]): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: Number.parseInt(mode, 8) });
  } catch (error) {
    throw unusable(path, "written", error);
  }
}

function unusable(path: string, verb: string, error: unknown): OperatorError {
  return refused([
    {
      where: path,
      found: `it cannot be ${verb} (${codeOf(error) ?? "unknown reason"})`,
      required: "a folder that may be written to",
      todo: "name another one with --out",
    },
  ]);
}

function refused(problems: readonly Problem[]): OperatorError {
  return new OperatorError(problemText("Nothing was rendered.", problems));
}
