import { UnreadableError } from "../contract/json.ts";

/**
 * Reads values in SSH's wire format, RFC 4251, section 5. Whoever reads ends with `end`.
 *
 * @throws UnreadableError where the bytes end too early, go on too long or are no such value
 */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** So many bytes as they are. */
  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new UnreadableError("it is cut short");
    const found = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return found;
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  /** A string that holds bytes. */
  string(): Buffer {
    return this.bytes(this.uint32());
  }

  /** A string that holds printable ASCII. */
  text(): string {
    const text = this.string().toString("latin1");
    if (!/^[\x20-\x7e]*$/.test(text)) throw new UnreadableError("it has a name that is no text");
    return text;
  }

  /** A positive number in its shortest form, big-endian, without its sign byte. */
  mpint(): Buffer {
    const bytes = this.string();
    const [first = 0, second = 0] = bytes;
    if (first > 0x7f || (first === 0 && second <= 0x7f)) {
      throw new UnreadableError("it has a number that is not positive or not in its shortest form");
    }
    return first === 0 ? bytes.subarray(1) : bytes;
  }

  end(): void {
    if (this.#at < this.#bytes.length) throw new UnreadableError("it goes on after its end");
  }
}

/** Bytes as a string of the wire format. */
export function wireString(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}
