import type { CaaData, MxData } from "dns-packet";

/** What the data of a record is made from, as dns-packet decodes it. */
type Text = (data: unknown) => string;

/** A name as DNS compares it, or an address. */
const name: Text = (data) => (typeof data === "string" ? data.toLowerCase() : "");

const textOf: Readonly<Record<string, Text>> = {
  TXT: (data) => [data].flat().map(quoted).join(" "),
  CAA: (data) => {
    const { flags = 0, tag, value } = data as CaaData;
    return `${flags} ${tag} ${quoted(Buffer.from(value))}`;
  },
  MX: (data) => {
    const { preference = 0, exchange } = data as MxData;
    return `${preference} ${name(exchange)}`;
  },
};

/**
 * The data of a record in the form of a zone file (RFC 1035, 5.1): an address; a name in small letters without its last
 * dot; `10 mail.example.com`; `"v=spf1 -all"`, one quoted string for each that the record has; `0 issue "example.com"`.
 * Empty for a type that nothing here asks for.
 *
 * @param data as dns-packet decodes it
 */
export function dataText(type: string, data: unknown): string {
  return (textOf[type] ?? name)(data);
}

/** A character string byte for byte: what is no plain ASCII is written as its number. */
function quoted(data: unknown): string {
  const bytes = Buffer.isBuffer(data) ? data : Buffer.from(String(data));
  const text = [...bytes].map((byte) => {
    const letter = String.fromCodePoint(byte);
    if (byte < 0x20 || byte > 0x7e) return `\\${String(byte).padStart(3, "0")}`;
    return letter === '"' || letter === "\\" ? `\\${letter}` : letter;
  });
  return `"${text.join("")}"`;
}
