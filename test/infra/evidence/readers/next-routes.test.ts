import { describe, expect, test } from "vitest";
import { nextRoutes } from "../../../../infra/evidence/readers/next-routes.ts";
import { describeBadBytes, describeBadJson, readWith, refusal, sample } from "./samples.ts";

const manifest = sample("next-routes/app-path-routes-manifest.json");

describe("next-routes", () => {
  test("reads the routes of a build, each once", () => {
    expect(readWith(nextRoutes, manifest)).toEqual({
      facts: {
        entries: [
          { name: "/_not-found" },
          { name: "/" },
          { name: "/orders" },
          { name: "/orders/[id]" },
          { name: "/api/health" },
        ],
      },
      producedAt: null,
    });
  });

  test.each([
    ["no routes", {}, /it has no routes/],
    ["a list", ["/orders"], /expected object/],
    ["a route without its slash", { "/page": "orders" }, /see \/page: a route such as \/orders/],
    ["a route that is no text", { "/page": 1 }, /see \/page/],
    ["a key that is no page", { "/orders": "/orders" }, /a key that is no page and no route/],
    ["a page without its slash", { page: "/" }, /a key that is no page and no route/],
    ["another manifest", { "/page": "app/page.js" }, /a route such as \/orders/],
    ["a long route", { "/page": `/${"a".repeat(1100)}` }, /see entries\.0\.name/],
    [
      "more routes than evidence holds",
      Object.fromEntries(Array.from({ length: 50_001 }, (_value, at) => [`/${at}/page`, `/${at}`])),
      /more than 50000 entries/,
    ],
  ])("%s is refused", (_, report, message) => {
    expect(refusal(nextRoutes, report)).toMatch(message);
  });

  describeBadBytes(nextRoutes, manifest);
  describeBadJson(nextRoutes, manifest);
});
