import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clockScale } from "../../rehearsal/clock.ts";
import { openRegistry } from "../../rehearsal/registry/registry.ts";
import { signRelease } from "../../rehearsal/signers.ts";
import { answersRunOut } from "../../rehearsal/stack.ts";
import { startStack, told, withPack, type Health, type TestStack } from "../support/stack.ts";

const direct = [...withPack, "--skip-preview"];

let stack: TestStack;
let place: string;
let releaseFile: string;
let releaseText: string;

beforeAll(async () => {
  stack = await startStack();
  const { network } = stack.cloud;
  const [address] = network.places;
  const services = stack.workspace.configured(["cutover:services"]) as Record<string, object>;
  const { port } = services["api"] as { readonly port: number };
  place = `http://${String(address)}:${String(port)}`;
  await stack.workspace.change("services", {
    ...services,
    api: { ...services["api"], placement: "in-place", address },
  });
  await stack.set({ "deadlines.healthSeconds": "20" });
  for (const phase of ["prepare", "lower-ttl", "cutover", "observe"]) await enter("v1.0.0", phase);
  for (const phase of ["prepare", "lower-ttl"]) await enter("v1.1.0", phase);
  releaseFile = join(stack.workspace.folder, "examples/flagship/releases/v1.1.0.yaml");
  releaseText = await readFile(releaseFile, "utf8");
});
afterAll(() => stack.close());

test("a service that keeps its port takes the place of the release before it", async () => {
  expect(await healthInPlace()).toMatchObject({ version: "1.0.0", slot: "in-place" });
  expect(await stack.health("blue")).toMatchObject({ version: "1.0.0", slot: "blue" });
});

test("one that never gets healthy fails the cutover, and the one before it runs again by itself", async () => {
  await writeFile(releaseFile, releaseText.replace(/registry\S+flagship\/api@\S+/, unhealthyApi()));
  await signRelease(stack.workspace, "v1.1.0");
  await stack.set({ phase: "cutover" });
  await answersRunOut(stack.workspace, clockScale);
  const result = await stack.up(...direct);
  expect(result.exitCode).not.toBe(0);
  const text = result.errors.join("\n");
  expect(text).toContain("flagship-api was not replaced by release v1.1.0");
  expect(text).toContain("the container of release v1.0.0 runs again under flagship-api");
  expect(await healthInPlace()).toMatchObject({ version: "1.0.0" });
  expect(await stack.dnsAnswer()).toBe(stack.cloud.network.blue);
  expect(await stack.writesFrozen()).toBe("off");
});

test("repaired, the release goes through", async () => {
  await writeFile(releaseFile, releaseText);
  await signRelease(stack.workspace, "v1.1.0");
  const result = await stack.up(...direct);
  expect(result.exitCode, told(result)).toBe(0);
  expect(await healthInPlace()).toMatchObject({ version: "1.1.0", slot: "in-place" });
  expect(await stack.dnsAnswer()).toBe(stack.cloud.network.green);
  expect(await stack.writesFrozen()).toBe("off");
});

async function enter(release: string, phase: string): Promise<void> {
  await stack.set({ release, phase });
  if (phase === "cutover") await answersRunOut(stack.workspace, clockScale);
  const result = await stack.up(...direct);
  expect(result.exitCode, told(result)).toBe(0);
}

async function healthInPlace(): Promise<Health> {
  return (await (await fetch(`${place}/healthz`)).json()) as Health;
}

function unhealthyApi(): string {
  const found = openRegistry().images.find(
    ({ image }) => image.repository.endsWith("/flagship/api") && image.faults.unhealthy === true,
  );
  return found?.reference ?? "";
}
