import * as grpc from "@grpc/grpc-js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import anys from "google-protobuf/google/protobuf/any_pb.js";
import empties from "google-protobuf/google/protobuf/empty_pb.js";
import plugins from "@pulumi/pulumi/proto/plugin_pb.js";
import type * as requests from "@pulumi/pulumi/proto/provider_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import { messageOf } from "./error-text.ts";
import type { EngineLog } from "./engine-log.ts";
import {
  fromStruct,
  hasUnknown,
  sameProperty,
  toStruct,
  type Properties,
  type Received,
} from "./properties.ts";
import {
  PartialError,
  RefusedError,
  type Call,
  type DiffResult,
  type ProviderDefinition,
  type ResourceType,
} from "./resource-type.ts";

/** A provider as the gRPC service that the engine calls. */
export interface Service {
  readonly methods: grpc.UntypedServiceImplementation;
  /** Aborts every operation under way and waits until they have ended, at most this many milliseconds. */
  abort(reason: string, milliseconds: number): Promise<void>;
}

/**
 * Makes the gRPC service of a provider.
 *
 * @param onCancel what to do when the engine cancels the run, before it is told that this was heard
 * @param refusal reason why no operation is taken any more; undefined while the provider serves
 */
export function makeService(
  definition: ProviderDefinition,
  log: EngineLog,
  onCancel: () => Promise<void>,
  refusal: () => string | undefined,
): Service {
  const running = new Map<AbortController, Promise<void>>();

  function unary<Request, Response>(
    serve: (request: Request, signal: AbortController) => Response | Promise<Response>,
  ): grpc.handleUnaryCall<Request, Response> {
    return (call, callback) => {
      const controller = new AbortController();
      call.on("cancelled", () => {
        controller.abort(new RefusedError("the engine gave up on this operation"));
      });
      const done = Promise.resolve()
        .then(() => {
          const reason = refusal();
          if (reason !== undefined) throw new RefusedError(reason);
          return serve(call.request, controller);
        })
        .then(
          (response) => {
            callback(null, response);
          },
          (error: unknown) => {
            callback(failure(error, log));
          },
        )
        .finally(() => running.delete(controller));
      running.set(controller, done);
    };
  }

  async function operate<Result>(
    request: ResourceRequest,
    controller: AbortController,
    run: (type: ResourceType, call: Call) => Result | Promise<Result>,
  ): Promise<Result> {
    const call = callOf(request, controller, log);
    const type = definition.types[call.type];
    if (type === undefined) throw new RefusedError(unsupported(definition, call.type));
    const { timeoutSeconds } = call;
    if (timeoutSeconds === 0) return run(type, call);
    const timer = setTimeout(() => {
      controller.abort(
        new RefusedError(
          `${call.name} did not end within its timeout of ${String(timeoutSeconds)} s`,
        ),
      );
    }, timeoutSeconds * 1000);
    try {
      return await run(type, call);
    } finally {
      clearTimeout(timer);
    }
  }

  const methods = {
    handshake: unary((request: requests.ProviderHandshakeRequest) => {
      log.attach(request.getEngineAddress());
      return new messages.ProviderHandshakeResponse()
        .setAcceptSecrets(true)
        .setAcceptResources(true)
        .setAcceptOutputs(false);
    }),

    attach: unary((request: { getAddress(): string }) => {
      log.attach(request.getAddress());
      return new empties.Empty();
    }),

    getPluginInfo: unary(() => new plugins.PluginInfo().setVersion(definition.version)),

    getSchema: unary(() => {
      const resources = Object.fromEntries(
        Object.keys(definition.types).map((token) => [token, { inputProperties: {} }]),
      );
      const { name, version } = definition;
      return new messages.GetSchemaResponse().setSchema(
        JSON.stringify({ name, version, resources }),
      );
    }),

    checkConfig: unary((request: requests.CheckRequest) =>
      new messages.CheckResponse().setInputs(request.getNews()),
    ),

    diffConfig: unary((request: requests.DiffRequest) => {
      const olds = fromStruct(request.getOldInputs()).values;
      return diffResponse(inputDiff(olds, fromStruct(request.getNews()).values, true));
    }),

    configure: unary(async (request: requests.ConfigureRequest) => {
      const variables = Object.fromEntries(request.getVariablesMap().getEntryList());
      await definition.configure?.(variables, fromStruct(request.getArgs()).values);
      return new messages.ConfigureResponse()
        .setAcceptsecrets(true)
        .setAcceptresources(true)
        .setSupportspreview(true)
        .setAcceptoutputs(false);
    }),

    invoke: unary(async (request: requests.InvokeRequest, controller) => {
      const token = request.getTok();
      const run = definition.functions?.[token];
      if (run === undefined) throw new RefusedError(unsupported(definition, token));
      const call: Call = {
        urn: "",
        name: "",
        type: token,
        preview: request.getPreview(),
        signal: controller.signal,
        timeoutSeconds: 0,
        log: (severity, message) => {
          log.log(severity, "", message);
        },
      };
      const args = fromStruct(request.getArgs());
      return new messages.InvokeResponse().setReturn(toStruct(await run(args.values, call), args));
    }),

    check: unary((request: requests.CheckRequest, controller) =>
      operate(request, controller, async (type, call) => {
        const olds = fromStruct(request.getOlds()).values;
        const failures = await type.check?.(
          fromStruct(request.getNews()).values,
          Object.keys(olds).length === 0 ? undefined : olds,
          call,
        );
        return new messages.CheckResponse()
          .setInputs(request.getNews())
          .setFailuresList(
            (failures ?? []).map(({ property, reason }) =>
              new messages.CheckFailure().setProperty(property).setReason(reason),
            ),
          );
      }),
    ),

    diff: unary((request: requests.DiffRequest, controller) =>
      operate(request, controller, async (type, call) => {
        const inputs = fromStruct(request.getOldInputs()).values;
        const outputs = fromStruct(request.getOlds()).values;
        const news = fromStruct(request.getNews()).values;
        return diffResponse(
          type.diff === undefined
            ? inputDiff(inputs, news, type.update !== undefined)
            : await type.diff({ id: request.getId(), inputs, outputs }, news, call),
        );
      }),
    ),

    create: unary((request: requests.CreateRequest, controller) =>
      operate(request, controller, async (type, call) => {
        const news = fromStruct(request.getProperties());
        const { id, outputs } = await packed(type, news, () => type.create(news.values, call));
        return new messages.CreateResponse()
          .setId(id)
          .setProperties(outputStruct(outputs, news, type, call));
      }),
    ),

    update: unary((request: requests.UpdateRequest, controller) =>
      operate(request, controller, async (type, call) => {
        const update = type.update?.bind(type);
        if (update === undefined) {
          throw new RefusedError(`${call.type} cannot be updated, only replaced`);
        }
        const olds = {
          inputs: fromStruct(request.getOldInputs()).values,
          outputs: fromStruct(request.getOlds()).values,
        };
        const news = fromStruct(request.getNews());
        const { outputs } = await packed(type, news, () =>
          update(request.getId(), olds, news.values, call),
        );
        return new messages.UpdateResponse().setProperties(outputStruct(outputs, news, type, call));
      }),
    ),

    read: unary((request: requests.ReadRequest, controller) =>
      operate(request, controller, async (type, call) => {
        const response = new messages.ReadResponse();
        if (type.read === undefined) {
          return response
            .setId(request.getId())
            .setProperties(request.getProperties())
            .setInputs(request.getInputs());
        }
        const inputs = fromStruct(request.getInputs());
        const outputs = fromStruct(request.getProperties());
        const state = await type.read(
          request.getId(),
          { inputs: inputs.values, outputs: outputs.values },
          call,
        );
        if (state === undefined) return response;
        return response
          .setId(state.id)
          .setProperties(outputStruct(state.outputs, outputs, type, call))
          .setInputs(toStruct(state.inputs, inputs));
      }),
    ),

    delete: unary((request: requests.DeleteRequest, controller) =>
      operate(request, controller, async (type, call) => {
        const olds = {
          inputs: fromStruct(request.getOldInputs()).values,
          outputs: fromStruct(request.getProperties()).values,
        };
        await type.delete?.(request.getId(), olds, call);
        return new empties.Empty();
      }),
    ),

    // Not `unary`: a cancelled provider must answer this, and must not wait for itself.
    cancel: ((_call, callback) => {
      onCancel().then(
        () => {
          callback(null, new empties.Empty());
        },
        (error: unknown) => {
          callback(failure(error, log));
        },
      );
    }) satisfies grpc.handleUnaryCall<unknown, unknown>,
  };

  return {
    methods,
    async abort(reason, milliseconds) {
      const ends = [...running.values()];
      for (const controller of running.keys()) controller.abort(new RefusedError(reason));
      const late = new Promise<void>((resolve) => {
        setTimeout(resolve, milliseconds).unref();
      });
      await Promise.race([Promise.all(ends), late]);
    },
  };
}

