import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import type { JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { DiffResponse, ReadResponse } from "@pulumi/pulumi/proto/provider_pb.js";
import { startCloud, type Cloud, type CloudOptions } from "../../rehearsal/cloud.ts";
import { connectToProvider, urnOf, type EngineClient, type Wire } from "../support/engine.ts";

/** A resource that a stand-in made. */
export interface Made {
  readonly id: string;
  readonly inputs: Wire;
  readonly outputs: Wire;
}

/** What the engine asks of one type of resource, with the right ids. */
export interface Subject {
  /** Reasons by property; empty when the inputs are fine. */
  check(inputs: Wire): Promise<Record<string, string>>;
  create(inputs: Wire): Promise<Made>;
  preview(inputs: Wire): Promise<Wire>;
  /** The message of the refusal. */
  refusal(inputs: Wire): Promise<string>;
  diff(
    made: Made,
    news: Wire,
  ): Promise<{ changes: string[]; replaces: string[]; deleteFirst: boolean }>;
  update(made: Made, news: Wire): Promise<Made>;
  delete(made: Made): Promise<void>;
  /** What an import by this id finds; undefined when there is nothing. */
  find(id: string): Promise<Made | undefined>;
  /** Tells whether a refresh finds it. */
  exists(made: Made): Promise<boolean>;
}

/** A cloud of its own with a connection to each provider. */
export interface TestCloud {
  readonly cloud: Cloud;
  readonly clients: Readonly<Record<"aws" | "cloudflare" | "docker", EngineClient>>;
  /** A type by its token; the provider is the token's first part. */
  subject(type: string, name?: string): Subject;
  close(): Promise<void>;
}

/** A temporary folder that others can pass through, as the database server must. */
export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "rehearsal-test-"));
}

/** Starts a cloud; its folder goes with it unless one is given. */
export async function startTestCloud(options: Partial<CloudOptions> = {}): Promise<TestCloud> {
  const folder = options.folder ?? (await temporaryFolder());
  const cloud = await startCloud({ clockScale: 1000, ...options, folder });
  const clients = {
    aws: connectToProvider(cloud.ports["aws"] ?? 0),
    cloudflare: connectToProvider(cloud.ports["cloudflare"] ?? 0),
    docker: connectToProvider(cloud.ports["docker"] ?? 0),
  };
  return {
    cloud,
    clients,
    subject(type, name = "it") {
      const provider = type.split(":")[0] as keyof typeof clients;
      return subjectOf(clients[provider], type, name);
    },
    async close() {
      for (const client of Object.values(clients)) client.close();
      await cloud.close();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until a condition holds. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  milliseconds = 10_000,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

/** Inputs of an RDS instance; the password is at `password`. */
export function databaseInputs(identifier: string, more: Wire = {}): Wire {
  return {
    identifier,
    engine: "postgres",
    engineVersion: "18.1",
    instanceClass: "db.t4g.small",
    allocatedStorage: 20,
    dbName: "flagship",
    username: "cutover",
    password: "right-password",
    skipFinalSnapshot: true,
    ...more,
  };
}

/** URL of a database that was made from {@link databaseInputs}. */
export function databaseUrl({ outputs }: Made, password = "right-password"): string {
  return `postgres://cutover:${password}@${String(outputs["endpoint"])}/flagship`;
}

/** A type that a provider serves. */
export function subjectOf(client: EngineClient, type: string, name: string): Subject {
  const target = { type, name };
  const { raw } = client;
  return {
    async check(inputs) {
      const failures = await client.check(target, inputs);
      return Object.fromEntries(failures.map(({ property, reason }) => [property, reason]));
    },
    async create(inputs) {
      return { ...(await client.create(target, inputs)), inputs };
    },
    async preview(inputs) {
      return (await client.create(target, inputs, { preview: true })).outputs;
    },
    async refusal(inputs) {
      return client.create(target, inputs).then(
        () => "nothing was refused",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
    },
    async diff({ id, inputs, outputs }, news) {
      const request = new messages.DiffRequest()
        .setId(id)
        .setUrn(urnOf(target))
        .setType(type)
        .setOldInputs(struct(inputs))
        .setOlds(struct(outputs))
        .setNews(struct(news));
      const response = await ask<DiffResponse>((done) => raw.diff(request, done));
      return {
        changes: response.getDiffsList(),
        replaces: response.getReplacesList(),
        deleteFirst: response.getDeletebeforereplace(),
      };
    },
    async update({ id, inputs, outputs }, news) {
      const updated = await client.update(target, { id, inputs, outputs }, news);
      return { id, inputs: news, outputs: updated.outputs };
    },
    async delete({ id, inputs, outputs }) {
      const request = new messages.DeleteRequest()
        .setId(id)
        .setUrn(urnOf(target))
        .setType(type)
        .setOldInputs(struct(inputs))
        .setProperties(struct(outputs));
      await ask((done) => raw.delete(request, done));
    },
    async find(id) {
      const request = new messages.ReadRequest().setId(id).setUrn(urnOf(target)).setType(type);
      const found = await ask<ReadResponse>((done) => raw.read(request, done));
      if (found.getId() === "") return undefined;
      return {
        id: found.getId(),
        inputs: found.getInputs()?.toJavaScript() ?? {},
        outputs: found.getProperties()?.toJavaScript() ?? {},
      };
    },
    async exists({ id, inputs, outputs }) {
      const request = new messages.ReadRequest()
        .setId(id)
        .setUrn(urnOf(target))
        .setType(type)
        .setInputs(struct(inputs))
        .setProperties(struct(outputs));
      return (await ask<ReadResponse>((done) => raw.read(request, done))).getId() !== "";
    },
  };
}

function ask<Response>(
  run: (callback: (error: Error | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    run((error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
}

function struct(values: Wire): InstanceType<typeof structs.Struct> {
  return structs.Struct.fromJavaScript(values as Record<string, JavaScriptValue>);
}
