import { readFileSync } from "node:fs";
import { join } from "node:path";
import type Dockerode from "dockerode";
import type { DockerOptions } from "dockerode";
import { z } from "zod";
import { codeOf, messageOf } from "./error-text.ts";
import { RefusedError } from "./resource-type.ts";
import { sshUrlForm } from "./ssh.ts";
import { sshAgent } from "./ssh-agent.ts";

/** Input of a type that works on a container host: its address; the local one when it is absent. */
export const containerHost = z
  .string()
  .refine(
    (text) => optionsAt(text) !== undefined,
    "required is unix:///path, tcp://host:port or ssh://user@host:port",
  )
  .nullish();

/**
 * Opens a client of a container daemon. Nothing is asked yet.
 *
 * @param host `unix:///path`, `tcp://host:port` or `ssh://user@host:port`; DOCKER_HOST, or else Docker's usual socket,
 *   when it is absent
 * @throws RefusedError when it has another form, or when the client's certificate cannot be read
 */
export async function openContainerHost(host: string | null | undefined): Promise<Dockerode> {
  const name = nameOf(host);
  const options = optionsAt(name)?.();
  if (options === undefined) {
    throw new RefusedError(
      [
        "the container host has an address of another form.",
        `found:    ${host === null || host === undefined ? "DOCKER_HOST" : "cutover:hosts"} with ${schemeOf(name)}`,
        "required: unix:///path, tcp://host:port or ssh://user@host:port",
      ].join("\n"),
    );
  }
  // It takes a fifth of a second to load, and few runs need it.
  const { default: Docker } = await import("dockerode");
  return new Docker({ ...noOptions, ...options });
}

/** How messages call a container host. */
export function nameOf(host: string | null | undefined): string {
  const given = host ?? process.env["DOCKER_HOST"] ?? "";
  return given === "" ? "unix:///var/run/docker.sock" : given;
}

/** The status that a daemon answered with; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const { statusCode } = Object(error) as { statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : undefined;
}

/** Why a daemon did not do what it was asked for: in its own words, or why it could not be asked. */
export function reasonOf(host: string | null | undefined, error: unknown): string {
  if (statusOf(error) !== undefined) {
    const { message } = Object((Object(error) as { json?: unknown }).json) as { message?: unknown };
    // The client puts the daemon's words behind its own, and has them nowhere else where the answer is a stream.
    return typeof message === "string"
      ? message
      : messageOf(error)
          .replace(/^\(HTTP code \d+\) [\w ]+ - /, "")
          .trim();
  }
  const code = codeOf(error);
  const reason = (code === undefined ? undefined : unreachable[code]) ?? messageOf(error);
  return `the container host ${nameOf(host)} cannot be asked: ${reason}`;
}

const unreachable: Readonly<Record<string, string | undefined>> = {
  ENOENT: "there is no such socket. To do: start Docker, or name where it listens",
  EACCES: "this user may not use the socket. To do: give the user the right to",
  ECONNREFUSED: "nothing listens there. To do: start Docker",
  ENOTFOUND: "there is no such host. To do: correct the address",
};

// The client takes what is not given here from DOCKER_HOST.
const noOptions = {
  host: undefined,
  port: undefined,
  socketPath: undefined,
  protocol: "http",
  username: undefined,
  pathPrefix: "/",
  ca: undefined,
  cert: undefined,
  key: undefined,
} as unknown as DockerOptions;

/** Makes the client's options for an address; undefined when it has another form. */
function optionsAt(address: string): (() => DockerOptions) | undefined {
  const [, socketPath] = /^unix:\/\/(\/.+)$/.exec(address) ?? [];
  if (socketPath !== undefined) return () => ({ socketPath });
  const [, host, port] = /^tcp:\/\/([\w.-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})$/.exec(address) ?? [];
  if (host !== undefined) return () => ({ host, port: Number(port), ...certificates() });
  if (!sshUrlForm.test(address)) return undefined;
  // Whom the requests are for is settled by the connection.
  return () => ({ host: "docker", port: 80, agent: sshAgent(address) });
}

/** The client's certificate as Docker's own client finds it; none when nobody asks for TLS. */
function certificates(): DockerOptions {
  const { DOCKER_TLS_VERIFY: verify = "", DOCKER_CERT_PATH: folder = "" } = process.env;
  if (verify === "" || folder === "") return {};
  const read = (file: string): string => {
    try {
      return readFileSync(join(folder, file), "utf8");
    } catch (error) {
      throw new RefusedError(
        `${file} in DOCKER_CERT_PATH cannot be read (${codeOf(error) ?? messageOf(error)}). ` +
          "To do: put ca.pem, cert.pem and key.pem there, or unset DOCKER_TLS_VERIFY",
      );
    }
  };
  return { protocol: "https", ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}

/** So much of an address that it tells what is wrong, and no password that somebody put into it. */
function schemeOf(address: string): string {
  return /^\w{1,20}:\/\//.exec(address)?.[0] ?? "no ://";
}
