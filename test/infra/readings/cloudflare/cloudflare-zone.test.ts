import type { IncomingMessage, RequestListener } from "node:http";
import { describe, expect, test } from "vitest";
import { cloudflareZone } from "../../../../infra/readings/cloudflare/cloudflare-zone.ts";
import { readAll } from "../../../../infra/readings/read-all.ts";
import { expectFacts } from "../context.ts";
import { context, failure, id, startCloudflare, success, token } from "./cloudflare-server.ts";

interface WireRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly ttl: number;
  readonly proxied?: boolean;
}

const zone = {
  id,
  name: "example.com",
  status: "active",
  paused: false,
  type: "full",
  name_servers: ["a.ns.example.com"],
  owner: { email: "developer@example.com" },
};

function record(change: Partial<WireRecord> = {}): WireRecord {
  return {
    id: "1".repeat(32),
    name: "app.example.com",
    type: "A",
    content: "192.0.2.1",
    ttl: 300,
    proxied: false,
    ...change,
  };
}

/** Answers as Cloudflare does from these records, `size` of them on a page. */
function answerFrom(records: readonly WireRecord[], size = 100): RequestListener {
  return (request, response) => {
    const url = urlOf(request);
    if (!url.pathname.endsWith("/dns_records")) {
      success(zone)(request, response);
      return;
    }
    const name = url.searchParams.get("name.exact");
    const page = Number(url.searchParams.get("page"));
    const found = records.filter((each) => each.name === name);
    const result = found.slice((page - 1) * size, page * size).map((each) => ({
      ...each,
      comment: null,
      meta: {},
      created_on: "2026-01-01T00:00:00Z",
    }));
    const result_info = {
      page,
      per_page: size,
      count: result.length,
      total_count: found.length,
      total_pages: Math.ceil(found.length / size),
    };
    success(result, { result_info })(request, response);
  };
}

function urlOf({ url = "" }: IncomingMessage): URL {
  return new URL(url, "http://cloudflare.test");
}

async function read(
  answer: RequestListener,
  target: Record<string, unknown> = {},
): Promise<{
  value: Readonly<Record<string, unknown>> | undefined;
  problem: string | undefined;
  requests: readonly IncomingMessage[];
}> {
  const { baseUrl, requests } = await startCloudflare(answer);
  const wanted = {
    kind: cloudflareZone,
    target: cloudflareZone.target.parse({
      zoneId: id,
      names: ["app.example.com"],
      baseUrl,
      ...target,
    }),
  };
  const { zone: reading } = await readAll({ zone: wanted }, context, { firstPause: 1 });
  expect(JSON.stringify(reading)).not.toContain(token);
  expect(reading?.subject).toBe(id);
  if (reading?.value !== undefined) expectFacts(cloudflareZone, reading.value);
  return { value: reading?.value, problem: reading?.problem, requests };
}

describe("a zone", () => {
  test("is told with the records of the names as they are", async () => {
    const records = [
      record({
        name: "www.example.com",
        type: "CNAME",
        content: "app.example.com",
        ttl: 1,
        proxied: true,
      }),
      record({ id: "2".repeat(32), content: "192.0.2.2", ttl: 60 }),
      record(),
      record({ name: "other.example.com" }),
    ];
    const names = ["www.example.com", "app.example.com"];
    const { value, requests } = await read(answerFrom(records), { names });
    expect(value).toEqual({
      name: "example.com",
      status: "active",
      paused: false,
      records: [record(), records[1], records[0]],
      missing: [],
    });
    expect(requests.map((request) => urlOf(request).pathname).sort()).toEqual([
      `/client/v4/zones/${id}`,
      `/client/v4/zones/${id}/dns_records`,
      `/client/v4/zones/${id}/dns_records`,
    ]);
  });

  test("names what has no record", async () => {
    const names = ["app.example.com", "new.example.com"];
    const { value } = await read(answerFrom([record()]), { names });
    expect(value).toMatchObject({ records: [record()], missing: ["new.example.com"] });
  });

  test("has the same names in whatever case", async () => {
    const { value } = await read(
      (request, response) =>
        (urlOf(request).pathname.endsWith("/dns_records") ? success([record()]) : success(zone))(
          request,
          response,
        ),
      { names: ["APP.example.com"] },
    );
    expect(value).toMatchObject({ records: [record()], missing: [] });
  });

  test("has records that cannot be proxied", async () => {
    const { proxied: _proxied, ...text } = record({ type: "TXT", content: "v=spf1 -all" });
    const { value } = await read(answerFrom([text]));
    expect(value).toMatchObject({ records: [{ ...text, proxied: false }] });
  });

  test.each([
    ["pending", false],
    ["active", true],
  ])("that is %s, paused %s, is told so", async (status, paused) => {
    const { value } = await read((request, response) => {
      const records = urlOf(request).pathname.endsWith("/dns_records");
      success(records ? [] : { ...zone, status, paused })(request, response);
    });
    expect(value).toMatchObject({ status, paused });
  });
});

