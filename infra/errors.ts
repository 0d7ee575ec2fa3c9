import { wrapWords } from "../policies/contract/text.ts";

/** An error that the operator can mend: shown as it is, without a stack. */
export class OperatorError extends Error {
  /** What the SDK knows its own `RunError` by; loading the SDK for it takes half a second. */
  readonly __pulumiRunError = true;
}

/** One thing that is wrong and how to put it right. */
export interface Problem {
  /** What it is about: a config key or a file. */
  readonly where: string;
  readonly found: string;
  readonly required: string;
  readonly todo: string;
}

/** Says all problems at once, under one headline, in at most 80 columns; commands stay whole, to be copied. */
export function problemText(headline: string, problems: readonly Problem[]): string {
  const blocks = problems.map(({ where, found, required, todo }) =>
    [
      `  ${where}`,
      `    found:    ${hanging(found)}`,
      `    required: ${hanging(required)}`,
      `    to do:    ${todo}`,
    ].join("\n"),
  );
  return [headline, ...blocks].join("\n\n");
}

const indent = " ".repeat(14);

function hanging(text: string): string {
  return wrapWords(text, 80 - indent.length).join(`\n${indent}`);
}
