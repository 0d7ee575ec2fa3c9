// One of several runs at once: contender.ts <home> <sources>. Its build waits for a word on standard
// input, so that the test decides who is where when.
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { binFolder, digestSources, makeDraft, publish } from "../../../tools/engine/cache.ts";
import { obtainEngine } from "../../../tools/engine/engine.ts";
import { RouteFailure } from "../../../tools/engine/errors.ts";
import type { Surroundings } from "../../../tools/engine/types.ts";
import { putHost, putPulumi } from "./programs.ts";

const [home = "", sources = ""] = process.argv.slice(2);
const surroundings: Surroundings = { env: { PATH: "" }, home, sources };

const engine = await obtainEngine(
  surroundings,
  {
    download: () => Promise.reject(new RouteFailure("download", "no network in tests")),
    build: async () => {
      const draft = await makeDraft(surroundings);
      putPulumi(join(draft, "bin"));
      console.log("building");
      await once(process.stdin, "data");
      putHost(join(draft, "bin"));
      await publish(surroundings, draft, await digestSources(surroundings));
      await rm(draft, { recursive: true });
      const folder = binFolder(surroundings);
      return { pulumi: join(folder, "pulumi"), folder, version: "3.259.0", route: "go-build" };
    },
  },
  (line) => console.log(line),
);
console.log(`done: ${engine.route}`);
process.exit(0);
