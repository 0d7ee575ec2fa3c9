import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kinds } from "../../../policies/kinds.ts";

const folder = new URL("../../../policies/kinds/", import.meta.url);
const files = readdirSync(folder);

test("every file of policies/kinds/ is a kind of its name, and each is in the table once", () => {
  expect(kinds.map(({ kind }) => `${kind}.ts`).toSorted()).toEqual(files.toSorted());
});

test.each(files)("%s exports its kind, and nothing else", (file) => {
  const camelCase = file
    .replace(".ts", "")
    .replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const exported = [...readFileSync(new URL(file, folder), "utf8").matchAll(/^export \w+ (\w+)/gm)];
  expect(exported.map(([, name]) => name)).toEqual([camelCase]);
});

test("every kind has samples", () => {
  const tests = readdirSync(new URL(".", import.meta.url));
  expect(files.filter((file) => !tests.includes(file.replace(".ts", ".test.ts")))).toEqual([]);
});
