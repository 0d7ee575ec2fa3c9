import type { Route } from "./types.ts";

const NAMES: Record<Route, string> = {
  path: "on PATH",
  cache: "kept from an earlier run",
  download: "official download",
  "go-build": "built with Go",
};

/** One route that led nowhere: why, and what would open it. */
export class RouteFailure extends Error {
  readonly route: Route;
  readonly remedy: string | undefined;

  constructor(route: Route, reason: string, remedy?: string) {
    super(reason);
    this.name = "RouteFailure";
    this.route = route;
    this.remedy = remedy;
  }
}

/** There is no engine. The message is all there is to say, so the stack is left out. */
export class EngineError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EngineError";
    this.stack = `${this.name}: ${message}`;
  }
}

/** Tells of every route that was tried, and what to do so that one of them works. */
export function noRoute(version: string, failures: readonly RouteFailure[]): EngineError {
  const tried = failures.map((failure) => paragraph(`${NAMES[failure.route]}: ${failure.message}`));
  const remedies = [...new Set(failures.flatMap(({ remedy }) => remedy ?? []))];
  return new EngineError(
    [
      `there is no Pulumi CLI ${version}, and no way to get one`,
      "",
      "Tried, in this order:",
      ...tried,
      "",
      remedies.length > 1 ? "Any one of these helps:" : "This helps:",
      ...remedies.map(paragraph),
    ].join("\n"),
  );
}

function paragraph(text: string): string {
  const lines: string[] = [];
  let line = "  -";
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > 80 && line.trim() !== "-" && line.trim() !== "") {
      lines.push(line);
      line = "   ";
    }
    line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}
