/** A file that was rendered from the stack config. Nothing in it is a secret. */
export interface RenderedFile {
  /** Where it belongs: an absolute path on a host, or a name beside the others. */
  readonly path: string;
  readonly text: string;
  /** As `chmod` takes it. */
  readonly mode: FileMode;
}

/** Who may read and run a file: everybody reads it, everybody runs it, or only its owner reads it. */
export type FileMode = "0644" | "0755" | "0600";
