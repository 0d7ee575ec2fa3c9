import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startStack, told, withPack, type TestStack } from "../support/stack.ts";

let stack: TestStack;
let stackFile: string;
let stackText: string;

beforeAll(async () => {
  stack = await startStack();
  stackFile = join(stack.workspace.folder, "Pulumi.production.yaml");
  stackText = await readFile(stackFile, "utf8");
});
afterEach(() => writeFile(stackFile, stackText));
afterAll(() => stack.close());

test("every bad key is named in one message, without a stack trace, and nothing is created", async () => {
  await stack.set({
    phase: "go",
    bogus: "1",
    "database.backupRetentionDays": "seven",
    "dns.ttl.lowered": "5",
  });
  await stack.run("config", "set", "--plaintext", "databasePassword", "hunter2-in-plain-text");
  const text = await refusedText();
  for (const key of [
    "phase",
    "bogus",
    "database.backupRetentionDays",
    "dns.ttl.lowered",
    "databasePassword",
  ]) {
    expect(text).toContain(`cutover:${key}`);
  }
  expect(text).toContain("5 keys are wrong");
  expect(text).not.toContain("hunter2");
});

test("keys that do not go together are named too, each with what to do", async () => {
  const services = stack.workspace.configured(["cutover:services"]) as Record<
    string,
    { readonly port: number }
  >;
  const port = services["api"]?.port ?? 0;
  await stack.set({
    "dns.kept[1].name": "mail.example.net",
    "dns.kept[1].type": "TXT",
    "dns.kept[1].content": "v=spf1 -all",
    "dns.kept[1].ttl": "3600",
    "services.worker.port": String(port),
    "services.api.dependsOn[0]": "web",
  });
  const text = await refusedText();
  expect(text).toContain("3 keys are wrong");
  expect(text).toContain("cutover:dns.zones");
  expect(text).toContain("no zone that holds mail.example.net");
  expect(text).toMatch(
    /pulumi config set --path 'cutover:dns\.zones\S*example\.net\S* '<zone id>'/,
  );
  expect(text).toContain("cutover:services.worker.port");
  expect(text).toContain(`${String(port)}, which api has at`);
  expect(text).toMatch(
    new RegExp(`pulumi config set --path 'cutover:services.worker.port' '${String(port + 1)}'`),
  );
  expect(text).toMatch(/cutover:services\.\w+\.dependsOn/);
  expect(text).toMatch(/a circle: \w+ waits for \w+/);
  expect(text).toMatch(/remove one of \w+, [\w, ]+ from a dependsOn of the circle/);
});

test("a migration out of order is named with its file", async () => {
  const file = join(stack.workspace.folder, "examples/flagship/releases/v1.1.0.yaml");
  const text = await readFile(file, "utf8");
  const [first, second] = ["  - 0001_orders_channel.sql\n", "  - 0002_order_events.sql\n"];
  await writeFile(file, text.replace(`${first}${second}`, `${second}${first}`));
  await stack.set({ release: "v1.1.0" });
  const refused = await refusedText();
  await writeFile(file, text);
  expect(refused).toContain("releases/v1.1.0.yaml: migrations");
  expect(refused).toContain("0001_orders_channel.sql after 0002_order_events.sql");
  expect(refused).toContain("put them in order in releases/v1.1.0.yaml");
});

test("backups kept for less than is required close their gate, and nothing is created", async () => {
  await stack.set({ "database.backupRetentionDays": "6" });
  const result = await stack.up(...withPack);
  expect(result.exitCode, told(result)).not.toBe(0);
  const closed = result.violations.filter(({ level }) => level === "mandatory");
  expect(closed.map(({ gate }) => gate)).toEqual(["database-backups-retained"]);
  expect(closed[0]?.message).toContain("cutover:database.backupRetentionDays 7");
  expect(await stack.state()).toEqual([]);
});

/** What `pulumi up` says of a config that it refuses; nothing was created, and no stack trace is shown. */
async function refusedText(): Promise<string> {
  const result = await stack.up(...withPack);
  const text = result.errors.join("\n");
  expect(result.exitCode).not.toBe(0);
  expect(text).not.toMatch(/\bat .*:\d+:\d+/);
  expect(await stack.state()).toEqual([]);
  return text;
}
