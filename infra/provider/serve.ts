import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { openEngineLog, type EngineLog } from "./engine-log.ts";
import { messageOf } from "./error-text.ts";
import type { ProviderDefinition } from "./resource-type.ts";
import { makeService } from "./service.ts";

export { hasUnknown, isUnknown, sameProperty, unknown, type Properties } from "./properties.ts";
export {
  PartialError,
  RefusedError,
  type Call,
  type CheckFailure,
  type DiffResult,
  type ProviderDefinition,
  type ResourceState,
  type ResourceType,
} from "./resource-type.ts";

/** A provider that serves. */
export interface RunningProvider {
  readonly port: number;
  /** Aborts what is under way, runs the definition's `onShutdown` and stops serving. */
  close(): Promise<void>;
}

/**
 * Serves a provider on 127.0.0.1 until it is closed. It outlives engines: a Cancel aborts the operations under way and
 * the next run is served as usual.
 *
 * @param options `port` to listen on (default: a free one), `engineAddress` to send messages to before one attaches
 */
export async function startProvider(
  definition: ProviderDefinition,
  options: { readonly port?: number; readonly engineAddress?: string } = {},
): Promise<RunningProvider> {
  const log = openEngineLog(options.engineAddress);
  const service = makeService(
    definition,
    log,
    () => service.abort("the run was cancelled", settleMilliseconds),
    () => undefined,
  );
  const { server, port } = await listen(service.methods, options.port ?? 0);
  return {
    port,
    async close() {
      await service.abort("the provider is closing", settleMilliseconds);
      await definition.onShutdown?.();
      await log.close(flushMilliseconds);
      server.forceShutdown();
    },
  };
}

/**
 * Serves a provider as a plugin of the engine that started this process: the engine's address is the first argument,
 * the port goes to stdout. Ends the process on SIGINT, SIGTERM and when the engine is gone; a Cancel shuts the
 * provider down as well, and every later operation is refused.
 */
export async function runProvider(definition: ProviderDefinition): Promise<void> {
  const log = openEngineLog(engineAddress(process.argv.slice(2)));
  let ending: Promise<void> | undefined;
  const shutDown = (reason: string): Promise<void> => {
    ending ??= endPlugin(definition, log, () => service.abort(reason, settleMilliseconds));
    return ending;
  };
  const service = makeService(
    definition,
    log,
    () => shutDown("the run was cancelled"),
    () => (ending === undefined ? undefined : "the run was cancelled: nothing more is done"),
  );
  const exit = (reason: string, code: number): void => {
    void shutDown(reason)
      .then(() => log.close(flushMilliseconds))
      .finally(() => process.exit(code));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP"] as const) {
    process.on(signal, () => {
      exit(`the provider was stopped by ${signal}`, 0);
    });
  }
  process.on("uncaughtException", (error) => {
    log.log("error", "", `provider ${definition.name} failed: ${error.stack ?? error.message}`);
    exit("the provider failed", 1);
  });
  watchParent(() => {
    exit("the engine is gone", 0);
  });
  const { port } = await listen(service.methods, 0);
  process.stdout.write(`${String(port)}\n`);
}

// The engine kills a plugin 5 s after it asked it to go (sdk/go/common/resource/plugin/plugin.go): these add up to less.
const settleMilliseconds = 1000;
const shutdownMilliseconds = 3000;
const flushMilliseconds = 500;

const parentCheckMilliseconds = 250;

async function endPlugin(
  definition: ProviderDefinition,
  log: EngineLog,
  abort: () => Promise<void>,
): Promise<void> {
  await abort();
  const late = new Promise<void>((resolve) => {
    setTimeout(resolve, shutdownMilliseconds).unref();
  });
  try {
    await Promise.race([definition.onShutdown?.(), late]);
  } catch (error) {
    log.log("error", "", messageOf(error));
  }
}

function engineAddress(args: readonly string[]): string | undefined {
  const tracing = args.indexOf("--tracing");
  return args.find(
    (arg, index) => !arg.startsWith("-") && (tracing === -1 || index !== tracing + 1),
  );
}

/** An engine that is killed sends no signal; its plugins are handed to another parent. */
function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(parent)) return;
    clearInterval(timer);
    onGone();
  }, parentCheckMilliseconds);
  timer.unref();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function listen(
  methods: grpc.UntypedServiceImplementation,
  wanted: number,
): Promise<{ server: grpc.Server; port: number }> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(ResourceProviderService, methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${String(wanted)}`,
      grpc.ServerCredentials.createInsecure(),
      (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      },
    );
  });
  return { server, port };
}
