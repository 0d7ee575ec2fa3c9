/** How the engine was come by. */
export type Route = "path" | "cache" | "download" | "go-build";

/** A Pulumi CLI with a Node.js language host, ready to use. */
export type Engine = {
  /** The absolute path of the CLI. */
  pulumi: string;
  /** The folder of the CLI: put it first on PATH. */
  folder: string;
  version: string;
  route: Route;
};

/**
 * Says one line to whoever waits. A transient line only tells how far the work is; the next line may
 * take its place.
 */
export type Say = (line: string, transient?: boolean) => void;

/** All that the routes know about the machine, so that tests can give them another one. */
export type Surroundings = {
  env: NodeJS.ProcessEnv;
  home: string;
  /** The folder with go.mod and the language host's source. */
  sources: string;
};
