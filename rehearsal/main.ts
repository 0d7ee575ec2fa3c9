import { rename, rm, writeFile } from "node:fs/promises";
import { messageOf } from "../infra/provider/error-text.ts";
import { ensureEngine } from "../tools/engine/engine.ts";
import { RehearsalError, runCommand } from "./command.ts";
import { rehearse } from "./rehearse.ts";
import { figures } from "./report.ts";

const help = `Rehearses a release on local stand-ins of the clouds, with the real Pulumi CLI.

Usage: npm run rehearse -- [options]

  --example NAME   a system below examples/, through all its phases
  --stack NAME     whose config is rehearsed: staging or production (production)
  --report FILE    write the figures as JSON
  --keep           keep the workspace and say where it is
  --help           this text

Examples:
  npm run rehearse
  npm run rehearse -- --stack staging --report rehearsal.json
  npm run rehearse -- --example stageos

Ends with 0 only when everything went as it must.
`;

const options = {
  example: { type: "string" },
  report: { type: "string" },
  keep: { type: "boolean", default: false },
} as const;

await runCommand(help, options, async ({ example, stack, keep, report: file }, signal) => {
  if (file !== undefined) await expectWritable(file);
  const engine = await ensureEngine();
  const report = await rehearse({
    engine,
    stack,
    keep,
    signal,
    ...(example === undefined ? {} : { example }),
  });
  console.log(`\n${figures(report)}`);
  if (file !== undefined) await replaceFile(file, `${JSON.stringify(report, null, 2)}\n`);
});

/** A report that cannot be written is found out before the work, not after it. */
async function expectWritable(file: string): Promise<void> {
  try {
    await writeFile(`${file}.part`, "");
    await rm(`${file}.part`);
  } catch (error) {
    throw new RehearsalError(`The report cannot be written: ${messageOf(error)}`);
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}
