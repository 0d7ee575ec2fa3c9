import { isIPv4, isIPv6 } from "node:net";
import type { KeptRecord } from "./config.ts";

/** What a record of a type must look like. */
export interface RecordForm {
  /** Whether it carries a priority. */
  readonly priority: boolean;
  /** Whether Cloudflare's proxy can answer for it: https://developers.cloudflare.com/dns/proxy-status/limitations/ */
  readonly proxiable: boolean;
  /** What its content must be; absent for a type that has parts in place of a content. */
  readonly content?: {
    readonly fits: (content: string) => boolean;
    readonly required: string;
    readonly example: string;
  };
}

const hostContent = {
  fits: (content: string) => /^(?:[\w-]{1,63}\.)+[a-z][\w-]*$/i.test(content),
  required: "a full host name without a dot at its end",
  example: "target.example.com",
};

/** Bytes of one character string: RFC 1035, 3.3. */
const stringBytes = 255;

/** What the types of kept records must look like. */
export const recordForms: Readonly<Record<KeptRecord["type"], RecordForm>> = {
  A: {
    priority: false,
    proxiable: true,
    content: { fits: isIPv4, required: "an IPv4 address", example: "203.0.113.10" },
  },
  AAAA: {
    priority: false,
    proxiable: true,
    content: { fits: isIPv6, required: "an IPv6 address", example: "2001:db8::10" },
  },
  CNAME: { priority: false, proxiable: true, content: hostContent },
  TXT: {
    priority: false,
    proxiable: false,
    content: {
      fits: fitsStrings,
      // Cloudflare splits a longer one by itself, and gives back another content than was declared.
      required: `a text of at most ${stringBytes} bytes, or several such texts in quotation marks`,
      example: '"v=spf1 -all"',
    },
  },
  CAA: { priority: false, proxiable: false },
  MX: { priority: true, proxiable: false, content: hostContent },
  NS: { priority: false, proxiable: false, content: hostContent },
};

function fitsStrings(content: string): boolean {
  if (!content.startsWith('"')) return Buffer.byteLength(content) <= stringBytes;
  const strings = content.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
  return (
    strings.join(" ") === content.trim().replaceAll(/"\s+"/g, '" "') &&
    strings.every((text) => Buffer.byteLength(text) - 2 <= stringBytes)
  );
}