describe("many records of a name", () => {
  const many = (count: number): WireRecord[] =>
    Array.from({ length: count }, (_, index) =>
      record({ id: String(index).padStart(32, "0"), content: `192.0.2.${index}` }),
    );

  test.each([
    [99, 100, 1],
    [100, 100, 1],
    [101, 100, 2],
    // A server may make its pages smaller than asked.
    [50, 20, 3],
    [200, 20, 10],
  ])("%i come, %i on a page, in %i pages", async (count, size, pages) => {
    const { value, requests } = await read(answerFrom(many(count), size));
    expect(value?.["records"]).toHaveLength(count);
    expect(requests).toHaveLength(1 + pages);
  });

  test("come without being counted", async () => {
    const { value, requests } = await read((request, response) => {
      const url = urlOf(request);
      const page = Number(url.searchParams.get("page"));
      const records = url.pathname.endsWith("/dns_records");
      const result = many(150).slice((page - 1) * 100, page * 100);
      success(records ? result : zone)(request, response);
    });
    expect(value?.["records"]).toHaveLength(150);
    expect(requests).toHaveLength(3);
  });

  test("are too many", async () => {
    const { problem, requests } = await read(answerFrom(many(201), 20));
    expect(problem).toBe(
      "Cloudflare does not list all records of app.example.com in 10 pages of 100",
    );
    expect(requests).toHaveLength(11);
  });

  test("are promised and do not come", async () => {
    const { problem, requests } = await read((request, response) => {
      const records = urlOf(request).pathname.endsWith("/dns_records");
      const result = records ? [] : zone;
      success(result, { result_info: { total_count: 5 } })(request, response);
    });
    expect(problem).toContain("does not list all records");
    expect(requests).toHaveLength(2);
  });

  test("of other names are left out, when the filter does not work", async () => {
    const { value } = await read((request, response) => {
      const records = urlOf(request).pathname.endsWith("/dns_records");
      success(records ? [record(), record({ name: "x.example.com" })] : zone)(request, response);
    });
    expect(value).toMatchObject({ records: [record()] });
  });
});

describe("a zone that cannot be read", () => {
  test("does not exist", async () => {
    const { problem, requests } = await read(failure(404, 7003));
    expect(problem).toContain(`Cloudflare has no zone ${id} (status 404, code 7003)`);
    // The first refusal ends the other question, and nothing is asked again.
    expect(requests.length).toBeLessThanOrEqual(2);
  });

  test("is denied, or only its records are", async () => {
    const denied = `does not let the token in CLOUDFLARE_API_TOKEN read zone ${id} (status 403, code 10000). To do: give it Zone:Read and DNS:Read, for this one`;
    expect((await read(failure(403, 10_000))).problem).toContain(denied);
    const { problem } = await read((request, response) => {
      const records = urlOf(request).pathname.endsWith("/dns_records");
      (records ? failure(403, 10_000) : success(zone))(request, response);
    });
    expect(problem).toContain(denied);
  });

  test.each([429, 500])("with status %i is asked for again", async (status) => {
    let asked = 0;
    const { value } = await read((request, response) => {
      asked += 1;
      (asked <= 2 ? failure(status) : answerFrom([record()]))(request, response);
    });
    expect(value).toMatchObject({ records: [record()] });
    const failing = await read(failure(status));
    expect(failing.problem).toContain(`read zone ${id} (status ${status})`);
    // Three times two questions, of which the first refusal ends the other.
    expect(failing.requests.length).toBeGreaterThanOrEqual(3);
    expect(failing.requests.length).toBeLessThanOrEqual(6);
  });

  test("is not as documented", async () => {
    const { problem } = await read(success({ ...zone, paused: "no" }));
    expect(problem).toBe(
      `Cloudflare's answer about zone ${id} cannot be used: it is not as its documentation says, see result.paused`,
    );
  });
});

test.each([
  ["no id", { zoneId: "" }],
  ["a name for an id", { zoneId: "example.com" }],
  ["an id with a path", { zoneId: `${id}/x` }],
  ["no names", { names: [] }],
  ["too many names", { names: Array.from({ length: 17 }, () => "app.example.com") }],
  ["a short name", { names: ["app"] }],
  ["a name with a query", { names: ["app.example.com&x=1"] }],
  ["a token", { token }],
])("a target with %s is refused", (_, change) => {
  const target = { zoneId: id, names: ["app.example.com", "*.example.com"] };
  expect(cloudflareZone.target.safeParse(target).success).toBe(true);
  expect(cloudflareZone.target.safeParse({ ...target, ...change }).success).toBe(false);
});
