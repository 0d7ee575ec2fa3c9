import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import empties from "google-protobuf/google/protobuf/empty_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import type { JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb.js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import plugins from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type * as responses from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import { onTestFinished } from "vitest";
import {
  startProvider,
  type ProviderDefinition,
  type ResourceType,
} from "../../infra/provider/serve.ts";

/** A struct as it goes over the wire, secrets and unknowns in the engine's own wrapping. */
export type Wire = Record<string, unknown>;

/** The engine's wrapping of a secret, as it goes over the wire. */
export function secret(value: unknown): Wire {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

/** The engine's text for an unknown string, as it goes over the wire. */
export const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What a provider answers to Create and Update. */
interface Applied {
  readonly id: string;
  readonly outputs: Wire;
}

/** How an operation failed, as the engine sees it. */
export interface Failure {
  readonly code: number;
  readonly message: string;
  /** Set when the resource was made but is not well. */
  readonly partial?: { readonly id: string; readonly outputs: Wire; readonly reasons: string[] };
}

/** What the engine says of a resource with each call. */
export interface Target {
  readonly type: string;
  readonly name?: string;
}

/** Calls one provider as the engine does. A failed operation rejects with {@link EngineSideError}. */
export interface EngineClient {
  readonly raw: ResourceProviderClient;
  attach(address: string): Promise<void>;
  configure(variables: Record<string, string>, args: Wire): Promise<responses.ConfigureResponse>;
  check(target: Target, news: Wire, olds?: Wire): Promise<{ property: string; reason: string }[]>;
  diff(
    target: Target,
    olds: { inputs: Wire; outputs: Wire },
    news: Wire,
  ): Promise<{ changes: boolean; replaces: string[]; diffs: string[] }>;
  create(target: Target, news: Wire, options?: ApplyOptions): Promise<Applied>;
  update(
    target: Target,
    olds: { id?: string; inputs: Wire; outputs: Wire },
    news: Wire,
    options?: ApplyOptions,
  ): Promise<Applied>;
  delete(target: Target, olds: { inputs: Wire; outputs: Wire }): Promise<void>;
  invoke(token: string, args: Wire): Promise<Wire>;
  cancel(): Promise<void>;
  close(): void;
}

/** `timeout` in seconds, as custom timeouts come. */
interface ApplyOptions {
  readonly preview?: boolean;
  readonly timeout?: number;
}

/** An operation that the provider failed. */
export class EngineSideError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Connects to a provider on this port. */
export function connectToProvider(port: number): EngineClient {
  const raw = new ResourceProviderClient(
    `127.0.0.1:${String(port)}`,
    grpc.credentials.createInsecure(),
  );

  function ask<Response>(
    run: (callback: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      run((error, response) => {
        if (error === null) resolve(response);
        else reject(new EngineSideError(failureSeen(error)));
      });
    });
  }

  return {
    raw,
    async attach(address) {
      await ask((done) => raw.attach(new plugins.PluginAttach().setAddress(address), done));
    },
    configure(variables, args) {
      const request = new messages.ConfigureRequest().setArgs(struct(args));
      for (const [key, value] of Object.entries(variables)) {
        request.getVariablesMap().set(key, value);
      }
      return ask<responses.ConfigureResponse>((done) => raw.configure(request, done));
    },
    async check(target, news, olds = {}) {
      const request = named(new messages.CheckRequest(), target)
        .setNews(struct(news))
        .setOlds(struct(olds));
      const response = await ask<responses.CheckResponse>((done) => raw.check(request, done));
      if (response.getFailuresList().length === 0) {
        const echoed = response.getInputs()?.toJavaScript();
        if (JSON.stringify(echoed) !== JSON.stringify(struct(news).toJavaScript())) {
          throw new Error("Check changed the inputs");
        }
      }
      return response
        .getFailuresList()
        .map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() }));
    },
    async diff(target, olds, news) {
      const request = named(new messages.DiffRequest(), target)
        .setId("id")
        .setOldInputs(struct(olds.inputs))
        .setOlds(struct(olds.outputs))
        .setNews(struct(news));
      const response = await ask<responses.DiffResponse>((done) => raw.diff(request, done));
      return {
        changes: response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME,
        replaces: response.getReplacesList(),
        diffs: response.getDiffsList(),
      };
    },
    async create(target, news, { preview = false, timeout = 0 } = {}) {
      const request = named(new messages.CreateRequest(), target)
        .setProperties(struct(news))
        .setPreview(preview)
        .setTimeout(timeout);
      const response = await ask<responses.CreateResponse>((done) => raw.create(request, done));
      return { id: response.getId(), outputs: response.getProperties()?.toJavaScript() ?? {} };
    },
    async update(target, olds, news, { preview = false, timeout = 0 } = {}) {
      const request = named(new messages.UpdateRequest(), target)
        .setId(olds.id ?? "id")
        .setOldInputs(struct(olds.inputs))
        .setOlds(struct(olds.outputs))
        .setNews(struct(news))
        .setPreview(preview)
        .setTimeout(timeout);
      const response = await ask<responses.UpdateResponse>((done) => raw.update(request, done));
      return { id: request.getId(), outputs: response.getProperties()?.toJavaScript() ?? {} };
    },
    async delete(target, olds) {
      const request = named(new messages.DeleteRequest(), target)
        .setId("id")
        .setOldInputs(struct(olds.inputs))
        .setProperties(struct(olds.outputs));
      await ask((done) => raw.delete(request, done));
    },
    async invoke(token, args) {
      const request = new messages.InvokeRequest().setTok(token).setArgs(struct(args));
      const response = await ask<responses.InvokeResponse>((done) => raw.invoke(request, done));
      return response.getReturn()?.toJavaScript() ?? {};
    },
    async cancel() {
      await ask((done) => raw.cancel(new empties.Empty(), done));
    },
    close() {
      raw.close();
    },
  };
}

