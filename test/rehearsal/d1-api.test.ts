import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { askExport, fetchExport, type D1Place } from "../../infra/provider/cloudflare-d1.ts";
import { startTestCloud, temporaryFolder, type TestCloud } from "./support.ts";

let folder: string;
let cloud: TestCloud;
let place: D1Place;

const accountId = "0123456789abcdef0123456789abcdef";
const { signal } = new AbortController();

beforeAll(async () => {
  folder = await temporaryFolder();
  cloud = await startTestCloud({ folder });
  const inputs = { accountId, name: "ledger" };
  const { id } = await cloud.subject("cloudflare:index/d1Database:D1Database").create(inputs);
  place = { accountId, databaseId: id, name: "ledger" };
});

afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

afterEach(() => vi.unstubAllEnvs());

function use(more: Readonly<Record<string, string>> = {}): void {
  const { CLOUDFLARE_API_TOKEN = "", CLOUDFLARE_BASE_URL = "" } = cloud.cloud.env;
  const env = { CLOUDFLARE_API_TOKEN, CLOUDFLARE_BASE_URL, ...more };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
}

/** The address of a finished export. */
async function exported(): Promise<URL> {
  const { bookmark } = await askExport(place, undefined, signal);
  const answer = await askExport(place, bookmark, signal);
  if (!("url" in answer)) throw new Error("the export is not ready");
  return answer.url;
}

test("a database is exported as SQL, once it was asked for again", async () => {
  use();
  const begun = await askExport(place, undefined, signal);
  expect(begun).toEqual({ bookmark: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown });

  const chunks: Uint8Array[] = [];
  for await (const chunk of await fetchExport(place, await exported(), signal)) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe("PRAGMA defer_foreign_keys=TRUE;\n");
});

test("an export lies behind its signature", async () => {
  use();
  const url = await exported();
  url.searchParams.set("signature", "0".repeat(32));
  await expect(fetchExport(place, url, signal)).rejects.toThrow("status 403");
});

test("a bookmark of nothing, another token and another account get nothing", async () => {
  use();
  await expect(askExport(place, "0".repeat(32), signal)).rejects.toThrow(
    "could not make the export",
  );
  await expect(askExport(place, "../../ledger", signal)).rejects.toThrow(
    "could not make the export",
  );
  const elsewhere = { ...place, accountId: "f".repeat(32) };
  await expect(askExport(elsewhere, undefined, signal)).rejects.toThrow("code 7404");
  use({ CLOUDFLARE_API_TOKEN: "another" });
  await expect(askExport(place, undefined, signal)).rejects.toThrow("code 10000");
});

test("the rest of the API is refused by name", async () => {
  use();
  const { CLOUDFLARE_API_TOKEN = "", CLOUDFLARE_BASE_URL = "" } = cloud.cloud.env;
  const answer = await fetch(`${CLOUDFLARE_BASE_URL}/zones`, {
    headers: { authorization: `Bearer ${CLOUDFLARE_API_TOKEN}` },
  });
  expect(answer.status).toBe(501);
  expect(await answer.text()).toMatch(/does not imitate GET \/client\/v4\/zones of Cloudflare/);
});
