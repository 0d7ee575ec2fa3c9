import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { parseAllowedSigners } from "../../../policies/signatures/allowed-signers.ts";
import { developer, makeSshKey, releaseManager } from "./support.ts";

const key = makeSshKey("ed25519").line;
const [, base64 = ""] = key.split(" ");
const role = 'namespaces="release-manager@cutover"';
const good = `${releaseManager} ${role} ${key}`;

describe("parseAllowedSigners", () => {
  test("reads names, roles, times and key", () => {
    const options = `${role.slice(0, -1)},waiver@cutover",valid-after="20260101Z",valid-before="202701021530Z"`;
    const { people, problems } = parseAllowedSigners(
      `# people\n\n"Release Manager,${releaseManager}" ${options} ${key} laptop\n`,
    );
    expect(problems).toEqual([]);
    expect(people).toMatchObject([
      {
        line: 3,
        principals: ["Release Manager", releaseManager],
        namespaces: ["release-manager@cutover", "waiver@cutover"],
        validAfter: Date.parse("2026-01-01T00:00:00Z"),
        validBefore: Date.parse("2027-01-02T15:30:00Z"),
        key: { type: "ssh-ed25519" },
      },
    ]);
  });

  test.each([
    ["no options", `${releaseManager} ${key}`, ["it has no role"]],
    [
      "an option without a role",
      `${releaseManager} valid-before="20270101Z" ${key}`,
      ["it has no role"],
    ],
    ["a key only", key, ["key type .* is not accepted|no line|no list|no key follows"]],
    ["a name only", releaseManager, ["no line of names, options and key"]],
    ["no key", `${releaseManager} ${role}`, ["no key follows"]],
    ["a pattern as name", `*@example.com ${role} ${key}`, ["a name is a pattern"]],
    ["a question mark in a name", `a?@example.com ${role} ${key}`, ["a name is a pattern"]],
    [
      "a name that is left out by a pattern",
      `!${developer},${releaseManager} ${role} ${key}`,
      ["a name is a pattern"],
    ],
    ["an empty name", `${developer},,${releaseManager} ${role} ${key}`, ["a name is empty"]],
    ["a name of 129 characters", `${"a".repeat(129)} ${role} ${key}`, ["too long"]],
    ["a name with a control character", `"a\u0007b" ${role} ${key}`, ["a name is empty, too long"]],
    ["a quote within a name", `a"b" ${role} ${key}`, ["no line of names"]],
    ["an open quote in a name", `"a ${role} ${key}`, ["no line of names|no key follows"]],
    [
      "a pattern as namespace",
      `${releaseManager} namespaces="*@cutover" ${key}`,
      ["a namespace is a pattern"],
    ],
    [
      "a namespace that is left out by a pattern",
      `${releaseManager} namespaces="!waiver@cutover,qa-lead@cutover" ${key}`,
      ["a namespace is a pattern"],
    ],
    [
      "a namespace elsewhere",
      `${releaseManager} namespaces="git" ${key}`,
      ["a namespace is not <role>@cutover"],
    ],
    [
      "an empty namespace",
      `${releaseManager} namespaces="" ${key}`,
      ["a namespace is not <role>@cutover"],
    ],
    [
      "a space between namespaces",
      `${releaseManager} namespaces="a@cutover, b@cutover" ${key}`,
      ["a namespace is not <role>@cutover"],
    ],
    [
      "an option without quotes",
      `${releaseManager} namespaces=a@cutover ${key}`,
      ["no list of name="],
    ],
    [
      "an option without a value",
      `${releaseManager} namespaces ${key}`,
      ["option namespaces has no value"],
    ],
    ["an open quote", `${releaseManager} namespaces="a@cutover ${key}`, ["an open quote"]],
    [
      "an escaped quote",
      `${releaseManager} namespaces="a\\"b@cutover" ${key}`,
      ["no list of name=|open quote"],
    ],
    ["a comma after the options", `${releaseManager} ${role}, ${key}`, ["no list of name="]],
    [
      "an option twice",
      `${releaseManager} ${role},${role} ${key}`,
      ["namespaces stands there twice"],
    ],
    [
      "an unknown option",
      `${releaseManager} ${role},verify-required ${key}`,
      ["option verify-required is unknown"],
    ],
    [
      "an option named __proto__",
      `${releaseManager} ${role},__proto__="x" ${key}`,
      ["no list of name="],
    ],
    [
      "a certificate authority",
      `*@example.com cert-authority ${key}`,
      ["a name is a pattern", "certificate authorities are not supported", "it has no role"],
    ],
    [
      "times the wrong way round",
      `${releaseManager} ${role},valid-after="20270101Z",valid-before="20270101Z" ${key}`,
      ["valid-before is not after valid-after"],
    ],
    [
      "an unknown key type",
      `${releaseManager} ${role} ssh-dss AAAA`,
      ["key type ssh-dss is not acc"],
    ],
    [
      "a certificate as key",
      `${releaseManager} ${role} ssh-ed25519-cert-v01@openssh.com AAAA`,
      ["key type ssh-ed25519-cert-v01@openssh.com is not accepted"],
    ],
    [
      "a key type __proto__",
      `${releaseManager} ${role} __proto__ AAAA`,
      ["its key type is not acc"],
    ],
    ["a key type only", `${releaseManager} ${role} ssh-ed25519`, ["missing or no base64"]],
    ["a key that is no base64", `${releaseManager} ${role} ssh-ed25519 !`, ["no base64"]],
    [
      "a key that is cut short",
      `${releaseManager} ${role} ${key.slice(0, -8)}`,
      ["its key cannot be used: it is cut short"],
    ],
    [
      "a key of another type than it says",
      `${releaseManager} ${role} ecdsa-sha2-nistp256 ${base64}`,
      ["not of the type that the line says"],
    ],
    [
      "a tab of another kind",
      `${releaseManager}\u00a0${role} ${key}`,
      ["no line of names|no list"],
    ],
  ])("refuses %s", (_, line, expected) => {
    const { problems } = parseAllowedSigners(`# people\n${line}\n`);
    expect(problems.map(({ line: found }) => found)).toEqual(expected.map(() => 2));
    for (const [index, { problem }] of problems.entries()) {
      expect(problem).toMatch(new RegExp(expected[index] ?? "nothing"));
      expect(problem).not.toContain(base64);
    }
  });

  test.each([
    "",
    "2027",
    "202701",
    "2027013",
    "20270132Z",
    "20270229Z",
    "20271301Z",
    "20270001Z",
    "202701012400Z",
    "202701012360Z",
    "20270101235960Z",
    "20270101z",
    "20270101UTC",
    "2027-01-01",
    "19700101Z",
    "00000101Z",
    "always",
    "forever",
  ])('refuses the time "%s"', (time) => {
    const line = `${releaseManager} ${role},valid-before="${time}" ${key}`;
    const { problems } = parseAllowedSigners(line);
    expect(problems).toEqual([
      { line: 1, problem: "valid-before is no time such as 20270131Z or 202701312359Z" },
    ]);
  });

  test("accepts the 29th of February of a leap year", () => {
    const line = `${releaseManager} ${role},valid-before="20280229Z" ${key}`;
    const { people } = parseAllowedSigners(line);
    expect(people[0]?.validBefore).toBe(Date.parse("2028-02-29T00:00:00Z"));
  });

  test("lists what is wrong on every line", () => {
    const text = [
      good,
      `${developer} ${key}`,
      "",
      "nobody",
      `${releaseManager} ${role},x ssh-dss A`,
    ];
    const { problems } = parseAllowedSigners(text.join("\n"));
    expect(problems.map(({ line }) => line)).toEqual([2, 2, 4, 5, 5]);
  });

  test("gives a key to one person only", () => {
    const other = good.replace(releaseManager, developer);
    expect(parseAllowedSigners(`${good}\n${other}`).problems).toEqual([
      {
        line: 2,
        problem: "its key is already the key of the person on line 1; a key is one person's",
      },
    ]);
    expect(
      parseAllowedSigners(`${good}\n${good.replace("release-", "deploy-")}`).problems,
    ).toHaveLength(1);
    expect(
      parseAllowedSigners(`${good}\n${good.replace('"release-', '"deploy-')}`).problems,
    ).toEqual([]);
  });

  property.prop([fc.string({ unit: "binary" })])("throws at nothing", (text) => {
    const { people } = parseAllowedSigners(text);
    expect(people).toEqual([]);
  });

  const piece = fc.constantFrom(
    releaseManager,
    role,
    key,
    " ",
    '"',
    ",",
    "=",
    "\t",
    "valid-after",
    "\n",
    "#",
    "*",
  );
  property.prop([fc.array(piece, { maxLength: 12 })])(
    "trusts no line without a name, a role and a key",
    (pieces) => {
      const { people, problems } = parseAllowedSigners(pieces.join(""));
      for (const person of people.filter(({ line }) =>
        problems.every((one) => one.line !== line),
      )) {
        expect(person.principals).not.toEqual([]);
        expect(person.namespaces).toEqual(["release-manager@cutover"]);
      }
    },
  );
});
