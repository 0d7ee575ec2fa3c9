import type { z } from "zod";
import type { ReleaseIdentity } from "../../policies/contract/statement.ts";
import type { Connection } from "../provider/postgres-session.ts";

/** Why something could not be read, for the operator: what was asked, what came back, what to do. Holds no secret. */
export class ReadingError extends Error {
  /** Whether asking again may help. */
  readonly again: boolean;

  constructor(
    message: string,
    options: { readonly again?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.again = options.again ?? false;
  }
}

/** What a reading may use. */
export interface ReadingContext {
  /** Aborts when the reading's time is over. */
  readonly signal: AbortSignal;
  readonly now: Date;
  readonly release: ReleaseIdentity;
  /** The stack's own database; undefined before it was made. */
  readonly database: Connection | undefined;
  /** Names that the stack itself has moved for this cutover already: in a repeat, and after a failure behind the switch. */
  readonly moved?: Readonly<Record<string, MovedName>>;
}

/** A name that a cutover has moved: the address that it led to, and the one that it leads to. */
export interface MovedName {
  readonly from: string;
  readonly to: string;
}

/** Live facts by name. */
type Facts = Readonly<Record<string, unknown>>;

/** Reads one kind of live facts. */
export interface ReadingKind<Target = unknown, Value extends Facts = Facts> {
  /** Its name in the stack config and of its file. */
  readonly kind: string;
  /** What it reads, in a few words. */
  readonly title: string;
  /** Where it looks, as the stack config says; each key carries `description` and `example` in its meta. */
  readonly target: z.ZodType<Target>;
  /** What each fact that it reads is, with its unit or form and what null means, for those who write gates. */
  readonly facts: Readonly<Record<keyof NoInfer<Value>, string>>;
  /** What it is about, by the name that gates compare with what the release covers. */
  subject(target: Target): string;
  /**
   * Reads once; what calls it bounds its time and asks again.
   *
   * @returns facts by name: booleans, numbers, texts, lists and objects of these, null for what does not exist; times
   *   as ISO 8601
   * @throws ReadingError; any other error is told by its name only
   */
  read(target: Target, context: ReadingContext): Promise<Value>;
}

/** Makes a reading; only gives its parameters their types, and wants `facts` to name what `read` returns. */
export function readingKind<Target, Value extends Facts>(
  definition: ReadingKind<Target, Value>,
): ReadingKind<Target> {
  return definition;
}
