import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { follow, pulumi, type Workplace } from "../../rehearsal/pulumi.ts";
import { projectFolder } from "../../rehearsal/workspace.ts";
import { ensureEngine } from "../../tools/engine/engine.ts";

let place: Workplace;

beforeAll(async () => {
  const engine = await ensureEngine();
  const folder = await mkdtemp(join(tmpdir(), "early-end-"));
  await mkdir(join(folder, "state"));
  await symlink(join(projectFolder, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(
    join(folder, "Pulumi.yaml"),
    "name: probe\nmain: index.ts\nruntime: { name: nodejs, options: { typescript: false } }\n",
  );
  place = {
    pulumi: engine.pulumi,
    folder,
    env: {
      PATH: [dirname(process.execPath), engine.folder, process.env["PATH"] ?? ""].join(":"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_HOME: join(folder, "home"),
      PULUMI_CONFIG_PASSPHRASE: "early-end",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  };
  await pulumi(place, ["stack", "init", "test"]);
});
afterAll(() => rm(place.folder, { recursive: true, force: true }));

const declareKept = `
import * as pulumi from "@pulumi/pulumi";
new pulumi.ComponentResource("test:index:Kept", "kept");
`;

/** Waits for something that never comes, so that the program runs out of work before it has declared everything. */
const declareNothing = `
import * as pulumi from "@pulumi/pulumi";
import { refuseEarlyEnd } from ${JSON.stringify(join(projectFolder, "infra/release/early-end.ts"))};
const never = pulumi.output(new Promise(() => {}));
const record = new pulumi.ComponentResource("test:index:Record", "record", {}, { dependsOn: never });
refuseEarlyEnd({ record });
`;

test("a program that runs out of work before its last step deletes nothing", async () => {
  await writeFile(join(place.folder, "index.ts"), declareKept);
  expect((await follow(place, "up", ["--skip-preview"])).exitCode).toBe(0);

  await writeFile(join(place.folder, "index.ts"), declareNothing);
  const result = await follow(place, "up", ["--skip-preview"]);
  expect(result.exitCode).not.toBe(0);
  expect(result.output).toContain("ended before its last step was declared");
  expect(result.changes).toEqual([]);
  expect((await pulumi(place, ["stack", "export"])).output).toContain("test:index:Kept");
});
