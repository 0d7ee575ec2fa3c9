import { expect, test } from "vitest";
import { dataText } from "../../../infra/provider/dns-text.ts";

test.each([
  ["an address", "A", "192.0.2.1", "192.0.2.1"],
  ["an IPv6 address", "AAAA", "2001:DB8::1", "2001:db8::1"],
  ["a name", "CNAME", "Target.Example.COM", "target.example.com"],
  ["a mail server", "MX", { preference: 10, exchange: "Mail.example.com" }, "10 mail.example.com"],
  ["one without preference", "MX", { exchange: "mail.example.com" }, "0 mail.example.com"],
  [
    "a certificate authority",
    "CAA",
    { flags: 128, tag: "issue", value: "ca.example.net; a=1", issuerCritical: true },
    '128 issue "ca.example.net; a=1"',
  ],
  ["one text", "TXT", Buffer.from("v=spf1 -all"), '"v=spf1 -all"'],
  ["several texts", "TXT", [Buffer.from("A b"), Buffer.from("")], '"A b" ""'],
  ["quotation marks and backslashes", "TXT", [Buffer.from('a"b\\c')], '"a\\"b\\\\c"'],
  ["a line break", "TXT", [Buffer.from("a\nb")], '"a\\010b"'],
  ["bytes that are no text", "TXT", [Buffer.of(0, 127, 255)], '"\\000\\127\\255"'],
  ["a type that nobody asks for", "SOA", { mname: "ns.example.com" }, ""],
  ["nothing", "A", undefined, ""],
])("%s, %s, is written as in a zone file", (_, type, data, text) => {
  expect(dataText(type, data)).toBe(text);
});
