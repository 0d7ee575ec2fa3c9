import { join } from "node:path";
import { expect, test } from "vitest";
import { engineValues } from "../../cli/project.ts";
import { parseConfig } from "../../infra/config.ts";
import { readRelease } from "../../infra/release/release.ts";
import { renderedReport } from "../../rehearsal/rendered-report.ts";

const folder = join(import.meta.dirname, "..", "..", "examples", "workspace-platform");

/** The system as its files describe it, with an API that is told more. */
function projectWith(env: Record<string, string> = {}) {
  const config = parseConfig(...engineValues(folder, { stack: "production" }));
  const release = readRelease(folder, "v1.1.0");
  const { api } = config.services;
  if (release === undefined || api === undefined) throw new Error("the example has changed");
  const services = { ...config.services, api: { ...api, env } };
  return { config: { ...config, services }, release };
}

interface Composed {
  readonly services: Record<string, { image: string; environment: Record<string, string> }>;
}

test("a Compose file is told as Compose reads it, with its variables filled in", () => {
  const project = projectWith({ PRICE: "5$" });
  const text = renderedReport(project, "compose.yaml", "env.vps.example");
  const { services } = JSON.parse(text) as Composed;
  expect(Object.keys(services)).toEqual(["api", "worker"]);
  expect(services["api"]?.image).toBe(project.release.images["api"]);
  expect(services["api"]?.environment).toMatchObject({ PRICE: "5$", REDIS_URL: "filled-in" });
  expect(text).not.toContain("${");
});

test("an env template is told as it is", () => {
  const text = renderedReport(projectWith(), "env.infra.example", undefined);
  expect(text).toMatch(/^REDIS_PASSWORD=$/m);
});

test("a template that lacks a variable of the Compose file is refused, as Compose refuses it", () => {
  expect(() => renderedReport(projectWith(), "compose.yaml", "env.infra.example")).toThrow(
    "compose.yaml wants DATABASE_URL, which env.infra.example does not name",
  );
});

test.each(["compose.yml", "", "env.example"])("a file %j is refused by name", (name) => {
  expect(() => renderedReport(projectWith(), name, undefined)).toThrow(
    `cutover render writes no ${name}. Required: one of compose.yaml, env.vps.example, `,
  );
});
