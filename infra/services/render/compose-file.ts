import { stringify } from "yaml";
import type { ComposeService } from "./compose-service.ts";
import type { RenderedFile } from "./rendered-file.ts";

/** A variable of an `.env` template. */
export interface TemplateLine {
  readonly name: string;
  /** Where its value comes from. */
  readonly source: string;
}

/** A Compose file. Volumes are those that its services name. */
export function composeFile(
  path: string,
  comment: readonly string[],
  name: string,
  network: string,
  services: Readonly<Record<string, ComposeService>>,
): RenderedFile {
  const volumes = [
    ...new Set(
      Object.values(services).flatMap(({ volumes: mounts = [] }) =>
        (mounts as readonly string[]).map((mount) => mount.split(":")[0] ?? ""),
      ),
    ),
  ];
  const document = {
    name,
    services,
    networks: { [network]: { driver: "bridge" } },
    ...(volumes.length === 0
      ? {}
      : { volumes: Object.fromEntries(volumes.map((each) => [each, {}])) }),
  };
  const text = stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
  return { path, mode: "0644", text: `${commented(comment)}${text}` };
}

/** A template of an `.env` file: names, where each value comes from, and no values. */
export function envTemplate(
  path: string,
  comment: readonly string[],
  lines: readonly TemplateLine[],
): RenderedFile {
  const once = [...new Map(lines.map((line) => [line.name, line])).values()];
  const blocks = once.map(({ name, source }) => `\n# ${source}\n${name}=\n`);
  return { path, mode: "0644", text: `${commented(comment)}${blocks.join("")}` };
}

function commented(lines: readonly string[]): string {
  return lines.map((line) => `# ${line}\n`).join("");
}
