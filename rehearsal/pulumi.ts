import { execa } from "execa";

/** What one policy said about one resource. */
export interface Violation {
  readonly gate: string;
  readonly resource: string;
  readonly level: "mandatory" | "advisory";
  readonly message: string;
}

/** One resource that a run changed. */
export interface Change {
  readonly resource: string;
  readonly type: string;
  readonly op: string;
  readonly seconds: number;
  readonly failed: boolean;
}

/** What a run of the CLI did and said. */
export interface RunResult {
  readonly exitCode: number;
  readonly seconds: number;
  readonly violations: readonly Violation[];
  /** Changes of the update itself; those of its preview are not among them. */
  readonly changes: readonly Change[];
  /** Error messages, in their order. */
  readonly errors: readonly string[];
  /** Everything else that the CLI printed. */
  readonly output: string;
}

/** Where and how the CLI is run. */
export interface Workplace {
  /** Absolute path of the `pulumi` executable. */
  readonly pulumi: string;
  /** Folder with Pulumi.yaml. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Options of one run. */
export interface RunOptions {
  /** Told about each change as it happens. */
  readonly onChange?: (resource: string, op: string) => void;
  readonly signal?: AbortSignal;
}

/** Runs a command of the CLI that prints plain text; its exit code is in the result. */
export async function pulumi(
  place: Workplace,
  args: readonly string[],
  options: { readonly input?: string; readonly signal?: AbortSignal } = {},
): Promise<RunResult> {
  const began = performance.now();
  const result = await execa(place.pulumi, [...args, "--non-interactive"], {
    ...execution(place, options.signal),
    ...(options.input === undefined ? {} : { input: options.input }),
    all: true,
  });
  return {
    exitCode: result.exitCode ?? 1,
    seconds: (performance.now() - began) / 1000,
    violations: [],
    changes: [],
    errors: result.exitCode === 0 ? [] : [result.all],
    output: result.all,
  };
}

/** Runs `preview` or `up` and follows its events. `up` answers its own question with yes. */
export async function follow(
  place: Workplace,
  command: "preview" | "up",
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const began = performance.now();
  // What a preview would change is not yet a change.
  const previews = command === "up" && !args.includes("--skip-preview") ? 1 : 0;
  const story = new Story(previews, options.onChange);
  const yes = command === "up" ? ["--yes"] : [];
  const running = execa(place.pulumi, [command, "--json", "--non-interactive", ...yes, ...args], {
    ...execution(place, options.signal),
    all: true,
    buffer: false,
  });
  for await (const line of running.iterable({ from: "all" })) story.hear(line);
  const { exitCode } = await running;
  return { ...story.told(), exitCode: exitCode ?? 1, seconds: (performance.now() - began) / 1000 };
}

function execution(place: Workplace, signal: AbortSignal | undefined) {
  return {
    cwd: place.folder,
    env: { ...place.env, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true", NO_COLOR: "1" },
    reject: false,
    stripFinalNewline: true,
    // Ctrl-C reaches the CLI as it would in a terminal, so that it can let go of its lock.
    forceKillAfterDelay: 20_000,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  } as const;
}

interface EngineEvent {
  readonly diagnosticEvent?: {
    readonly severity: string;
    readonly message: string;
    readonly urn?: string;
  };
  readonly policyEvent?: {
    readonly resourceUrn?: string;
    readonly policyName: string;
    readonly enforcementLevel: string;
    readonly message: string;
  };
  readonly preludeEvent?: object;
  readonly resourcePreEvent?: { readonly metadata: Metadata };
  readonly resOutputsEvent?: { readonly metadata: Metadata };
  readonly resOpFailedEvent?: { readonly metadata: Metadata };
}

interface Metadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
}

/** Gathers what matters from the engine's events, one JSON document a line. */
class Story {
  readonly #onChange: RunOptions["onChange"];
  #previewsLeft: number;
  readonly #violations = new Map<string, Violation>();
  readonly #started = new Map<string, number>();
  #changes: Change[] = [];
  readonly #errors: string[] = [];
  readonly #output: string[] = [];

  constructor(previews: number, onChange: RunOptions["onChange"]) {
    this.#previewsLeft = previews + 1;
    this.#onChange = onChange;
  }

  hear(line: string): void {
    const event = parsed(line);
    if (event === undefined) {
      if (line.trim() !== "") this.#output.push(line);
      return;
    }
    if (event.preludeEvent !== undefined) {
      this.#changes = [];
      this.#previewsLeft -= 1;
    }
    if (event.diagnosticEvent !== undefined) this.#diagnostic(event.diagnosticEvent);
    if (event.policyEvent !== undefined) this.#policy(event.policyEvent);
    if (event.resourcePreEvent !== undefined) this.#start(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent !== undefined) this.#finish(event.resOutputsEvent.metadata, false);
    if (event.resOpFailedEvent !== undefined) this.#finish(event.resOpFailedEvent.metadata, true);
  }

  told(): Omit<RunResult, "exitCode" | "seconds"> {
    return {
      violations: [...this.#violations.values()],
      changes: this.#previewsLeft === 0 ? this.#changes : [],
      errors: this.#errors,
      output: this.#output.join("\n"),
    };
  }

  #diagnostic({ severity, message, urn }: NonNullable<EngineEvent["diagnosticEvent"]>): void {
    if (severity === "debug" || message.trim() === "") return;
    const text = `${urn === undefined || urn === "" ? "" : `${nameOf(urn)}: `}${message.trim()}`;
    (severity === "error" ? this.#errors : this.#output).push(text);
  }

  #policy({
    resourceUrn,
    policyName,
    enforcementLevel,
    message,
  }: NonNullable<EngineEvent["policyEvent"]>): void {
    if (enforcementLevel !== "mandatory" && enforcementLevel !== "advisory") return;
    const violation: Violation = {
      gate: policyName,
      resource: nameOf(resourceUrn ?? ""),
      level: enforcementLevel,
      message: message.trim(),
    };
    this.#violations.set(`${violation.gate} ${violation.resource} ${violation.message}`, violation);
  }

  #start({ urn, op }: Metadata): void {
    this.#started.set(urn, performance.now());
    if (op !== "same" && this.#previewsLeft === 0) this.#onChange?.(nameOf(urn), op);
  }

  #finish({ urn, op, type }: Metadata, failed: boolean): void {
    if (op === "same" || type === "pulumi:pulumi:Stack") return;
    const seconds = (performance.now() - (this.#started.get(urn) ?? performance.now())) / 1000;
    this.#changes.push({ resource: nameOf(urn), type, op, seconds, failed });
  }
}

function parsed(line: string): EngineEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return undefined;
  }
}

function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}
