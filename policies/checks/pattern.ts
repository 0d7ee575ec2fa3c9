import { createContext, Script } from "node:vm";

/** Milliseconds that a pattern may take: texts come from outside, and some patterns take years for some of them. */
const mostMilliseconds = 500;

/**
 * How often a pattern may take longer, in one run: a busy machine can hold up a harmless one, and each text of many may
 * hold up a bad one.
 */
const mostTimeouts = 3;

/** How often each pattern took too long. */
const timeouts = new Map<string, number>();

const script = new Script("pattern.test(text)");
const scope = createContext({ pattern: /^$/u, text: "" });

/** What is wrong with a text that should be a regular expression; undefined for one that is. */
export function patternProblem(pattern: string): string | undefined {
  try {
    new RegExp(pattern, "u");
    return undefined;
  } catch (error) {
    // The engine's message repeats the pattern before it says what is wrong.
    const why = error instanceof Error ? error.message.split(": ").at(-1) : undefined;
    return `it is no regular expression${why === undefined ? "" : `: ${why}`}`;
  }
}

/** Tells whether a pattern matches a whole text; undefined when that takes too long to find out. */
export function matchesWhole(pattern: string, text: string): boolean | undefined {
  while ((timeouts.get(pattern) ?? 0) < mostTimeouts) {
    const matches = matchesInTime(pattern, text);
    if (matches !== undefined) return matches;
    timeouts.set(pattern, (timeouts.get(pattern) ?? 0) + 1);
  }
  return undefined;
}

function matchesInTime(pattern: string, text: string): boolean | undefined {
  Object.assign(scope, { pattern: new RegExp(`^(?:${pattern})$`, "u"), text });
  try {
    return script.runInContext(scope, { timeout: mostMilliseconds }) === true;
  } catch (error) {
    // It may be an error of the scope's own, which is no instance of this one's.
    if ((error as { readonly code?: unknown } | null)?.code === tookTooLong) return undefined;
    throw error;
  }
}

const tookTooLong = "ERR_SCRIPT_EXECUTION_TIMEOUT";
