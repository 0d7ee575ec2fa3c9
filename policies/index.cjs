// The way in, as old as Node allows: Pulumi loads a pack with require, and a Node that cannot load the TypeScript
// beside this file must be able to read the sentence that says so.
const required = [22, 18];
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < required[0] || (major === required[0] && minor < required[1])) {
  console.error(
    [
      "The release gates cannot start.",
      `Found: Node ${process.versions.node}.`,
      `Required: Node ${required.join(".")} or later.`,
      'To do: export PATH="$PWD/node_modules/.bin:$PATH"',
    ].join("\n"),
  );
  process.exit(1);
}

// What Node compiled once is kept for the next run.
const path = require("node:path");
require("node:module").enableCompileCache(
  path.join(__dirname, "..", "node_modules", ".cache", "node"),
);

// Not require: Pulumi has taught require to type-check TypeScript, which costs seconds.
void import("./pack.ts");
