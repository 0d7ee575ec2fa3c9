import { parse as parseTemplate } from "dotenv";
import { parse } from "yaml";
import type { Project } from "../cli/project.ts";
import { renderCompose, renderCoolify } from "../infra/services/render/compose.ts";
import { RehearsalError } from "./command.ts";

/**
 * What CI attests of a file that `cutover render` writes for a release: an `.env` template as it is, and of a Compose file
 * what `docker compose config --format json` makes of it once every variable of its template is filled in.
 *
 * @param name of the file, such as `compose.yaml`
 * @param variables name of the Compose file's `.env` template, such as `env.vps.example`
 * @throws RehearsalError when no such file is rendered, or the Compose file wants a variable that the template does not name
 */
export function renderedReport(
  { config, release }: Pick<Project, "config" | "release">,
  name: string,
  variables: string | undefined,
): string {
  const files = [...renderCompose({ config, release }), ...renderCoolify({ config, release })];
  const textOf = (wanted: string): string => {
    const file = files.find(({ path }) => path === wanted);
    if (file !== undefined) return file.text;
    const known = files.map(({ path }) => path).join(", ");
    throw new RehearsalError(`cutover render writes no ${wanted}. Required: one of ${known}.`);
  };
  if (variables === undefined) return textOf(name);
  const filledIn = Object.keys(parseTemplate(textOf(variables)));
  const text = textOf(name).replaceAll(/\$\$|\$\{(\w+):\?\}/g, (_, variable?: string) => {
    if (variable === undefined) return "$";
    if (filledIn.includes(variable)) return "filled-in";
    throw new RehearsalError(`${name} wants ${variable}, which ${variables} does not name.`);
  });
  return `${JSON.stringify(parse(text), null, 2)}\n`;
}
