import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  renderCompose,
  renderCoolify,
  type RenderSource,
} from "../../../../infra/services/render/compose.ts";
import type { RenderedFile } from "../../../../infra/services/render/rendered-file.ts";
import { sampleConfig } from "../../../support/config.ts";
import { gunicorn, imageOf, source } from "./sources.ts";

// The Compose specification's own schema, as a linter of Compose files brings it.
const packageFolder = dirname(createRequire(import.meta.url).resolve("dclint/package.json"));
// It calls its dialect https://, and the dialect itself is called http://.
const { $schema: _dialect, ...schema } = JSON.parse(
  readFileSync(join(packageFolder, "schemas", "compose.schema.json"), "utf8"),
) as Record<string, unknown>;
const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(
  schema,
);

type Service = Record<string, unknown> & { readonly environment: Record<string, string | null> };

interface Compose {
  readonly name: string;
  readonly services: Record<string, Service>;
  readonly networks: Record<string, unknown>;
  readonly volumes?: Record<string, unknown>;
}

function composeIn(files: readonly RenderedFile[], path: string): Compose {
  return parse(textIn(files, path)) as Compose;
}

function textIn(files: readonly RenderedFile[], path: string): string {
  return files.find((file) => file.path === path)?.text ?? "";
}

const database = {
  kind: "container" as const,
  name: "shop",
  username: "shop",
  engineVersion: "18.1",
  address: "203.0.113.40",
  port: 5432,
  image: imageOf("postgres"),
  memoryMib: 1024,
  dumps: { bucket: "backups", keepDays: 30 },
};

/** An api, its worker and a queue of their own, as on one or two virtual servers. */
const shop = source(
  {
    worker: { port: 8082, dependsOn: ["api"], secrets: { TOKEN: "worker-token" } },
    api: {
      port: 8081,
      dependsOn: ["queue"],
      secrets: { TOKEN: "api-token", JWT: "jwt" },
      env: { PRICE: "$5 ${each}" },
      volumes: { uploads: "/data" },
      cpus: 0.5,
      memoryMib: 512,
      drainSeconds: 45,
    },
    queue: {
      placement: "in-place",
      address: "203.0.113.41",
      port: 6379,
      image: imageOf("queue"),
      healthCommand: ["redis-cli", "ping"],
      volumes: { queue: "/data" },
    },
    web: { ...gunicorn },
  },
  {
    database,
    secrets: {
      jwt: { store: "secrets-manager", name: "shop/jwt", rotateDays: 90 },
      "api-token": { store: "key-vault", vault: "shop-vault", name: "api-token" },
      "worker-token": { store: "key-vault", vault: "shop-vault", name: "worker-token" },
    } as unknown as RenderSource["config"]["secrets"],
    dns: { ...sampleConfig().dns, names: { "api.example.com": { service: "api" } } },
  },
);

const forms = [
  ["two hosts", shop, renderCompose],
  ["Coolify", shop, renderCoolify],
  ["two hosts, flagship", flagship(), renderCompose],
  ["Coolify, flagship", flagship(), renderCoolify],
] as const;

function flagship(): RenderSource {
  const config = sampleConfig();
  const images = Object.fromEntries(
    Object.keys(config.services).map((name) => [name, imageOf(name)]),
  );
  return { config, release: { version: "v1.1.0", images } };
}

describe.each(forms)("Compose files for %s", (_what, from, render) => {
  const files = render(from);
  const composed = files.filter(({ path }) => path.endsWith(".yaml"));

  test("fit the Compose specification", () => {
    expect(composed.length).toBeGreaterThan(0);
    for (const { text } of composed) {
      validate(parse(text));
      expect(validate.errors ?? []).toEqual([]);
    }
  });

  test("confine every service, and name its image by digest", () => {
    for (const { path } of composed) {
      for (const service of Object.values(composeIn(files, path).services)) {
        expect(service).toMatchObject({
          image: expect.stringMatching(/@sha256:[0-9a-f]{64}$/),
          read_only: true,
          cap_drop: ["ALL"],
          security_opt: ["no-new-privileges:true"],
          restart: "unless-stopped",
          logging: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
          healthcheck: { test: expect.arrayContaining(["CMD"]), interval: "1s" },
          networks: [from.config.system],
        });
        expect(service).not.toHaveProperty("privileged");
      }
    }
  });

  test("have a template for every variable, without any value", () => {
    const templates = files.filter(({ path }) => path.endsWith(".example"));
    const wanted = composed.flatMap(({ text }) =>
      [...text.matchAll(/(?<!\$)\$\{(\w+):\?\}/g)].map(([, name]) => name),
    );
    const given = templates.flatMap(({ text }) =>
      text.split("\n").filter((line) => /^\w/.test(line)),
    );
    expect(given.filter((line) => !line.endsWith("="))).toEqual([]);
    expect([...new Set(given)].sort()).toEqual(
      [...new Set(wanted)].map((name) => `${name}=`).sort(),
    );
  });

  test("hold no secret, and are the same from the same table", () => {
    expect(JSON.stringify(files)).not.toContain("correct-horse");
    expect(render(from)).toEqual(files);
  });
});

