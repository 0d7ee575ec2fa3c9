import { z } from "zod";
import type { Reader } from "../reader.ts";
import { fitFacts, readShape, record, unreadable } from "./shared.ts";

const manifest = record(z.string().regex(/^\//, "a route such as /orders"));

/**
 * Reads the routes of a Next.js build from its app-path-routes-manifest.json: `{"/(shop)/orders/page": "/orders"}`. Each
 * route counts once, however many pages lead to it.
 */
export const nextRoutes: Reader<"inventory"> = {
  format: "next-routes",
  title: "routes of a Next.js build, app-path-routes-manifest.json",
  predicate: "inventory",
  read(bytes) {
    const what = "app-path-routes-manifest.json of Next.js";
    const routes = readShape(manifest, bytes, what);
    for (const page of Object.keys(routes)) {
      if (!/^\/(?:.*\/)?(?:page|route)$/.test(page)) {
        throw unreadable(`it is no ${what}: it has a key that is no page and no route`);
      }
    }
    const names = [...new Set(Object.values(routes))];
    if (names.length === 0) throw unreadable(`it is no ${what}: it has no routes`);
    const entries = names.map((name) => ({ name }));
    return { facts: fitFacts("inventory", { entries }), producedAt: null };
  },
};
