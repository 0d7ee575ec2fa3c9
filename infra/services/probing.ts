/** The command in a container that ends with 0 when its path answers well. */
export function probing(port: number, path: string): string[] {
  return ["wget", "-q", "--spider", `http://127.0.0.1:${port}${path}`];
}
