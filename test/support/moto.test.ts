import { join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { expect, test } from "vitest";
import { eventually } from "./eventually.ts";
import { startMoto } from "./moto.ts";

test("it answers as AWS until it is closed", async () => {
  const moto = await startMoto();
  const answer = await fetch(`${moto.endpoint}/bucket`, { method: "PUT" });
  expect(answer.status).toBe(200);
  await moto.close();
  await expect(fetch(moto.endpoint)).rejects.toThrow("fetch failed");
});

test("it ends with a test that is killed", async () => {
  const script = `
    import { startMoto } from "./moto.ts";
    console.log((await startMoto()).endpoint);
    setInterval(() => {}, 60_000);`;
  const owner = execa(process.execPath, ["--input-type=module-typescript", "-e", script], {
    cwd: join(import.meta.dirname),
    reject: false,
  });
  const { value } = await createInterface(owner.stdout)[Symbol.asyncIterator]().next();
  expect((await fetch(`${String(value)}/bucket`, { method: "PUT" })).status).toBe(200);
  owner.kill("SIGKILL");
  await owner;
  await eventually(() => expect(fetch(String(value))).rejects.toThrow("fetch failed"));
});
