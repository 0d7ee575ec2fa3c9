import type { RequestListener } from "node:http";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { access, askCloudflare } from "../../../../infra/readings/cloudflare/api.ts";
import { ReadingError } from "../../../../infra/readings/reading.ts";
import { failure, raw, startCloudflare, success, token } from "./cloudflare-server.ts";

function ask(
  baseUrl: string,
  { signal = new AbortController().signal, tokenEnv = "CLOUDFLARE_API_TOKEN" } = {},
): Promise<{ result: { name: string }; total: number | undefined }> {
  return askCloudflare(
    {
      tokenEnv,
      baseUrl,
      path: "/things/1?page=2",
      headers: { "x-more": "yes" },
      subject: "thing 1",
      needs: "Thing:Read",
      result: z.object({ name: z.string() }),
    },
    signal,
  );
}

async function errorOf(asking: Promise<unknown>): Promise<{ message: string; again: boolean }> {
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ReadingError);
  const { message, again, stack, cause } = error as ReadingError;
  expect(`${message} ${stack} ${String(cause)}`).not.toContain(token);
  return { message, again };
}

async function errorFrom(answer: RequestListener): Promise<{ message: string; again: boolean }> {
  return errorOf(ask((await startCloudflare(answer)).baseUrl));
}

describe("an answer", () => {
  test("is asked for with the token, and unwrapped", async () => {
    const { baseUrl, requests } = await startCloudflare(
      success({ name: "one", more: 1 }, { result_info: { total_count: 7, page: 2 } }),
    );
    expect(await ask(baseUrl)).toEqual({ result: { name: "one" }, total: 7 });
    const [{ method, url, headers } = {}] = requests;
    expect({ method, url }).toEqual({ method: "GET", url: "/client/v4/things/1?page=2" });
    expect(headers).toMatchObject({ authorization: `Bearer ${token}`, "x-more": "yes" });
  });

  test("is the same with a slash at the end of the base", async () => {
    const { baseUrl, requests } = await startCloudflare(success({ name: "one" }));
    expect(await ask(`${baseUrl}/`)).toEqual({ result: { name: "one" }, total: undefined });
    expect(requests[0]?.url).toBe("/client/v4/things/1?page=2");
  });
});

describe("the token", () => {
  test.each([
    ["is absent", undefined, "is empty"],
    ["is empty", "", "is empty"],
    ["has a line break", `${token}\n`, "holds what cannot be a token"],
    ["has a space", `Bearer ${token}`, "holds what cannot be a token"],
    ["is no ASCII", `${token}ä`, "holds what cannot be a token"],
  ])("%s: it is told which variable to set", async (_, value, found) => {
    const { baseUrl, requests } = await startCloudflare(success({ name: "one" }));
    vi.stubEnv("CUTOVER_TEST_TOKEN", value);
    expect(await errorOf(ask(baseUrl, { tokenEnv: "CUTOVER_TEST_TOKEN" }))).toEqual({
      message: `the environment variable CUTOVER_TEST_TOKEN ${found}, to read thing 1. To do: set it to an API token with Thing:Read`,
      again: false,
    });
    expect(requests).toHaveLength(0);
  });
});

describe("a refusal", () => {
  const denied = "Cloudflare does not let the token in CLOUDFLARE_API_TOKEN read thing 1";
  const permit = "To do: give it Thing:Read, for this one";

  test.each<[RequestListener, string, boolean]>([
    [failure(401, 1000), `${denied} (status 401, code 1000). ${permit}`, false],
    [failure(403, 10_000), `${denied} (status 403, code 10000). ${permit}`, false],
    [failure(400, 6003, 6111), `${denied} (status 400, code 6003, 6111). ${permit}`, false],
    [
      failure(404, 7003),
      "Cloudflare has no thing 1 (status 404, code 7003). To do: correct it in the stack config, or give the token Thing:Read, for this one",
      false,
    ],
    [
      failure(400, 7003),
      "Cloudflare has no thing 1 (status 400, code 7003). To do: correct it in the stack config, or give the token Thing:Read, for this one",
      false,
    ],
    [
      failure(429, 971),
      "Cloudflare has had too many requests to read thing 1 (status 429, code 971)",
      true,
    ],
    [raw(500, `<html>${token}</html>`), "Cloudflare failed to read thing 1 (status 500)", true],
    [raw(503, ""), "Cloudflare failed to read thing 1 (status 503)", true],
    [
      failure(418, 1, 2, 3, 4, 5, 6),
      "Cloudflare refused to read thing 1 (status 418, code 1, 2, 3, 4, 5)",
      false,
    ],
    [failure(200, 1234), "Cloudflare refused to read thing 1 (status 200, code 1234)", false],
    [raw(403, "{"), `${denied} (status 403). ${permit}`, false],
    [raw(403, `{"errors":["${token}"]}`), `${denied} (status 403). ${permit}`, false],
  ])("is told without its text: %#", async (answer, message, again) => {
    expect(await errorFrom(answer)).toEqual({ message, again });
  });

  test("is what a redirect is, and the token does not go there", async () => {
    const other = await startCloudflare(success({ name: "one" }));
    expect(
      await errorFrom((_request, response) => {
        response.writeHead(302, { location: `${other.baseUrl}/things/1` }).end();
      }),
    ).toEqual({ message: "Cloudflare refused to read thing 1 (status 302)", again: false });
    expect(other.requests).toHaveLength(0);
  });
});

