/** Whatever starts after others of its kind. */
interface Dependent {
  readonly dependsOn: readonly string[];
}

/** The order in which things start, or a circle of names that wait for each other. */
export type StartOrder =
  | { readonly order: readonly string[]; readonly circle?: undefined }
  | { readonly order?: undefined; readonly circle: readonly string[] };

/**
 * Orders the rows of a table so that each comes after those that it depends on, and otherwise as they are written. Names
 * that are in no row are left out.
 */
export function startOrder(table: Readonly<Record<string, Dependent>>): StartOrder {
  const order: string[] = [];
  const path: string[] = [];
  const visit = (name: string): readonly string[] | undefined => {
    const row = table[name];
    if (row === undefined || order.includes(name)) return undefined;
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    path.push(name);
    for (const other of row.dependsOn) {
      const circle = visit(other);
      if (circle !== undefined) return circle;
    }
    path.pop();
    order.push(name);
    return undefined;
  };
  for (const name of Object.keys(table)) {
    const circle = visit(name);
    if (circle !== undefined) return { circle };
  }
  return { order };
}
