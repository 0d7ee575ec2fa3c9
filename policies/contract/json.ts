import { visit } from "jsonc-parser";

/** A document that cannot be used. The message says why, for its sender, and quotes nothing of what it holds. */
export class UnreadableError extends Error {}

/** How large a document may be. */
export interface JsonLimits {
  readonly bytes: number;
  /** Objects and lists within each other. */
  readonly depth: number;
}

/** Limits of what is signed: an envelope and its payload. 40,000 names of tests take about 4 MiB in base64. */
export const signedLimits: JsonLimits = { bytes: 4 * 1024 * 1024, depth: 32 };

/**
 * Parses JSON of which nothing may be read in two ways: valid UTF-8, no key twice, no `__proto__`, no number beyond
 * what a double holds.
 *
 * @throws UnreadableError saying what is wrong and on which line
 */
export function parseJson(document: string | Uint8Array, limits: JsonLimits): unknown {
  const text = typeof document === "string" ? document : decodeUtf8(document, limits.bytes);
  if (text.length > limits.bytes) throw tooLarge(limits.bytes);
  const keys: Set<string>[] = [];
  let depth = 0;
  const enter = (line: number): void => {
    depth += 1;
    if (depth > limits.depth) {
      throw new UnreadableError(`it nests deeper than ${limits.depth} levels, on line ${line + 1}`);
    }
  };
  visit(
    text,
    {
      onObjectBegin: (_offset, _length, line) => {
        enter(line);
        keys.push(new Set());
      },
      onObjectProperty: (key, _offset, _length, line) => {
        if (key === "__proto__") {
          throw new UnreadableError(`it has the key __proto__, on line ${line + 1}`);
        }
        const known = keys.at(-1);
        if (known?.has(key) === true) {
          throw new UnreadableError(`it has a key twice, on line ${line + 1}`);
        }
        known?.add(key);
      },
      onObjectEnd: () => {
        depth -= 1;
        keys.pop();
      },
      onArrayBegin: (_offset, _length, line) => {
        enter(line);
      },
      onArrayEnd: () => {
        depth -= 1;
      },
      onLiteralValue: (value: unknown, _offset, _length, line) => {
        if (typeof value === "number" && !Number.isFinite(value)) {
          throw new UnreadableError(`it has a number that is too large, on line ${line + 1}`);
        }
      },
      onError: (_code, _offset, _length, line) => {
        throw new UnreadableError(`it is no JSON, on line ${line + 1}`);
      },
    },
    { disallowComments: true },
  );
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UnreadableError("it is no JSON");
  }
}

/**
 * Decodes UTF-8.
 *
 * @throws UnreadableError when there are too many bytes, or bytes that are no UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, mostBytes: number): string {
  if (bytes.length > mostBytes) throw tooLarge(mostBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableError("it is no valid UTF-8");
  }
}

function tooLarge(mostBytes: number): UnreadableError {
  return new UnreadableError(`it is larger than ${mostBytes / 1024 / 1024} MiB`);
}
