import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { Service } from "../../../infra/services/service.ts";
import { declared, firstStep, only } from "../../support/declared.ts";

const args = {
  container: "flagship-blue-api",
  image: "registry.example.com/api@sha256:0",
  address: "203.0.113.10",
  port: 8081,
  env: { SLOT: "blue", DATABASE_URL: pulumi.secret("postgres://secret") },
  memoryMib: 256,
  healthSeconds: 60,
  protect: false,
};

test("Service is health-checked, waited for, limited and restarted", async () => {
  const resources = await declared(() => new Service("blue-api", args, firstStep));
  expect(only(resources, "docker:index/container:Container").inputs).toMatchObject({
    name: "flagship-blue-api",
    image: "registry.example.com/api@sha256:0",
    ports: [{ internal: 8081, external: 8081, ip: "203.0.113.10" }],
    healthcheck: { tests: ["CMD", "wget", "-q", "--spider", "http://127.0.0.1:8081/healthz"] },
    wait: true,
    waitTimeout: 60,
    restart: "unless-stopped",
    destroyGraceSeconds: 30,
    memory: 256,
    memorySwap: 512,
  });
});

test("Service hands its environment over with the port, and keeps secrets secret", async () => {
  const resources = await declared(() => new Service("blue-api", args, firstStep));
  const { envs } = only(resources, "docker:index/container:Container").inputs;
  const plain = JSON.stringify(envs);
  expect(plain).toContain("PORT=8081");
  expect(plain).toContain("SLOT=blue");
  expect(plain).toContain("4dabf18193072939515e22adb298388d");
});
