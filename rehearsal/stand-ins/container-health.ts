import { request } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { postgresAnswers } from "./postgres-ready.ts";

/** How health is checked inside of a container. Times in milliseconds. */
export interface HealthCheck {
  /** The words that were given, as in `["CMD", "curl", "-f", "http://127.0.0.1:8080/healthz"]`. */
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
}

/** Where a process listens, and the port that it believes it listens on. */
export interface Listening extends AddressInfo {
  readonly inside: number;
}

/** What is wrong with the words of a health check; undefined for those that can be asked without a shell. */
export function testProblem(test: readonly string[]): string | undefined {
  return questionOf(test) === undefined
    ? 'the rehearsal has no shell: it understands ["CMD", "curl" or "wget", options, ' +
        '"http://127.0.0.1:PORT/PATH"], ["CMD", "redis-cli", "ping"] and ["CMD", "pg_isready", options]'
    : undefined;
}

// What the daemon takes for a value of nothing: https://docs.docker.com/reference/dockerfile/#healthcheck
const defaultMilliseconds = 30_000;
const defaultRetries = 3;

/** A health check of these words, where 0 stands for the daemon's own value. */
export function healthCheckOf(given: HealthCheck): HealthCheck {
  const or = (value: number, otherwise: number): number => (value === 0 ? otherwise : value);
  return {
    test: given.test,
    interval: or(given.interval, defaultMilliseconds),
    timeout: or(given.timeout, defaultMilliseconds),
    retries: or(given.retries, defaultRetries),
  };
}

/** Asks a process once. The check runs inside of the container, where the process listens on the port it was told. */
export function answersWell(place: Listening, { test, timeout }: HealthCheck): Promise<boolean> {
  const question = questionOf(test);
  if (question === undefined || question.port !== place.inside) return Promise.resolve(false);
  if (question.path !== undefined) return httpAnswers(place, question.path, timeout);
  return question.port === postgresPort
    ? postgresAnswers(place, timeout)
    : redisAnswers(place, timeout);
}

/** What is asked: a path over HTTP; without one a PING, or at PostgreSQL's port whether it takes connections. */
interface Question {
  readonly port: number;
  readonly path?: string;
}

const programs: Readonly<
  Record<string, ((args: readonly string[]) => Question | undefined) | undefined>
> = {
  curl: httpQuestion,
  wget: httpQuestion,
  "redis-cli": redisQuestion,
  pg_isready: postgresQuestion,
};

function questionOf([form, ...rest]: readonly string[]): Question | undefined {
  if (form !== "CMD" && form !== "CMD-SHELL") return undefined;
  const words = form === "CMD-SHELL" ? rest.flatMap((text) => text.split(/\s+/)) : rest;
  const [program = "", ...args] = words;
  return programs[program.replace(/^(\/usr\/local\/bin|\/usr\/bin|\/bin)\//, "")]?.(args);
}

const inside = ["localhost", "127.0.0.1", "[::1]"];

function httpQuestion(args: readonly string[]): Question | undefined {
  const targets = args.filter((arg) => URL.canParse(arg)).map((arg) => new URL(arg));
  const [url] = targets;
  if (targets.length !== 1 || url?.protocol !== "http:") return undefined;
  if (!inside.includes(url.hostname)) return undefined;
  return {
    port: url.port === "" ? 80 : Number(url.port),
    path: `${url.pathname}${url.search}`,
  };
}

const postgresPort = 5432;

/** Over TCP: the server that the image only initialises with takes no such connection. */
function postgresQuestion(args: readonly string[]): Question | undefined {
  const host = / (?:-h |--host[= ])(\S+) /.exec(` ${args.join(" ")} `)?.[1];
  return inside.includes(host ?? "") ? { port: postgresPort } : undefined;
}

const redisPort = 6379;

function redisQuestion(args: readonly string[]): Question | undefined {
  const [, port = `${redisPort}`] = / -p (\d+) /.exec(` ${args.join(" ")} `) ?? [];
  const asksPing = args.at(-1)?.toLowerCase() === "ping";
  return asksPing && !args.includes("-h") ? { port: Number(port) } : undefined;
}

function httpAnswers(
  { address, port }: Listening,
  path: string,
  timeout: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeout);
    const asking = request({ host: address, port, path, signal, agent: false }, (answer) => {
      answer.resume();
      resolve((answer.statusCode ?? 500) < 400);
    });
    asking.on("error", () => {
      resolve(false);
    });
    asking.end();
  });
}

/** As `redis-cli ping` does: an error is an answer as well. */
function redisAnswers({ address, port }: Listening, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout }, () => socket.write("PING\r\n"));
    const end = (well: boolean): void => {
      socket.destroy();
      resolve(well);
    };
    socket.once("data", () => {
      end(true);
    });
    for (const event of ["error", "close", "timeout"] as const) {
      socket.once(event, () => {
        end(false);
      });
    }
  });
}
