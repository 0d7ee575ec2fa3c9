/** A section of a unit file: directives in order, a name with several values stands once for each. */
export type Section = readonly (readonly [name: string, value: string])[];

/** A unit file of these sections. Values are written as they are: see {@link word} and {@link assignment}. */
export function unitText(sections: Readonly<Record<string, Section>>): string {
  return Object.entries(sections)
    .map(([name, lines]) =>
      [`[${name}]`, ...lines.map(([key, value]) => `${key}=${value}`), ""].join("\n"),
    )
    .join("\n");
}

/** A word of a command line, which systemd hands over as it is here: neither `%` nor `$` nor quotes mean anything. */
export function word(text: string): string {
  const plain = escaped(text).replaceAll("$", "$$$$");
  return /^[\w%+,./:=@^-]+$/.test(plain) ? plain : `"${plain}"`;
}

/** What stands behind `Environment=`: there a `$` is only a `$`. */
export function assignment(name: string, value: string): string {
  return `"${escaped(`${name}=${value}`)}"`;
}

/** A path or a description: `%` is the only thing that means something there. */
export function plain(text: string): string {
  return text.replaceAll("%", "%%");
}

/**
 * The text of an `EnvironmentFile=`.
 *
 * @param values may hold anything but a NUL
 */
export function environmentText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\`$]/g, String.raw`\$&`)}"\n`)
    .join("");
}

function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', String.raw`\"`)
    .replaceAll("\n", String.raw`\n`)
    .replaceAll("%", "%%");
}
