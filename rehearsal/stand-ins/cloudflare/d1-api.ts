import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { z } from "zod";
import { notImitated } from "../refusal.ts";
import type { Store } from "../store.ts";
import { databasesOf, exportFolder } from "./d1.ts";

/** Cloudflare's HTTP API, as far as it exports D1 databases. */
export interface D1Api {
  readonly url: string;
  /** What brings its clients here. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
}

const token = "made-up-for-a-rehearsal";

/** What every export begins with, and all that there is of a database without tables. */
const emptyExport = "PRAGMA defer_foreign_keys=TRUE;\n";

const question = z.object({
  output_format: z.literal("polling"),
  current_bookmark: z.string().nullish(),
});

const exportPath =
  /^\/client\/v4\/accounts\/([0-9a-f]{32})\/d1\/database\/([0-9a-f-]{36})\/export$/;
const filePath = /^\/exports\/([0-9a-f-]{36})\/([0-9a-f]{32})\.sql$/;

/**
 * Serves exports of the databases that the rehearsed account holds, as Cloudflare does: the first question begins one,
 * later ones with its bookmark learn where it lies, and that address needs a signature and no token.
 *
 * @param address loopback address to listen on
 */
export async function startD1Api(store: Store, address: string): Promise<D1Api> {
  const key = randomBytes(16).toString("hex");
  const server = createServer((request, response) => {
    void answerOf(request, { store, origin, key })
      .catch((): Answer => failure(500, 7500, "internal error"))
      .then(({ status, body }) => response.writeHead(status).end(body));
  });
  server.listen(0, address);
  await once(server, "listening");
  const origin = `http://${address}:${String((server.address() as AddressInfo).port)}`;
  const url = `${origin}/client/v4`;
  return {
    url,
    env: { CLOUDFLARE_BASE_URL: url, CLOUDFLARE_API_TOKEN: token },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

interface Place {
  readonly store: Store;
  readonly origin: string;
  /** Signs the addresses of exports. */
  readonly key: string;
}

async function answerOf(request: IncomingMessage, place: Place): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? "/", place.origin);
  const file = filePath.exec(pathname);
  if (file !== null) {
    const [, uuid = "", bookmark = ""] = file;
    if (!same(searchParams.get("signature") ?? "", place.key)) {
      return { status: 403, body: "SignatureDoesNotMatch" };
    }
    return {
      status: 200,
      body: await readFile(join(exportFolder(place.store, uuid), `${bookmark}.sql`)),
    };
  }
  if (!same(request.headers.authorization ?? "", `Bearer ${token}`)) {
    return failure(403, 10_000, "Authentication error");
  }
  const [, accountId = "", uuid = ""] = exportPath.exec(pathname) ?? [];
  if (uuid === "" || request.method !== "POST") {
    return failure(501, 7000, notImitated(`${request.method ?? ""} ${pathname} of Cloudflare`));
  }
  if (databasesOf(place.store).get(uuid)?.accountId !== accountId) {
    return failure(404, 7404, `The database ${uuid} could not be found`);
  }
  const asked = question.safeParse(await json(request).catch(() => undefined));
  if (!asked.success) return failure(400, 7400, z.prettifyError(asked.error));
  return exported(place, uuid, asked.data.current_bookmark ?? undefined);
}

function exported({ store, origin, key }: Place, uuid: string, asked: string | undefined): Answer {
  const folder = exportFolder(store, uuid);
  const bookmark = asked ?? randomBytes(16).toString("hex");
  const name = `${bookmark}.sql`;
  const running = { type: "export", at_bookmark: bookmark, success: true, messages: [] };
  if (asked === undefined) {
    writeFileSync(join(folder, name), emptyExport);
    return success(running);
  }
  if (!/^[0-9a-f]{32}$/.test(asked) || !existsSync(join(folder, name))) {
    return success({
      ...running,
      status: "error",
      error: "not currently exporting",
      success: false,
    });
  }
  const signed_url = `${origin}/exports/${uuid}/${name}?signature=${key}`;
  return success({ ...running, status: "complete", result: { filename: name, signed_url } });
}

function success(result: object): Answer {
  return { status: 200, body: JSON.stringify({ success: true, errors: [], messages: [], result }) };
}

function failure(status: number, code: number, message: string): Answer {
  const errors = [{ code, message }];
  return { status, body: JSON.stringify({ success: false, errors, messages: [], result: null }) };
}

function same(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
