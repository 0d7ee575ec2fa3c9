import { DaemonError, type ContainerRecord } from "./container-record.ts";
import type { Daemon } from "./containers.ts";
import { framed, inspected, inspectedImage, listed, pullProgress } from "./docker-api-answers.ts";
import { restartOfBody, specOfBody } from "./docker-api-create.ts";
import { createExec, inspectExec } from "./docker-exec.ts";
import { notImitated } from "./refusal.ts";

/** The Engine that is imitated, and the minor versions of the API 1 that it speaks. */
export const engine = { version: "28.2.2", minor: 50, leastMinor: 24 } as const;

/** A request for one thing that the Engine can do. */
export interface Asked {
  readonly daemon: Daemon;
  /** The part of the path that is a name; empty when it has none. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** What is answered: `json` as JSON, `lines` as JSON objects, one a line, `bytes` as they are, else nothing. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly lines?: readonly object[];
  readonly bytes?: Buffer;
}

type Serve = (asked: Asked) => Answer | Promise<Answer>;

/** What the Engine can do: method, path without a version, and who does it. The first that fits serves. */
export const routes: readonly (readonly [method: string, path: RegExp, serve: Serve])[] = [
  ["GET", /^\/_ping$/, () => ({ status: 200, bytes: Buffer.from("OK") })],
  ["HEAD", /^\/_ping$/, () => ({ status: 200 })],
  ["GET", /^\/version$/, () => ({ status: 200, json: versions })],
  ["GET", /^\/info$/, info],
  ["GET", /^\/containers\/json$/, list],
  ["POST", /^\/containers\/create$/, create],
  ["GET", /^\/containers\/([^/]+)\/json$/, inspect],
  ["POST", /^\/containers\/([^/]+)\/start$/, start],
  ["POST", /^\/containers\/([^/]+)\/stop$/, stop],
  ["POST", /^\/containers\/([^/]+)\/kill$/, kill],
  ["POST", /^\/containers\/([^/]+)\/wait$/, wait],
  ["POST", /^\/containers\/([^/]+)\/rename$/, rename],
  ["POST", /^\/containers\/([^/]+)\/update$/, update],
  ["GET", /^\/containers\/([^/]+)\/logs$/, logs],
  ["DELETE", /^\/containers\/([^/]+)$/, remove],
  ["POST", /^\/containers\/([^/]+)\/exec$/, exec],
  ["GET", /^\/exec\/([^/]+)\/json$/, ({ name }) => ({ status: 200, json: inspectExec(name) })],
  ["GET", /^\/images\/json$/, listImages],
  ["POST", /^\/images\/create$/, pull],
  ["GET", /^\/images\/(.+)\/json$/, inspectImage],
];

const versions = {
  Version: engine.version,
  ApiVersion: `1.${engine.minor}`,
  MinAPIVersion: `1.${engine.leastMinor}`,
  Os: "linux",
  Arch: process.arch === "x64" ? "amd64" : process.arch,
};

function info({ daemon }: Asked): Answer {
  const all = daemon.containers.items();
  const running = all.filter(({ status }) => status === "running").length;
  return {
    status: 200,
    json: {
      Containers: all.length,
      ContainersRunning: running,
      ContainersPaused: 0,
      ContainersStopped: all.length - running,
      Images: daemon.images().length,
      Name: "rehearsal",
      OSType: "linux",
      Architecture: process.arch === "x64" ? "x86_64" : "aarch64",
      ServerVersion: engine.version,
    },
  };
}

function list({ daemon, query }: Asked): Answer {
  const filters = filtersOf(query.get("filters"));
  const all = isTrue(query, "all") || filters.some(([key]) => key === "status");
  return {
    status: 200,
    json: daemon.containers
      .items()
      .filter(({ status }) => all || status === "running")
      .filter((record) => filters.every(([key, values]) => matches(record, key, values)))
      .toReversed()
      .map((record) => listed(daemon, record)),
  };
}

const matchers: Readonly<Record<string, (record: ContainerRecord, value: string) => boolean>> = {
  id: ({ id }, value) => id.startsWith(value),
  name: ({ name }, value) => new RegExp(value.replace(/^\/|^\^\//, "")).test(name),
  status: ({ status }, value) => status === value,
  label({ labels }, value) {
    const [key = "", ...rest] = value.split("=");
    return rest.length === 0 ? Object.hasOwn(labels, key) : labels[key] === rest.join("=");
  },
};

function matches(record: ContainerRecord, key: string, values: readonly string[]): boolean {
  const matcher = matchers[key];
  if (matcher === undefined) throw new DaemonError(400, `invalid filter '${key}'`);
  // Of labels all must be there, of anything else one.
  return key === "label"
    ? values.every((value) => matcher(record, value))
    : values.some((value) => matcher(record, value));
}

/** Filters come as lists, and from older clients as objects whose keys are the values. */
function filtersOf(text: string | null): [string, string[]][] {
  if (text === null || text === "") return [];
  try {
    const found = JSON.parse(text) as Record<string, string[] | Record<string, boolean>>;
    return Object.entries(found).map(([key, values]) => [
      key,
      Array.isArray(values) ? values : Object.keys(values),
    ]);
  } catch {
    throw new DaemonError(400, "invalid filter");
  }
}

function create({ daemon, query, body }: Asked): Answer {
  const name = query.get("name") ?? "";
  if (name === "") throw new DaemonError(501, notImitated("a container without a name"));
  if (!/^\/?[a-zA-Z0-9][\w.-]+$/.test(name)) {
    throw new DaemonError(
      400,
      `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
  const spec = specOfBody(name.replace(/^\//, ""), body);
  const networks = daemon.networks.items().map((network) => network.name);
  const missing = spec.networks.find((network) => !networks.includes(network));
  if (missing !== undefined) throw new DaemonError(404, `network ${missing} not found`);
  return { status: 201, json: { Id: daemon.create(spec).id, Warnings: [] } };
}

function inspect({ daemon, name }: Asked): Answer {
  return { status: 200, json: inspected(daemon, known(daemon, name)) };
}

async function start({ daemon, name }: Asked): Promise<Answer> {
  const { id, status } = known(daemon, name);
  if (status === "running") return { status: 304 };
  await daemon.start(id);
  return { status: 204 };
}

const defaultGraceSeconds = "10";
// A negative number of seconds means that it is never killed.
const longMilliseconds = 24 * 3_600_000;

async function stop({ daemon, name, query }: Asked): Promise<Answer> {
  const { id, status } = known(daemon, name);
  const seconds = Number(query.get("t") ?? defaultGraceSeconds);
  await daemon.stop(id, seconds < 0 ? longMilliseconds : seconds * 1000);
  return { status: status === "running" ? 204 : 304 };
}

function kill({ daemon, name, query }: Asked): Answer {
  const signal = query.get("signal") ?? "SIGKILL";
  const [, word = ""] = /^(?:SIG)?([A-Z]+\d?)$/.exec(signal) ?? [];
  if (word === "") throw new DaemonError(501, notImitated(`the signal ${signal}`));
  daemon.kill(name, `SIG${word}` as NodeJS.Signals);
  return { status: 204 };
}

async function wait({ daemon, name, query, signal }: Asked): Promise<Answer> {
  const condition = query.get("condition") ?? "not-running";
  if (condition !== "not-running") {
    throw new DaemonError(501, notImitated(`the wait condition ${condition}`));
  }
  return { status: 200, json: { StatusCode: await daemon.waitEnd(name, signal) } };
}

function rename({ daemon, name, query }: Asked): Answer {
  daemon.rename(name, query.get("name") ?? "");
  return { status: 204 };
}

function update({ daemon, name, body }: Asked): Answer {
  daemon.update(name, restartOfBody(body));
  return { status: 200, json: { Warnings: [] } };
}

function logs({ daemon, name, query }: Asked): Answer {
  const { id } = known(daemon, name);
  if (!isTrue(query, "stdout") && !isTrue(query, "stderr")) {
    throw new DaemonError(400, "Bad parameters: you must choose at least one stream");
  }
  const other = ["follow", "timestamps", "since", "until"].find((key) => isTrue(query, key));
  if (other !== undefined) throw new DaemonError(501, notImitated(`logs with ${other}`));
  const lines = daemon.logs(id).match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const tail = query.get("tail") ?? "all";
  const kept = tail === "all" || tail === "" ? lines : lines.slice(-Number(tail) || lines.length);
  return { status: 200, bytes: framed(kept.join("")) };
}

async function remove({ daemon, name, query }: Asked): Promise<Answer> {
  const record = known(daemon, name);
  if (record.status === "running" && !isTrue(query, "force")) {
    throw new DaemonError(
      409,
      `cannot remove container "/${record.name}": container is running: ` +
        "stop the container before removing or force remove",
    );
  }
  await daemon.remove(record.id, 0);
  return { status: 204 };
}

function exec({ daemon, name, body }: Asked): Answer {
  const record = known(daemon, name);
  const service = daemon.findImage(record.image)?.image.service;
  const place = service === "postgres" ? daemon.place(record.id) : undefined;
  return { status: 201, json: { Id: createExec(record, place, body) } };
}

function listImages({ daemon }: Asked): Answer {
  return { status: 200, json: daemon.images().map(inspectedImage) };
}

function pull({ daemon, query }: Asked): Answer {
  const from = query.get("fromImage") ?? "";
  const tag = query.get("tag") ?? "";
  if (from === "") throw new DaemonError(501, notImitated("an image that is made from a file"));
  const separator = tag.includes(":") ? "@" : ":";
  const reference = tag === "" ? from : `${from}${separator}${tag}`;
  const isNew = daemon.findImage(reference) === undefined;
  return { status: 200, lines: pullProgress(daemon.pull(reference), isNew) };
}

function inspectImage({ daemon, name }: Asked): Answer {
  const image = daemon.findImage(name);
  if (image === undefined) throw new DaemonError(404, `No such image: ${name}`);
  return { status: 200, json: inspectedImage(image) };
}

function known(daemon: Daemon, name: string): ContainerRecord {
  const record = daemon.find(name);
  if (record === undefined) throw new DaemonError(404, `No such container: ${name}`);
  return record;
}

function isTrue(query: URLSearchParams, key: string): boolean {
  return !["", "0", "false", "none"].includes(query.get(key) ?? "");
}
