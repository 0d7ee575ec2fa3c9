import type { Properties } from "./properties.ts";

/** One input that a resource type does not accept, and why. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

/** What every operation is told about the call it serves. */
export interface Call {
  /** URN of the resource; empty for a function. */
  readonly urn: string;
  /** Last part of the URN; empty for a function. */
  readonly name: string;
  /** Type token of the resource, or token of the function. */
  readonly type: string;
  /** True when nothing may change. The engine does not tell it to `check`, `diff` and `read`: false there. */
  readonly preview: boolean;
  /** Aborts when the run is cancelled, when the engine goes away, and when the resource's timeout is over. */
  readonly signal: AbortSignal;
  /** Seconds of the resource's custom timeout for this operation; 0 when it has none. */
  readonly timeoutSeconds: number;
  /** Says something at this resource in the output of the CLI. `debug` shows with `--debug` only. */
  log(severity: Severity, message: string): void;
}

/** How loud a message is. */
export type Severity = "debug" | "info" | "warning" | "error";

/** Inputs and outputs of a resource as the state holds them. */
export interface ResourceState {
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** Whether a resource has to change, and how. */
export interface DiffResult {
  readonly changes: boolean;
  /** Inputs that make a replacement of the change. */
  readonly replaces?: readonly string[];
  readonly deleteBeforeReplace?: boolean;
  /** Inputs that differ. */
  readonly diffs?: readonly string[];
}

/** What a provider does for one type of resource. */
export interface ResourceType {
  /** Judges the inputs before anything else happens. In previews they may hold unknown values. */
  check?(
    news: Properties,
    olds: Properties | undefined,
    call: Call,
  ): readonly CheckFailure[] | Promise<readonly CheckFailure[]>;
  /** Default: every input that differs is an update, or a replacement where the type has no `update`. */
  diff?(
    olds: ResourceState & { readonly id: string },
    news: Properties,
    call: Call,
  ): DiffResult | Promise<DiffResult>;
  /** In a preview it returns the outputs that it already knows; those left out are unknown to the program. */
  create(
    news: Properties,
    call: Call,
  ): Promise<{ readonly id: string; readonly outputs: Properties }>;
  update?(
    id: string,
    olds: ResourceState,
    news: Properties,
    call: Call,
  ): Promise<{ readonly outputs: Properties }>;
  /** Returns undefined when the resource is gone. Default: the state as it is. */
  read?(
    id: string,
    state: ResourceState,
    call: Call,
  ): Promise<(ResourceState & { readonly id: string }) | undefined>;
  /** Default: nothing happens outside the state. */
  delete?(id: string, olds: ResourceState, call: Call): Promise<void>;
  /** Outputs that are secret always. Inputs that came in secret stay secret under their name without it. */
  readonly secretOutputs?: readonly string[];
}

/** A provider: its types, its functions and what it does when it has to go. */
export interface ProviderDefinition {
  readonly name: string;
  readonly version: string;
  readonly types: Readonly<Record<string, ResourceType>>;
  readonly functions?: Readonly<
    Record<string, (args: Properties, call: Call) => Promise<Properties>>
  >;
  /** Told the provider's own configuration: as the engine's text variables, and as values. */
  configure?(variables: Readonly<Record<string, string>>, args: Properties): void | Promise<void>;
  /** What to say about a type or function that this provider does not have. */
  unsupported?(type: string): string;
  /**
   * Called once when the provider goes. A plugin goes on SIGINT, SIGTERM, Cancel, at the engine's normal end and when
   * the engine died; it has 3 seconds. A provider made by `startProvider` goes when it is closed.
   */
  onShutdown?(): Promise<void>;
}

/** An error for the operator: the CLI shows its message as it is, without a stack. Nothing was created or changed. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** The resource exists, but is not what it should be: the engine keeps its state and remembers the error. */
export class PartialError extends Error {
  override readonly name = "PartialError";
  readonly id: string;
  readonly outputs: Properties;

  constructor(message: string, id: string, outputs: Properties) {
    super(message);
    this.id = id;
    this.outputs = outputs;
  }
}