test("would be refused by the specification with a key that it does not have", () => {
  const wrong = composeIn(renderCoolify(shop), "compose.coolify.yaml");
  validate({ ...wrong, services: { api: { ...wrong.services["api"], memory: "1m" } } });
  expect(validate.errors).not.toEqual(null);
});

describe("on two hosts", () => {
  const files = renderCompose(shop);
  const app = composeIn(files, "compose.yaml");
  const infra = composeIn(files, "compose.infra.yaml");

  test("each has what belongs there, in the order in which it starts", () => {
    expect(Object.keys(app.services)).toEqual(["api", "worker"]);
    expect(Object.keys(infra.services)).toEqual(["postgres", "queue"]);
  });

  test("only what a DNS name leads to is published, and the platform at its own address", () => {
    expect(app.services["api"]?.["ports"]).toEqual(["${HOST_ADDRESS:?}:8081:8081"]);
    expect(app.services["worker"]).not.toHaveProperty("ports");
    expect(infra.services["queue"]?.["ports"]).toEqual(["203.0.113.41:6379:6379"]);
    expect(infra.services["postgres"]?.["ports"]).toEqual(["203.0.113.40:5432:5432"]);
  });

  test("what a service needs is reached where it is, and waited for where that can be", () => {
    expect(app.services["api"]?.environment["QUEUE_ADDRESS"]).toBe("203.0.113.41:6379");
    expect(app.services["worker"]?.environment["API_URL"]).toBe("http://api:8081");
    expect(app.services["worker"]?.["depends_on"]).toEqual({
      api: { condition: "service_healthy" },
    });
    expect(app.services["api"]).not.toHaveProperty("depends_on");
  });

  test("a service gets its limits, its volumes and its time to end", () => {
    expect(app.services["api"]).toMatchObject({
      mem_limit: "512m",
      memswap_limit: "1024m",
      cpus: 0.5,
      stop_grace_period: "45s",
      volumes: ["api-uploads:/data"],
    });
    expect(app.volumes).toEqual({ "api-uploads": {} });
    expect(infra.services["queue"]?.["healthcheck"]).toMatchObject({
      test: ["CMD", "redis-cli", "ping"],
    });
  });

  test("one name for two secrets becomes two names, and text stays text", () => {
    expect(app.services["api"]?.environment).toMatchObject({
      TOKEN: "${API_TOKEN:?}",
      JWT: "${JWT:?}",
      DATABASE_URL: "${DATABASE_URL:?}",
      PRICE: "$$5 $${each}",
    });
    expect(app.services["worker"]?.environment["TOKEN"]).toBe("${WORKER_TOKEN:?}");
    expect(textIn(files, "env.vps.example")).toContain(
      "# jwt of cutover:secrets: secrets-manager, shop/jwt\nJWT=\n",
    );
  });

  test("there is no second one when nothing belongs there", () => {
    expect(renderCompose(flagship()).map(({ path }) => path)).toEqual([
      "compose.yaml",
      "env.vps.example",
    ]);
  });
});

describe("under Coolify", () => {
  const files = renderCoolify(shop);
  const { services } = composeIn(files, "compose.coolify.yaml");

  test("everything is in one file and nothing is published: the proxy takes what a DNS name leads to", () => {
    expect(Object.keys(services)).toEqual(["postgres", "queue", "api", "worker"]);
    expect(textIn(files, "compose.coolify.yaml")).not.toMatch(/^ +ports:/m);
    expect(services["api"]?.environment).toMatchObject({ SERVICE_URL_API_8081: null });
    expect(Object.keys(services["worker"]?.environment ?? {}).join()).not.toContain("SERVICE_");
  });

  test("the database is waited for, and its URL made from its one password", () => {
    expect(services["api"]?.environment["DATABASE_URL"]).toBe(
      "postgres://shop:${POSTGRES_PASSWORD:?}@postgres:5432/shop",
    );
    expect(services["api"]?.["depends_on"]).toEqual({
      postgres: { condition: "service_healthy" },
      queue: { condition: "service_healthy" },
    });
    expect(textIn(files, "env.coolify.example")).not.toContain("DATABASE_URL=");
  });
});
