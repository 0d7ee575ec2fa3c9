import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadDocuments } from "../../../infra/evidence/load-documents.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cutover-evidence-"));
  mkdirSync(join(root, "evidence", "v1.0.0"), { recursive: true });
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(name: string, text: string | Uint8Array): string {
  const file = join(root, "evidence", "v1.0.0", name);
  writeFileSync(file, text);
  return file;
}

const load = (location = "evidence"): ReturnType<typeof loadDocuments> =>
  loadDocuments(location, "v1.0.0", root);

describe("a folder", () => {
  test("gives each line of each envelope file and each bundle, in the order of names", async () => {
    write("b.sigstore.json", '{\n"b": 1\n}');
    write("a.intoto.jsonl", '{"a":1}\n\n{"a":2}\n');
    write("c.intoto.jsonl", '{"c":1}\n');
    expect(await load()).toEqual([
      { name: "a.intoto.jsonl, line 1", text: '{"a":1}' },
      { name: "a.intoto.jsonl, line 3", text: '{"a":2}' },
      { name: "b.sigstore.json", text: '{\n"b": 1\n}' },
      { name: "c.intoto.jsonl", text: '{"c":1}' },
    ]);
  });

  test("leaves raw reports and files with strange names alone", async () => {
    write("unit-tests.xml", "<testsuites/>");
    write("README.md", "");
    write("a\u001b[31m.intoto.jsonl", "{}");
    expect(await load()).toEqual([]);
  });

  test.each(["evidence", "no-such-folder"])(
    "%s without the release gives nothing",
    async (name) => {
      expect(await loadDocuments(name, "v9.9.9", root)).toEqual([]);
    },
  );

  test("that is a file is a problem", async () => {
    write("file", "");
    const [document] = await loadDocuments("evidence/v1.0.0", "file", root);
    expect(document).toEqual({ name: "evidence/v1.0.0", problem: "it is no folder" });
  });

  test("outside of the project is not read, by its path or by a link", async () => {
    mkdirSync(join(root, "project"));
    mkdirSync(join(root, "outside", "v1.0.0"), { recursive: true });
    mkdirSync(join(root, "project", "inside"));
    symlinkSync(join(root, "outside", "v1.0.0"), join(root, "project", "inside", "v1.0.0"));
    const project = join(root, "project");
    const problem = "it lies outside of the project";
    expect(await loadDocuments("inside", "v1.0.0", project)).toEqual([{ name: "inside", problem }]);
    expect(await loadDocuments("../outside", "v1.0.0", project)).toEqual([
      { name: "../outside", problem },
    ]);
  });

  test("does not follow a link to a file", async () => {
    const secret = join(root, "secret");
    writeFileSync(secret, "canary");
    symlinkSync(secret, join(root, "evidence", "v1.0.0", "a.intoto.jsonl"));
    expect(await load()).toEqual([
      { name: "a.intoto.jsonl", problem: "it is a link, which is not followed" },
    ]);
  });

  test("does not wait for a pipe", async () => {
    execFileSync("mkfifo", [join(root, "evidence", "v1.0.0", "a.intoto.jsonl")]);
    expect(await load()).toEqual([{ name: "a.intoto.jsonl", problem: "it is no regular file" }]);
  });

  test("does not read a file of more than 8 MiB", async () => {
    truncateSync(write("a.intoto.jsonl", ""), 8 * 1024 * 1024 + 1);
    expect(await load()).toEqual([{ name: "a.intoto.jsonl", problem: "it is larger than 8 MiB" }]);
  });

  test("does not read more than 16 MiB in all", async () => {
    for (const name of ["a", "b", "c"]) {
      write(`${name}.intoto.jsonl`, "x".repeat(6 * 1024 * 1024));
    }
    expect((await load()).map(({ problem }) => problem)).toEqual([
      undefined,
      undefined,
      "the files are larger than 16 MiB together",
    ]);
  });

  test("does not read more than 256 files", async () => {
    for (let index = 0; index < 257; index += 1) write(`${index}.intoto.jsonl`, "{}");
    expect(await load()).toEqual([
      { name: "evidence", problem: "there are 257 files; at most 256 are read" },
    ]);
  });

  test.each([
    ["empty", "", "it is empty"],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "it is no valid UTF-8"],
  ])("says that a file is %s", async (_, bytes, problem) => {
    write("a.intoto.jsonl", bytes);
    write("b.intoto.jsonl", "{}");
    expect(await load()).toEqual([
      { name: "a.intoto.jsonl", problem },
      { name: "b.intoto.jsonl", text: "{}" },
    ]);
  });
});

describe("a web server", () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
  });

  async function serve(answer: RequestListener): Promise<string> {
    server = createServer(answer).listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/evidence/?token=canary`;
  }

  test("gives the lines of the release's file", async () => {
    const asked: (string | undefined)[] = [];
    const location = await serve((request, response) => {
      asked.push(request.url);
      response.end('{"a":1}\n{"a":2}\n');
    });
    expect(await load(location)).toEqual([
      { name: "v1.0.0.intoto.jsonl, line 1", text: '{"a":1}' },
      { name: "v1.0.0.intoto.jsonl, line 2", text: '{"a":2}' },
    ]);
    expect(asked).toEqual(["/evidence/v1.0.0.intoto.jsonl?token=canary"]);
  });

  test("asks again when the server fails", async () => {
    let asked = 0;
    const location = await serve((_, response) => {
      asked += 1;
      if (asked < 3) response.writeHead(503).end();
      else response.end("{}");
    });
    expect(await load(location)).toEqual([{ name: "v1.0.0.intoto.jsonl", text: "{}" }]);
  });

  test("without the file gives nothing", async () => {
    expect(await load(await serve((_, response) => response.writeHead(404).end()))).toEqual([]);
  });

  test.each([
    ["refuses", 403, "the server answers 403"],
    ["sends elsewhere", 302, "the server answers 302"],
    ["keeps failing", 500, "the server answers 500"],
  ])("that %s is a problem, which shows no token", async (_, status, problem) => {
    const location = await serve((__, response) => {
      response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("canary");
    });
    const documents = await load(location);
    expect(documents.map((document) => document.problem)).toEqual([problem]);
    expect(JSON.stringify(documents)).not.toContain("canary");
  });

  test("that sends without end is cut off", async () => {
    const location = await serve((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, "x");
      const send = (): void => {
        if (!response.destroyed) response.write(chunk, () => setImmediate(send));
      };
      send();
    });
    expect((await load(location)).map(({ problem }) => problem)).toEqual([
      "it is larger than 8 MiB",
    ]);
  });

  test("that nobody runs is a problem", async () => {
    const location = await serve(() => undefined);
    server?.close();
    const documents = await load(location);
    expect(documents.map(({ problem }) => problem)).toEqual([
      "it cannot be fetched (ECONNREFUSED)",
    ]);
  });
});
