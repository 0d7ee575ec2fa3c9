import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { binFolder, versionsFolder } from "../../../tools/engine/cache.ts";
import { fromDownload } from "../../../tools/engine/download.ts";
import { whyUnreachable } from "../../../tools/engine/reach.ts";
import { closedAddress } from "./network.ts";
import { makeMachine } from "./machine.ts";

async function serve(status: number | undefined): Promise<string> {
  const server = createServer((_, response) => {
    if (status !== undefined) response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

it("finds nothing wrong with a server that answers", async () => {
  await expect(whyUnreachable(await serve(200), 5_000)).resolves.toBeUndefined();
});

it("tells of a refusal", async () => {
  await expect(whyUnreachable(await serve(503), 5_000)).resolves.toMatch(/answered 503/);
});

it("does not wait for a server that says nothing", async () => {
  await expect(whyUnreachable(await serve(undefined), 50)).resolves.toMatch(
    /did not answer within 0.05 s/,
  );
});

it("tells that nobody is there", async () => {
  await expect(whyUnreachable(`${await closedAddress()}/`, 5_000)).resolves.toMatch(
    /cannot be reached: .*ECONNREFUSED/,
  );
});

it("gives up at once when the network says no, and leaves nothing behind", async () => {
  const machine = makeMachine();
  machine.env["HTTPS_PROXY"] = await closedAddress();
  await expect(fromDownload(machine, () => {})).rejects.toMatchObject({
    name: "RouteFailure",
    message: expect.stringContaining("get.pulumi.com cannot be reached"),
    remedy: expect.stringContaining("https://get.pulumi.com"),
  });
  expect(existsSync(binFolder(machine))).toBe(false);
  expect(readdirSync(versionsFolder(machine))).toEqual([]);
});
