import { createServer, type Server } from "node:net";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import type { Store } from "./store.ts";

/** The addresses of one rehearsal: a block of the loopback network that no other rehearsal on this machine has. */
export interface Network {
  /** First three parts of every address, as in `127.41.7`. */
  readonly block: string;
  readonly legacy: string;
  readonly blue: string;
  readonly green: string;
  /** Address of the first database; further ones count up from it. */
  readonly database: string;
  /** Address of the name servers. */
  readonly dns: string;
  /** Address of what the rehearsed stack does not own, such as webhooks and the APIs of the clouds. */
  readonly world: string;
  /** Addresses of services that keep their place, and of a database in a container. */
  readonly places: readonly string[];
  /** Address of the host whose systemd runs services. */
  readonly unitHost: string;
  /** TCP port that clients use on every address of services. The next nineteen are free there as well. */
  readonly port: number;
  /** TCP port of what speaks TLS beside the stack. */
  readonly tlsPort: number;
  /** TCP port of a database that asks for none. */
  readonly databasePort: number;
  /** TCP port of the host's SSH server. */
  readonly sshPort: number;
}

/** A block of addresses that is held as long as this process lives. */
export interface Claim {
  readonly network: Network;
  release(): Promise<void>;
}

/**
 * Takes a block of addresses: the one that this memory had before, else a random free one. Records in DNS and in the
 * engine's state name the addresses, so they must be the same after a restart.
 *
 * @throws Error when the block is in use, which means that another process rehearses in the same folder
 */
export async function claimNetwork(store: Store): Promise<Claim> {
  const remembered = store.collection<Network>("network");
  const before = remembered.get(networkKey);
  if (before !== undefined) return { network: before, release: releaser(await hold(before.block)) };
  const { block, server } = await takeFreeBlock();
  const network = await layOut(block);
  remembered.set(networkKey, network);
  return { network, release: releaser(server) };
}

/** Tells whether a TCP port is free on an address. */
export async function isFree(address: string, port: number): Promise<boolean> {
  const server = await listenOn(address, port);
  if (server === undefined) return false;
  await releaser(server)();
  return true;
}

const networkKey = "network";
// Outside the range from which systems hand out ports by themselves.
const claimPort = 20_127;
const attempts = 50;
const webPorts = [8080, 18_080, 28_080, 10_080];
const tlsPorts = [8443, 18_443, 28_443];
const sshPorts = [2222, 12_222, 22_222];
const databasePorts = [5432, 15_432, 25_432, 10_432];

async function takeFreeBlock(): Promise<{ block: string; server: Server }> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const block = `127.${String(randomInt(1, 255))}.${String(randomInt(0, 256))}`;
    const server = await listenOn(`${block}.1`, claimPort);
    if (server !== undefined) return { block, server };
  }
  throw new Error(
    `found no free block of addresses in 127.0.0.0/8, port ${String(claimPort)}. ` +
      "To do: end the rehearsals that are left over",
  );
}

async function hold(block: string): Promise<Server> {
  const server = await listenOn(`${block}.1`, claimPort);
  if (server !== undefined) return server;
  throw new Error(
    `the addresses ${block}.* of this rehearsal are in use: another process rehearses in the same folder. ` +
      "To do: end it, or rehearse in another folder",
  );
}

async function layOut(block: string): Promise<Network> {
  const blue = `${block}.20`;
  return {
    block,
    legacy: `${block}.10`,
    blue,
    green: `${block}.30`,
    dns: `${block}.40`,
    world: `${block}.41`,
    places: Array.from({ length: 8 }, (_, index) => `${block}.${String(11 + index)}`),
    unitHost: `${block}.19`,
    database: `${block}.50`,
    port: await firstFree(blue, webPorts, 20),
    tlsPort: await firstFree(`${block}.41`, tlsPorts, 1),
    databasePort: await firstFree(blue, databasePorts, 1),
    sshPort: await firstFree(`${block}.19`, sshPorts, 1),
  };
}

/** The first of these ports that is free together with those after it: somebody may listen on every address. */
async function firstFree(
  address: string,
  candidates: readonly number[],
  count: number,
): Promise<number> {
  for (const port of candidates) {
    const ports = Array.from({ length: count }, (_, index) => port + index);
    const free = await Promise.all(ports.map((each) => isFree(address, each)));
    if (free.every(Boolean)) return port;
  }
  throw new Error(
    `none of the ports ${candidates.join(", ")} is free on ${address}. To do: end what listens on them`,
  );
}

function listenOn(address: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(new Error(cannotListen(address, error)));
    });
    server.listen({ host: address, port, exclusive: true }, () => {
      resolve(server);
    });
  });
}

function cannotListen(address: string, error: NodeJS.ErrnoException): string {
  return error.code === "EADDRNOTAVAIL"
    ? `this system does not answer on ${address}: a rehearsal needs all of 127.0.0.0/8. ` +
        "To do: rehearse on Linux, where it is there from the start"
    : `cannot listen on ${address}: ${error.message}`;
}

function releaser(server: Server): () => Promise<void> {
  return async () => {
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
}
