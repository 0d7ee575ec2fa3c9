#!/usr/bin/env node
// The way in, as old as Node allows: a Node that cannot load the TypeScript beside this file must be able to read the
// sentence that says so.
const required = [22, 18];
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < required[0] || (major === required[0] && minor < required[1])) {
  console.error(
    [
      "This command cannot start.",
      `Found: Node ${process.versions.node}.`,
      `Required: Node ${required.join(".")} or later.`,
      'To do: export PATH="$PWD/node_modules/.bin:$PATH"',
    ].join("\n"),
  );
  process.exit(1);
}

void import("./main.ts");
