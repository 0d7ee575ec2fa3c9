// Loaded before the SDK: what Node compiled once is kept for the next run, in a folder of this project.
const nodeModule = require("node:module");
const path = require("node:path");

// An older Node has to get as far as the sentence that says that it is too old.
if ("enableCompileCache" in nodeModule) {
  nodeModule.enableCompileCache(path.join(__dirname, "..", "node_modules", ".cache", "node"));
}
