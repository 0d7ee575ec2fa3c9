/** The config namespace: the project's name, so that `pulumi config set phase cutover` reaches it. */
export const namespace = "cutover";

/** A path into the stack config as `pulumi config --path` takes it: `cutover:dns.zones["example.com"]`. */
export function dotted(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path;
  const steps = rest.map((part) =>
    typeof part === "number"
      ? `[${part}]`
      : /^[A-Za-z_][\w-]*$/.test(String(part))
        ? `.${String(part)}`
        : `[${JSON.stringify(String(part))}]`,
  );
  return `${namespace}:${String(first ?? "")}${steps.join("")}`;
}

/** The command that sets a secret. */
export function setSecret(path: readonly PropertyKey[]): string {
  const where = dotted(path);
  return path.length === 1
    ? `pulumi config set --secret ${where}`
    : `pulumi config set --secret --path '${where}'`;
}

/** The command that sets a value. */
export function setValue(path: readonly PropertyKey[], value: string): string {
  return `pulumi config set --path '${dotted(path)}' '${value}'`;
}

/** The command that takes a value away. */
export function removeValue(path: readonly PropertyKey[]): string {
  return `pulumi config rm --path '${dotted(path)}'`;
}
