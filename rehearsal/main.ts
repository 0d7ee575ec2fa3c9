import { access, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureEngine, EngineError } from "../tools/engine/engine.ts";
import { figures } from "./report.ts";
import { rehearse, RehearsalError } from "./rehearse.ts";

const help = `Rehearses a release on local stand-ins of the clouds, with the real Pulumi CLI.

Usage: npm run rehearse -- [options]

  --stack NAME     whose config is rehearsed: staging or production (production)
  --report FILE    write the figures as JSON
  --keep           keep the workspace and say where it is
  --help           this text

Examples:
  npm run rehearse
  npm run rehearse -- --stack staging --report rehearsal.json

Ends with 0 only when everything went as it must.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  let options;
  try {
    options = parseArgs({
      options: {
        stack: { type: "string", default: "production" },
        report: { type: "string" },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${message(error)}\n\n${help}`);
    return 2;
  }
  if (options.help) {
    console.log(help);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stop.abort(new RehearsalError("The rehearsal was stopped. Everything it started is ended."));
    });
  }
  try {
    const engine = await ensureEngine();
    const { stack, keep, report: file } = options;
    if (file !== undefined) await writable(file);
    const report = await rehearse({ engine, stack, keep, signal: stop.signal });
    console.log(`\n${figures(report)}`);
    if (file !== undefined) await replaceFile(file, `${JSON.stringify(report, null, 2)}\n`);
    return 0;
  } catch (error) {
    const known = error instanceof RehearsalError || error instanceof EngineError;
    const reason = stop.signal.aborted ? message(stop.signal.reason) : message(error);
    console.error(`\n${known || !(error instanceof Error) ? reason : (error.stack ?? reason)}`);
    return 1;
  }
}

/** A report that cannot be written is found out before the work, not after it. */
async function writable(file: string): Promise<void> {
  try {
    await writeFile(`${file}.part`, "");
    await rm(`${file}.part`);
    await access(join(file, "..")).catch(() => undefined);
  } catch (error) {
    throw new RehearsalError(`The report cannot be written: ${message(error)}`);
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
