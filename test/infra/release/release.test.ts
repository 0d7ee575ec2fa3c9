import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { availableVersions, readRelease } from "../../../infra/release/release.ts";

const folder = mkdtempSync(join(tmpdir(), "release-"));
const good = [
  "version: v1.0.0",
  "date: 2026-11-21",
  `commit: ${"a".repeat(40)}`,
  "images: { api: a, worker: w, web: b }",
  "migrations: [0001.sql]",
  "authors: [developer@example.com]",
];

beforeAll(() => {
  for (const name of ["releases", "migrations"]) mkdirSync(join(folder, name));
  for (const name of ["0001.sql", "0002.sql", "0010.sql", "9.sql"]) {
    writeFileSync(join(folder, "migrations", name), "SELECT 1;\n");
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("readRelease", () => {
  test("reads a release with the digest of its migrations", () => {
    write("v1.0.0", good);
    expect(readRelease(folder, "v1.0.0")).toMatchObject({
      version: "v1.0.0",
      authors: ["developer@example.com"],
      migrations: [{ name: "0001.sql", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string }],
    });
    expect(availableVersions(folder)).toContain("v1.0.0");
  });

  test("a changed migration is another release", () => {
    write("v1.0.0", good);
    const before = readRelease(folder, "v1.0.0")?.digest;
    writeFileSync(join(folder, "migrations", "0001.sql"), "SELECT 2;\n");
    expect(readRelease(folder, "v1.0.0")?.digest).not.toBe(before);
  });

  test("migrations run in the order of their numbers, whatever their digits", () => {
    write("v1.0.0", good.with(4, "migrations: [0001.sql, 0002.sql, 9.sql, 0010.sql]"));
    expect(readRelease(folder, "v1.0.0")?.migrations.map(({ name }) => name)).toEqual([
      "0001.sql",
      "0002.sql",
      "9.sql",
      "0010.sql",
    ]);
  });

  test.each<[string, string, string[]]>([
    ["none where it says nothing", "", []],
    ["none", "prepared: []", []],
    ["the first", "prepared: [0001.sql]", ["0001.sql"]],
    ["all", "prepared: [0001.sql, 0002.sql]", ["0001.sql", "0002.sql"]],
  ])("prepares %s", (_, line, names) => {
    write("v1.0.0", [...good.with(4, "migrations: [0001.sql, 0002.sql]"), line]);
    const release = readRelease(folder, "v1.0.0");
    expect(release?.prepared).toEqual(release?.migrations.slice(0, names.length));
    expect(release?.prepared.map(({ name }) => name)).toEqual(names);
  });

  test("what is prepared makes another release", () => {
    write("v1.0.0", good);
    const before = readRelease(folder, "v1.0.0")?.digest;
    write("v1.0.0", [...good, "prepared: [0001.sql]"]);
    expect(readRelease(folder, "v1.0.0")?.digest).not.toBe(before);
  });

  test("no file is no release", () => {
    expect(readRelease(folder, "v7.0.0")).toBeUndefined();
  });

  test.each([
    ["a commit that is none", good.with(2, "commit: main"), /commit[\s\S]*40 hex digits/],
    ["nobody who made it", good.with(5, "authors: []"), /at least one of those/],
    ["an unknown key", [...good, "colour: red"], /colour/],
    [
      "a migration that is not there",
      good.with(4, "migrations: [0009.sql]"),
      /0009\.sql, but no such file/,
    ],
    [
      "a migration outside its folder",
      good.with(4, "migrations: [../x.sql]"),
      /name of an SQL file/,
    ],
    [
      "another version than its name",
      good.with(0, "version: v2.0.0"),
      /version v2\.0\.0[\s\S]*v1\.0\.0/,
    ],
    [
      "migrations out of order",
      good.with(4, "migrations: [0002.sql, 0001.sql]"),
      /0001\.sql after 0002\.sql[\s\S]*files in the order of their names, each once/,
    ],
    [
      "a migration twice",
      good.with(4, "migrations: [0001.sql, 0001.sql]"),
      /0001\.sql after 0001\.sql[\s\S]*each once/,
    ],
    [
      "a number that is later only as a text",
      good.with(4, "migrations: [0010.sql, 9.sql]"),
      /9\.sql after 0010\.sql/,
    ],
    [
      "prepared migrations that are not the first",
      [...good.with(4, "migrations: [0001.sql, 0002.sql]"), "prepared: [0002.sql]"],
      /prepared[\s\S]*found: +0002\.sql[\s\S]*the first of migrations: 0001\.sql/,
    ],
    [
      "prepared migrations with a gap",
      [
        ...good.with(4, "migrations: [0001.sql, 0002.sql, 0010.sql]"),
        "prepared: [0001.sql, 0010.sql]",
      ],
      /the first of migrations: 0001\.sql, 0002\.sql/,
    ],
    [
      "more prepared migrations than there are",
      [...good, "prepared: [0001.sql, 0002.sql]"],
      /found: +0001\.sql, 0002\.sql[\s\S]*the first of migrations: 0001\.sql/,
    ],
    ["no YAML", ["version: [", "}"], /a YAML document/],
  ])("refuses %s", (_, lines, message) => {
    write("v1.0.0", lines);
    expect(() => readRelease(folder, "v1.0.0")).toThrow(message);
  });
});

function write(version: string, lines: readonly string[]): void {
  writeFileSync(join(folder, "releases", `${version}.yaml`), `${lines.join("\n")}\n`);
}
