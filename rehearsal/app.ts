import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { runCommand } from "./app/commands.ts";
import { command, image, port } from "./app/environment.ts";
import { serveHttp } from "./app/http.ts";
import { servePostgres } from "./app/postgres.ts";
import { serveRedis } from "./app/redis.ts";
import { roles } from "./app/roles.ts";
import type { Listening } from "./stand-ins/container-health.ts";

// The process in every container of a rehearsal. Which service it is, and what is wrong with it, is in its image.

// Containers go with the machine that runs them, however that ends.
process.once("disconnect", () => process.exit(1));
// It may have ended while this process was still loading.
if (process.send !== undefined && !process.connected) process.exit(1);

if (command.length > 0) {
  process.send?.({});
  process.exit(await runCommand(command));
}
if (image.faults.crashes === true) process.exit(1);
await serve(image.service);

async function serve(service: typeof image.service): Promise<void> {
  if (service === "redis") {
    const redis = await serveRedis();
    announce(redis.servers, () => {
      redis.end();
    });
    return;
  }
  if (service === "postgres") {
    const postgres = await servePostgres();
    announceAt(postgres.listening, () => postgres.end());
    void postgres.ended.then(() => process.exit(1));
    return;
  }
  const role = roles[service]();
  const servers = await serveHttp(role);
  announce(servers, async () => {
    await Promise.all(servers.map(closed));
    await role.drain();
  });
}

/** Says where it listens, and ends well when it is told to. */
function announce(servers: readonly Server[], end: () => void | Promise<void>): void {
  announceAt({ inside: port, ...(servers[0]?.address() as AddressInfo) }, end);
}

function announceAt(listening: Listening, end: () => void | Promise<void>): void {
  const exit = async (): Promise<void> => {
    await end();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void exit());
  process.send?.({ listening });
}

async function closed(server: HttpServer): Promise<void> {
  server.close();
  server.closeIdleConnections();
  await once(server, "close");
}
