import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureEngine } from "../tools/engine/engine.ts";
import { runCommand } from "./command.ts";
import { openPlace, type Workspace } from "./workspace.ts";

const help = `Runs the stand-ins of aws, cloudflare and docker until Ctrl-C, so that you can drive
plain pulumi commands against them by hand. No cloud account is needed or touched.

Usage: npm run rehearsal-cloud -- [options]

  --stack NAME     whose config is used: staging or production (production)
  --help           this text

Example:
  npm run rehearsal-cloud
  npm run rehearsal-cloud -- --stack staging
`;

await runCommand(help, {}, async ({ stack }, signal) => {
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
  const { cloud, workspace, close } = await openPlace(
    await ensureEngine(),
    stack,
    "cutover-cloud-",
  );
  try {
    await writeFile(join(workspace.folder, "env"), exports(workspace));
    console.log(instructions(workspace, cloud.resolver));
    await stopped;
    console.log("\nEnding the stand-ins.");
  } finally {
    await close();
  }
});

/** Shell lines that set the workspace's environment. */
function exports(workspace: Workspace): string {
  const lines = Object.entries(workspace.env).map(([name, value]) =>
    value === undefined ? `unset ${name}` : `export ${name}='${value.replaceAll("'", "'\\''")}'`,
  );
  return `${lines.join("\n")}\n`;
}

function instructions(workspace: Workspace, resolver: string): string {
  const [address = "", port = ""] = resolver.split(":");
  return `The stand-ins are running. In another terminal:

  cd ${workspace.folder}
  . ./env

${exports(workspace)
  .trimEnd()
  .split("\n")
  .map((line) => `    ${line}`)
  .join("\n")}

Then, for example:

  pulumi preview --policy-pack policies
  pulumi up --policy-pack policies
  pulumi config set phase lower-ttl
  dig +short -p ${port} @${address} app.example.com

Ctrl-C here ends everything and removes the folder.`;
}
