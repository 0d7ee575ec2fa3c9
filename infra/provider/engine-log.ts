import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engine from "@pulumi/pulumi/proto/engine_pb.js";
import type { Severity } from "./resource-type.ts";

/** The way to the messages that the CLI prints. */
export interface EngineLog {
  /** From now on, messages go to the engine at this address (`host:port`). */
  attach(address: string): void;
  /** Says something at a resource. Without an engine it goes to stderr, but for `debug`, which goes nowhere. */
  log(severity: Severity, urn: string, message: string): void;
  /** Waits until the engine has every message, at most this many milliseconds, and closes the connection. */
  close(milliseconds: number): Promise<void>;
}

/** Opens the way to the engine's messages. */
export function openEngineLog(address?: string): EngineLog {
  let client = address === undefined ? undefined : connect(address);
  const pending = new Set<Promise<void>>();
  return {
    attach(next) {
      client?.close();
      client = connect(next);
    },
    log(severity, urn, message) {
      if (client === undefined) {
        if (severity !== "debug") process.stderr.write(`${severity}: ${message}\n`);
        return;
      }
      const sent = send(client, severity, urn, message).finally(() => pending.delete(sent));
      pending.add(sent);
    },
    async close(milliseconds) {
      const late = new Promise<void>((resolve) => {
        setTimeout(resolve, milliseconds).unref();
      });
      await Promise.race([Promise.all(pending), late]);
      client?.close();
      client = undefined;
    },
  };
}

const severities: Readonly<Record<Severity, 0 | 1 | 2 | 3>> = {
  debug: 0,
  info: 1,
  warning: 2,
  error: 3,
};

function connect(address: string): EngineClient {
  return new EngineClient(address, grpc.credentials.createInsecure());
}

function send(
  client: EngineClient,
  severity: Severity,
  urn: string,
  message: string,
): Promise<void> {
  const request = new engine.LogRequest()
    .setSeverity(severities[severity])
    .setMessage(message)
    .setUrn(urn);
  return new Promise((resolve) => {
    // An engine that is gone cannot be told anything, and that is no reason to fail.
    client.log(request, () => {
      resolve();
    });
  });
}