/** An engine that only listens: it keeps what providers ask it to print. */
export interface ListeningEngine {
  readonly address: string;
  readonly messages: { severity: number; urn: string; text: string }[];
  close(): void;
}

/** Starts an engine that only listens, on a free port. */
export async function startListeningEngine(): Promise<ListeningEngine> {
  const heard: ListeningEngine["messages"] = [];
  const server = new grpc.Server();
  server.addService(EngineService, {
    log(
      call: grpc.ServerUnaryCall<LogRequest, unknown>,
      callback: grpc.sendUnaryData<unknown>,
    ): void {
      const { request } = call;
      heard.push({
        severity: request.getSeverity(),
        urn: request.getUrn(),
        text: request.getMessage(),
      });
      callback(null, new empties.Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    address: `127.0.0.1:${String(port)}`,
    messages: heard,
    close() {
      server.forceShutdown();
    },
  };
}

/** A provider that runs as a plugin of an engine that only listens. */
export interface Plugin {
  readonly engine: EngineClient;
  /** Texts of the messages so far. */
  readonly heard: () => string[];
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Exit code and signal, once it has ended. */
  readonly ended: Promise<unknown>;
}

/** Starts a plugin's file as the engine does. It is killed when the test finishes. */
export async function startPlugin(file: URL): Promise<Plugin> {
  const listening = await startListeningEngine();
  const child = spawn(process.execPath, [file.pathname, "--logtostderr", listening.address], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    listening.close();
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const engine = connectToProvider(Number(line));
  onTestFinished(() => {
    engine.close();
  });
  return {
    engine,
    heard: () => listening.messages.map((message) => message.text),
    kill: (signal) => child.kill(signal),
    ended,
  };
}

/** The failure that an operation must end with. */
export async function failureOf(operation: Promise<unknown>): Promise<Failure> {
  const error: unknown = await operation.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof EngineSideError) return error.failure;
  throw new Error("the operation did not fail at the provider", { cause: error });
}

/** Serves types in this process until the test finishes, and calls them as an engine that listens. */
export async function serveTypes(
  types: Readonly<Record<string, ResourceType>>,
  definition: Partial<ProviderDefinition> = {},
): Promise<EngineClient & { readonly heard: ListeningEngine["messages"] }> {
  const listening = await startListeningEngine();
  const provider = await startProvider(
    { name: "toy", version: "1.2.3", types, ...definition },
    { engineAddress: listening.address },
  );
  const engine = connectToProvider(provider.port);
  onTestFinished(async () => {
    engine.close();
    await provider.close();
    listening.close();
  });
  return { ...engine, heard: listening.messages };
}

/** URN of a resource in the test stack. */
export function urnOf({ type, name = "it" }: Target): string {
  return `urn:pulumi:test::cutover::${type}::${name}`;
}

function struct(values: Wire): InstanceType<typeof structs.Struct> {
  return structs.Struct.fromJavaScript(values as Record<string, JavaScriptValue>);
}

interface Named<Self> {
  setUrn(urn: string): Self;
  setName(name: string): Self;
  setType(type: string): Self;
}

function named<Request extends Named<Request>>(request: Request, target: Target): Request {
  return request
    .setUrn(urnOf(target))
    .setName(target.name ?? "it")
    .setType(target.type);
}

function failureSeen(error: grpc.ServiceError): Failure {
  const failure = { code: error.code, message: error.details };
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (bytes === undefined || typeof bytes === "string") return failure;
  const [detail] = statuses.Status.deserializeBinary(bytes).getDetailsList();
  if (detail?.getTypeName() !== "pulumirpc.ErrorResourceInitFailed") {
    throw new Error(`unexpected detail ${String(detail?.getTypeName())}`);
  }
  const init = messages.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
  return {
    ...failure,
    partial: {
      id: init.getId(),
      outputs: init.getProperties()?.toJavaScript() ?? {},
      reasons: init.getReasonsList(),
    },
  };
}