interface ResourceRequest {
  getUrn(): string;
  getName(): string;
  getType(): string;
  getTimeout?(): number;
  getPreview?(): boolean;
}

function callOf(request: ResourceRequest, controller: AbortController, log: EngineLog): Call {
  const urn = request.getUrn();
  // urn:pulumi:stack::project::parent$type::name, where the name may hold anything.
  const [, , types = "", ...names] = urn.split("::");
  const name = request.getName();
  const type = request.getType();
  return {
    urn,
    name: name === "" ? names.join("::") : name,
    type: type === "" ? types.slice(types.lastIndexOf("$") + 1) : type,
    preview: request.getPreview?.() ?? false,
    signal: controller.signal,
    timeoutSeconds: request.getTimeout?.() ?? 0,
    log: (severity, message) => {
      log.log(severity, urn, message);
    },
  };
}

function unsupported(definition: ProviderDefinition, type: string): string {
  return (
    definition.unsupported?.(type) ??
    `provider ${definition.name} has no ${type}. It has: ${Object.keys(definition.types).join(", ")}`
  );
}

function inputDiff(olds: Properties, news: Properties, canUpdate: boolean): DiffResult {
  const names = new Set([...Object.keys(olds), ...Object.keys(news)]);
  const diffs = [...names].filter((name) => !sameProperty(olds[name], news[name]));
  return { changes: diffs.length > 0, diffs, replaces: canUpdate ? [] : diffs };
}