describe("an answer that cannot be used", () => {
  const wrapped = (result: string): string => `{"success":true,"errors":[],"result":${result}}`;

  test.each([
    ["is no JSON", `<html>${token}`, "it is no JSON, on line 1"],
    ["was cut", wrapped(`{"name":"${token}"}`).slice(0, -4), "it is no JSON, on line 1"],
    ["is empty", "", "it is no JSON, on line 1"],
    ["has a key twice", wrapped(`{"name":"a","name":"b"}`), "it has a key twice, on line 1"],
    ["has the key __proto__", wrapped(`{"__proto__":{}}`), "it has the key __proto__, on line 1"],
    [
      "nests too deep",
      wrapped(`${"[".repeat(40)}${"]".repeat(40)}`),
      "it nests deeper than 32 levels, on line 1",
    ],
    ["lacks a key", wrapped("{}"), "it is not as its documentation says, see result.name"],
    [
      "has a wrong type",
      wrapped(`{"name":["${token}"]}`),
      "it is not as its documentation says, see result.name",
    ],
    [
      "says no success",
      '{"success":false,"errors":[],"result":{"name":"a"}}',
      "it is not as its documentation says, see success",
    ],
    ["is null", "null", "it is not as its documentation says, see the whole"],
    [
      "is larger than 1 MiB",
      wrapped(`{"name":"${"x".repeat(1024 * 1024)}"}`),
      "it is larger than 1024 KiB",
    ],
  ])("%s", async (_, body, why) => {
    expect(await errorFrom(raw(200, body))).toEqual({
      message: `Cloudflare's answer about thing 1 cannot be used: ${why}`,
      again: false,
    });
  });

  test("is no valid UTF-8", async () => {
    const { message } = await errorFrom((_request, response) => {
      response.end(Buffer.from([0x7b, 0xff, 0x7d]));
    });
    expect(message).toContain("it is no valid UTF-8");
  });

  test("never ends, and is not read to its end", async () => {
    const closed: Promise<void>[] = [];
    const { message } = await errorFrom((_request, response) => {
      closed.push(new Promise((resolve) => response.on("close", resolve)));
      const more = (): void => {
        while (response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    });
    expect(message).toContain("it is larger than 1024 KiB");
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
  });
});

describe("no answer", () => {
  test("from a port that nobody listens on", async () => {
    const { baseUrl, close } = await startCloudflare(success({ name: "one" }));
    await close();
    expect(await errorOf(ask(baseUrl))).toEqual({
      message: "Cloudflare cannot be reached to read thing 1 (ECONNREFUSED)",
      again: true,
    });
  });

  test("from a server that breaks off", async () => {
    const { again } = await errorFrom((request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{", () => request.socket.destroy());
    });
    expect(again).toBe(true);
  });

  test.each([
    ["before the headers", false],
    ["within the body", true],
  ])("from a server that hangs %s, when the time is over", async (_, begins) => {
    const stop = new AbortController();
    const closed: Promise<void>[] = [];
    const { baseUrl } = await startCloudflare((_request, response) => {
      closed.push(new Promise((resolve) => response.on("close", resolve)));
      if (begins) response.write("{", () => stop.abort());
      else stop.abort();
    });
    await errorOf(ask(baseUrl, { signal: stop.signal }));
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
  });
});

describe("where it is", () => {
  const accepts = (baseUrl: string): boolean => z.object(access).safeParse({ baseUrl }).success;

  test("is Cloudflare, with the usual variable", () => {
    expect(z.object(access).parse({})).toEqual({
      tokenEnv: "CLOUDFLARE_API_TOKEN",
      baseUrl: "https://api.cloudflare.com/client/v4",
    });
  });

  test.each([
    "https://proxy.example.com/client/v4",
    "http://127.0.0.1:8080/client/v4",
    "http://127.1.2.3",
    "http://localhost:8080",
    "http://[::1]:8080",
  ])("may be %s", (baseUrl) => {
    expect(accepts(baseUrl)).toBe(true);
  });

  test.each([
    "http://api.cloudflare.com/client/v4",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "https://user:password@api.cloudflare.com/client/v4",
    "https://api.cloudflare.com/client/v4?a=b",
    "https://api.cloudflare.com/client/v4#a",
    "file:///etc",
    "api.cloudflare.com",
    "",
  ])("must not be %s, or the token could be read on its way", (baseUrl) => {
    expect(accepts(baseUrl)).toBe(false);
  });

  test.each(["", "A B", "1A", "A=B", "A".repeat(129)])("has no variable %j", (tokenEnv) => {
    expect(z.object(access).safeParse({ tokenEnv }).success).toBe(false);
  });
});
