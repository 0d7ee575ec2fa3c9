import { digestOf } from "./digest.ts";
import { parseDocument, sha256 } from "./envelope.ts";
import { predicateTypes } from "./predicate-types.ts";
import { parseStatement } from "./statement.ts";

/** One signed document as it lies in the evidence location, or why it cannot be read. */
export interface SubmittedDocument {
  /** Where it lies, for messages: a file, and its line. */
  readonly name: string;
  /** An envelope or a sigstore bundle, as JSON. */
  readonly text?: string;
  /** Why there is no text. */
  readonly problem?: string;
}

/**
 * SHA-256 over everything that lies there but approvals, hex: what an approval is about. A waiver is part of it, so that
 * nobody approves without it.
 */
export function evidenceDigest(documents: readonly SubmittedDocument[]): string {
  const digests = documents
    .filter((document) => !isApproval(document))
    .map(({ name, text, problem = "" }) => sha256(text ?? `${name}: ${problem}`))
    .sort();
  return digestOf(digests);
}

function isApproval({ text }: SubmittedDocument): boolean {
  if (text === undefined) return false;
  try {
    const { predicateType } = parseStatement(parseDocument(text).envelope);
    return predicateType === predicateTypes.approval;
  } catch {
    return false;
  }
}
