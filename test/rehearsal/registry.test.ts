import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { imagesFolder, openRegistry, type Registry } from "../../rehearsal/registry/registry.ts";
import { temporaryFolder } from "./support.ts";

/** Release files name images by these digests: a manifest that changes, even in a blank, is another image. */
const digests = {
  "api:1.0.0": "sha256:62ed74692ad2af7e3d4a062b4286f155474740040479868dacf48ce8a0162f11",
  "api:1.1.0": "sha256:5db3d0a579a620a2299446b2190eb81aa059b9fb176130ccecb0a77530c8c577",
  "api:1.2.0": "sha256:65b3d2256ed3bd8f532b8c9f31655d5f28dd104c9df31a654c1ad54737c15681",
  "legacy:legacy": "sha256:0a686745ceec7e3957654fff4ea51124a46415e931940015b9c68e98e7093cda",
  "web:1.0.0": "sha256:56192409a481d990aebc959c2f25fb9dc8c3216cfbff29c28738e3c46fc95e19",
  "web:1.1.0": "sha256:d0b04809ca6d0d691f011a146279f14149077af7110fa3fff83e47d033f65fa0",
  "web:1.2.0": "sha256:b2c4da5380e9597c2126b440677884b5b12bf290ebaa49e09080899713ba3652",
  "worker:1.0.0": "sha256:a2a23a7037231013e6234428eab327703c7c234415fbea44c07c38c0c3bf491e",
  "worker:1.1.0": "sha256:120506abc054fe50f91f2c7cf086ac73b02389f0259c6c510ba195dcef17ea4b",
  "worker:1.2.0": "sha256:08d14d9fe63da75d46113ac0cc79fcb38c71497da6b33869761cd93f4e170273",
};

test("the images of the flagship have the digests that its releases name", () => {
  const found = openRegistry()
    .images.filter(({ image }) => image.repository.startsWith("registry.example.com/flagship/"))
    .map(({ image, digest }) => [`${image.service}:${image.version}`, digest]);

  expect(Object.fromEntries(found)).toEqual(digests);
});

test("a digest is that of the manifest file's very bytes", () => {
  const registry = openRegistry();
  const bytes = readFileSync(join(imagesFolder, "api", "1.0.0.json"));
  const digest = createHash("sha256").update(bytes).digest("hex");

  expect(
    registry.resolve(`registry.example.com/flagship/api@sha256:${digest}`)?.image.version,
  ).toBe("1.0.0");
});

test("an image is found by digest and by tag, and only in its own repository", () => {
  const registry = openRegistry();
  const api = registry.images.find(
    ({ image }) => image.repository === "registry.example.com/flagship/api",
  );

  expect(registry.resolve(api?.reference ?? "")).toBe(api);
  expect(registry.resolve("registry.example.com/flagship/api:1.0.0")).toBe(api);
  expect(registry.resolve(`registry.example.com/flagship/web@${String(api?.digest)}`)).toBe(
    undefined,
  );
  expect(registry.resolve("registry.example.com/flagship/api")).toBe(undefined);
});

const manifest = {
  repository: "registry.example.com/other/api",
  service: "api",
  version: "1.0.0",
  columns: [],
  faults: {},
};

async function openWith(more: object): Promise<Registry> {
  const folder = await temporaryFolder();
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, "it.json"), JSON.stringify({ ...manifest, ...more }));
  return openRegistry(folder);
}

test("an image says where its clients write, and it is orders where it does not", async () => {
  const writes = { path: "/api/documents", table: "Documents" };

  expect((await openWith({ writes })).images[0]?.image.writes).toEqual(writes);
  expect((await openWith({})).images[0]?.image.writes).toEqual({
    path: "/orders",
    table: "orders",
  });
});

test.each([
  ["a path of the process's own", { path: "/healthz", table: "orders" }],
  ["a path that is none", { path: "orders", table: "orders" }],
  ["a path that has a query", { path: "/orders?a", table: "orders" }],
  ["a table that is more than a name", { path: "/orders", table: 'orders"; DROP TABLE orders' }],
  ["a table whose name PostgreSQL would cut", { path: "/orders", table: "o".repeat(64) }],
  ["no table", { path: "/orders" }],
])("%s is no place to write to", async (_, writes) => {
  await expect(openWith({ writes })).rejects.toThrow(/it\.json is not an image/);
});

test("a file that is no manifest is named", async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(join(folder, "api"));
  writeFileSync(join(folder, "api", "x.json"), '{"service": "other"}');

  expect(() => openRegistry(folder)).toThrow(/api\/x\.json is not an image/);
});
