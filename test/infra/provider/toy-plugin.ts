import { runProvider, type Call } from "../../../infra/provider/serve.ts";

let log: Call["log"] | undefined;

await runProvider({
  name: "toy",
  version: "1.0.0",
  types: {
    "toy:index:Thing": {
      create(news, call) {
        log = call.log.bind(call);
        if (news["crash"] === true) {
          setImmediate(() => {
            throw new Error("out of the blue");
          });
        }
        if (news["wait"] !== true) return Promise.resolve({ id: "made", outputs: {} });
        call.log("info", "waiting");
        return new Promise((_resolve, reject) => {
          call.signal.addEventListener("abort", () => {
            reject(call.signal.reason as Error);
          });
        });
      },
    },
  },
  onShutdown() {
    log?.("info", "shut down");
    return Promise.resolve();
  },
});