function diffResponse({
  changes,
  replaces,
  deleteBeforeReplace,
  diffs,
}: DiffResult): requests.DiffResponse {
  return new messages.DiffResponse()
    .setChanges(
      changes
        ? messages.DiffResponse.DiffChanges.DIFF_SOME
        : messages.DiffResponse.DiffChanges.DIFF_NONE,
    )
    .setReplacesList([...(replaces ?? [])])
    .setDeletebeforereplace(deleteBeforeReplace ?? false)
    .setDiffsList([...(diffs ?? [])]);
}

function outputStruct(
  outputs: Properties,
  echoOf: Received,
  type: ResourceType,
  call: Call,
): Struct {
  if (!call.preview) {
    const name = Object.keys(outputs).find((key) => hasUnknown(outputs[key]));
    if (name !== undefined) throw new Error(`output ${name} of ${call.name} is still unknown`);
  }
  return toStruct(outputs, echoOf, type.secretOutputs);
}

/** A {@link PartialError} whose outputs are ready for the wire. */
class PackedPartialError extends Error {
  readonly detail: requests.ErrorResourceInitFailed;

  constructor(message: string, detail: requests.ErrorResourceInitFailed) {
    super(message);
    this.detail = detail;
  }
}

async function packed<Result>(
  type: ResourceType,
  news: Received,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof PartialError)) throw error;
    throw new PackedPartialError(
      error.message,
      new messages.ErrorResourceInitFailed()
        .setId(error.id)
        .setProperties(toStruct(error.outputs, news, type.secretOutputs))
        .setInputs(toStruct(news.values, news))
        .setReasonsList([error.message]),
    );
  }
}

function failure(error: unknown, log: EngineLog): Partial<grpc.StatusObject> {
  if (error instanceof PackedPartialError) {
    const detail = new anys.Any();
    detail.pack(error.detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new statuses.Status();
    status.setCode(grpc.status.UNKNOWN).setMessage(error.message).addDetails(detail);
    const metadata = new grpc.Metadata();
    metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
    return { code: grpc.status.UNKNOWN, details: error.message, metadata };
  }
  // The engine takes FAILED_PRECONDITION for "nothing happened" and UNKNOWN for "the state is in doubt".
  if (error instanceof RefusedError) {
    return { code: grpc.status.FAILED_PRECONDITION, details: error.message };
  }
  if (error instanceof Error && error.stack !== undefined) log.log("debug", "", error.stack);
  return { code: grpc.status.UNKNOWN, details: messageOf(error) };
}
