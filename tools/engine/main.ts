import { parseArgs } from "node:util";
import { ensureEngine, EngineError } from "./engine.ts";
import type { Engine, Say } from "./engine.ts";
import { ACCEPTED } from "./version.ts";

const HELP = `Gets the Pulumi CLI and its Node.js language host, and checks them.

Takes the first that works: pulumi on PATH (${ACCEPTED}), the copy
of an earlier run in ~/.pulumi/versions, the official download, a build with Go.

Usage
  npm run engine                  get it, say where it is
  npm run engine -- --quiet       say something only when there is work to do
  npm run engine -- --json        print it as JSON, for scripts
  npm run engine -- --help

Example
  export PATH="$(npm run --silent engine -- --json | jq -r .folder):$PATH"

Exit code: 0 the engine is there, 1 it is not, 2 the call was wrong.`;

const ROUTES: Record<Engine["route"], string> = {
  path: "found on PATH",
  cache: "kept from an earlier run",
  download: "downloaded",
  "go-build": "built with Go",
};

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") {
    console.error(`${options}\nTry: npm run engine -- --help`);
    return 2;
  }
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const { say, finish } = progress();
  try {
    const engine = await ensureEngine({ onProgress: say });
    finish();
    if (options.json) console.log(JSON.stringify(engine, null, 2));
    else if (!options.quiet) console.log(describe(engine));
    return 0;
  } catch (error) {
    finish();
    if (!(error instanceof EngineError)) throw error;
    console.error(error.message);
    return 1;
  }
}

function readOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        quiet: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false, short: "h" },
      },
    }).values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function describe({ pulumi, folder, version, route }: Engine): string {
  const lines = [`Pulumi ${version}, ${ROUTES[route]}`, `  ${pulumi}`];
  if (route !== "path") {
    lines.push("To call it yourself:", `  export PATH="${folder}:$PATH"`);
  }
  return lines.join("\n");
}

/** Standard output stays for the result. In a terminal, a transient line gives way to the next. */
function progress(): { say: Say; finish: () => void } {
  const stream = process.stderr;
  let open = false;
  const clear = () => {
    if (open) stream.write("\r\u001b[K");
    open = false;
  };
  return {
    say: (line, transient = false) => {
      clear();
      open = transient && stream.isTTY;
      stream.write(open ? line : `${line}\n`);
    },
    finish: clear,
  };
}
