import { execFile } from "node:child_process";
import { cp, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { gitRelease } from "../../infra/readings/git/git-release.ts";
import { registryImage } from "../../infra/readings/network/registry-image.ts";
import { tlsCertificate } from "../../infra/readings/network/tls-certificate.ts";
import { redisQueue } from "../../infra/readings/queues/redis-queue.ts";
import { postJson } from "../../infra/provider/http-post.ts";
import { readRelease } from "../../infra/release/release.ts";
import { imagesFolder, openRegistry } from "../../rehearsal/registry/registry.ts";
import { readDescription } from "../../rehearsal/world/description.ts";
import {
  earlierImage,
  pushedImages,
  startRegistry,
} from "../../rehearsal/world/registry-server.ts";
import { makeRepository, rewriteCommits } from "../../rehearsal/world/repository.ts";
import { filled } from "../../rehearsal/world/templates.ts";
import { startWorld } from "../../rehearsal/world/world.ts";
import { contextOf, readFacts } from "../infra/readings/context.ts";
import {
  examples,
  loopback,
  record,
  startService,
  startTestWorld,
  testFolder,
} from "./world-support.ts";

/** A system's folder with one release, and this description. */
async function makeSystem(rehearsal: string): Promise<string> {
  const folder = await testFolder();
  await cp(join(examples, "dashboard", "releases"), join(folder, "releases"), { recursive: true });
  await writeFile(join(folder, "rehearsal.yaml"), rehearsal);
  return folder;
}

describe("the description", () => {
  test("says everything that is wrong with it", async () => {
    const system = await makeSystem(
      "hosts: { a: { pages: { nopath: { status: 7 } } } }\nreading: {}\n",
    );
    const failure = readDescription(system);
    await expect(failure).rejects.toThrow("rehearsal.yaml cannot be used");
    await expect(failure).rejects.toThrow("nopath");
    await expect(failure).rejects.toThrow("reading");
  });

  test("must not name what is not there", async () => {
    const system = await makeSystem(
      "readings: { x: { kind: http-endpoint, url: '{{ host.gone }}/x' } }",
    );
    const { world } = await startTestWorld(system);
    expect(() => world.readings("v1.0.0")).toThrow("readings.x.url cannot be filled in");
    expect(() => world.readings("v9.9.9")).toThrow("has no release v9.9.9");
  });

  test("must give readings that the stack config takes", async () => {
    const system = await makeSystem("readings: { x: { kind: http-endpoint, link: y } }");
    const { world } = await startTestWorld(system);
    expect(() => world.readings("v1.0.0")).toThrow("the readings of v1.0.0 cannot be used");
  });

  test("must not answer otherwise at one path for two releases", async () => {
    const system = await makeSystem(
      "hosts: { a: { pages: { /x: { text: '{{ release.version }}' } } } }",
    );
    await expect(startTestWorld(system)).rejects.toThrow("/x differs by release");
  });
});

test("a template that is one value keeps its type", () => {
  const context = { queue: { port: 6379 }, names: ["a"], front: { blue: "x" }, slot: "blue" };
  expect(
    filled(
      { port: "{{ queue.port }}", url: "h:{{ queue.port }}", n: 1, names: "{{names}}", b: null },
      context,
      "it",
    ),
  ).toEqual({ port: 6379, url: "h:6379", n: 1, names: ["a"], b: null });
  expect(filled(["{{ front[slot] }}"], context, "it")).toEqual(["x"]);
  expect(() => filled("{{ queue.host }}", context, "it")).toThrow("it cannot be filled in");
  expect(() => filled("a {{ gone }}", context, "it")).toThrow("it cannot be filled in");
});

describe("the repository", () => {
  const releases = ["v1.0.0", "v1.1.0"].map((version) => {
    const release = readRelease(join(examples, "stageos"), version);
    if (release === undefined) throw new Error(version);
    return { ...release, tag: `${version}-x` };
  });

  test("has a commit for each release, with its tag, on main", async () => {
    const folder = join(await testFolder(), "repository");
    const commits = await makeRepository(folder, releases);
    const target = { folder, branch: "main", tag: "v1.0.0-x" };
    const commit = commits["v1.0.0"] ?? "";
    const release = { ...contextOf().release, commit };
    expect(await readFacts(gitRelease, target, contextOf({ release }))).toMatchObject({
      tagMatchesRelease: true,
      releaseCommitExists: true,
      releaseOnBranch: true,
      head: commits["v1.1.0"],
      clean: true,
      untracked: 0,
    });
    const other = { ...contextOf().release, commit: commits["v1.1.0"] ?? "" };
    expect(await readFacts(gitRelease, target, contextOf({ release: other }))).toMatchObject({
      tagMatchesRelease: false,
    });
  });

  test("gives the same releases the same commits, and others to another", async () => {
    const folder = await testFolder();
    const [first, ...rest] = releases;
    if (first === undefined) throw new Error("there is no release");
    const once = await makeRepository(join(folder, "1"), releases);
    expect(await makeRepository(join(folder, "2"), releases)).toEqual(once);
    const changed = [{ ...first, images: {} }, ...rest];
    const other = await makeRepository(join(folder, "3"), changed);
    expect(other["v1.1.0"]).not.toBe(once["v1.1.0"]);
  });

  test("puts its commits into copies of the release files, and nothing else", async () => {
    const folder = await testFolder();
    await cp(join(examples, "stageos"), folder, { recursive: true });
    await rewriteCommits(folder, { "v1.0.0": "a".repeat(40) });
    const before = readRelease(join(examples, "stageos"), "v1.0.0");
    const after = readRelease(folder, "v1.0.0");
    expect(after).toEqual({ ...before, commit: "a".repeat(40), digest: after?.digest });
  });
});

describe("the registry", () => {
  async function start(): Promise<string> {
    const address = loopback();
    const images = [...(await pushedImages(imagesFolder)), earlierImage("stageos/api", "0.9.0")];
    const listening = await startRegistry(address, images);
    onTestFinished(() => listening.close());
    return `${address}:${String(listening.port)}`;
  }

  const read = (image: string) => readFacts(registryImage, { image }, contextOf());
  const published = openRegistry().resolve("registry.example.com/stageos/api:1.0.0");

  test("has each image by tag, with and without a v, and by the digest of release files", async () => {
    const registry = await start();
    const digest = published?.digest ?? "";
    const found = {
      exists: true,
      digest,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
    };
    for (const name of ["api:1.0.0", "api:v1.0.0", `api@${digest}`]) {
      expect(await read(`${registry}/stageos/${name}`)).toEqual(found);
    }
    const earlier = await read(`${registry}/stageos/api:0.9.0`);
    expect(earlier["exists"]).toBe(true);
    expect(earlier["digest"]).not.toBe(digest);
  });

  test("has nothing else, and takes nothing", async () => {
    const registry = await start();
    for (const name of ["stageos/api:9.9.9", "stageos/none:1.0.0"]) {
      expect(await read(`${registry}/${name}`)).toMatchObject({ exists: false });
    }
    const put = await fetch(`http://${registry}/v2/stageos/api/manifests/x`, { method: "PUT" });
    expect(put.status).toBe(405);
  });
});

/** The address of a part, which the description gives back as an open value. */
const textIn = (open: Readonly<Record<string, unknown>>, name: string): string =>
  String(open[name]);

describe("a front", () => {
  const described = (more: string): string => `
fronts:
  public:
    ${more}
    names:
      api.example.com: { service: api, paths: { /health: /healthz } }
    before: { /healthz: { text: before } }
open: { url: "{{ front.public.url }}" }
`;

  test("goes to where DNS leads at that moment", async () => {
    const [blue, green] = [loopback(), loopback()];
    const port = await startService(blue, "1.0.0");
    const system = await makeSystem(described("tls: false"));
    const { world, records } = await startTestWorld(system, { api: port });
    const url = textIn(world.open, "url");
    expect(await (await fetch(`${url}/healthz`)).text()).toBe("before");
    expect((await fetch(`${url}/gone`)).status).toBe(404);
    records.push(record("api.example.com", blue));
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({
      version: "1.0.0",
      host: "api.example.com",
    });
    records.splice(0, 1, record("api.example.com", green));
    expect((await fetch(`${url}/health`)).status).toBe(502);
  });

  test("at one address asks there, whatever DNS says", async () => {
    const [blue, green] = [loopback(), loopback()];
    const port = await startService(blue, "1.0.0");
    const system = await makeSystem(described('tls: false\n    at: "{{ given.blue }}"'));
    const { world, records } = await startTestWorld(system, { api: port }, { blue });
    records.push(record("api.example.com", green));
    const url = textIn(world.open, "url");
    expect(new URL(url).hostname).toBe(blue);
    expect(await (await fetch(`${url}/version`)).json()).toMatchObject({ version: "1.0.0" });
  });

  test("shows a certificate that a process trusts with the world's environment, and no other", async () => {
    const blue = loopback();
    const port = await startService(blue, "1.0.0");
    const system = await makeSystem(described("tls: true"));
    const { world, records } = await startTestWorld(system, { api: port });
    records.push(record("api.example.com", blue));
    const address = new URL(textIn(world.open, "url")).hostname;
    const caFile = world.env["NODE_EXTRA_CA_CERTS"] ?? "";
    const target = { host: "api.example.com", port: 443, address };
    expect(await readFacts(tlsCertificate, { ...target, caFile }, contextOf())).toMatchObject({
      authorized: true,
      hostMatches: true,
      subjectAltNames: ["api.example.com"],
      daysLeft: 89,
    });
    expect(await readFacts(tlsCertificate, target, contextOf())).toMatchObject({
      authorized: false,
    });
    expect(await readElsewhere(address, world.env)).toBe("200 1.0.0");
    expect(await readElsewhere(address, {})).toContain("no answer from https://api.example.com");
  });
});

/** Reads an endpoint by TLS in a process of its own, as a run of the program does. */
async function readElsewhere(
  address: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const file = resolve(import.meta.dirname, "../../infra/readings/network/http-endpoint.ts");
  const script = `
    import { httpEndpoint } from ${JSON.stringify(file)};
    const target = httpEndpoint.target.parse({
      url: "https://api.example.com/health", address: ${JSON.stringify(address)} });
    const context = { signal: new AbortController().signal };
    const said = await httpEndpoint.read(target, context).then(
      ({ status, version }) => status + " " + version, ({ message }) => message);
    process.stdout.write(said);`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", script],
    { env: { PATH: process.env["PATH"] ?? "", ...env } },
  );
  return stdout;
}

test("a webhook keeps what is posted to it, in order", async () => {
  const system = await makeSystem("webhooks: [team]");
  const { world } = await startTestWorld(system);
  const team = world.webhooks["team"];
  const url = team?.url ?? "";
  const signal = new AbortController().signal;
  for (const text of ["one", "two"]) {
    expect(await postJson(url, { text }, { "x-name": text }, signal)).toEqual({ status: 200 });
  }
  expect(await postJson(`${url}-other`, {}, {}, signal)).toEqual({ status: 404 });
  const got = team?.received().map(({ body, headers }) => [body, headers["x-name"]]);
  expect(got).toEqual([
    ['{"text":"one"}', "one"],
    ['{"text":"two"}', "two"],
  ]);
});

test("a queue of another system has one job that just came in, and ends with the world", async () => {
  const system = await makeSystem(`
queues: { staging: { image: workspace-platform/redis, streams: [jobs, mails] } }
open: { port: "{{ queue.staging.port }}", host: "{{ queue.staging.host }}" }
`);
  const { world } = await startTestWorld(system);
  const place = { host: textIn(world.open, "host"), port: Number(world.open["port"]) };
  const target = { ...place, queues: ["jobs", "mails"], type: "stream" as const };
  const wanted = redisQueue.target.parse(target);
  const facts = await readFacts(redisQueue, wanted, contextOf());
  expect(facts["depth"]).toBe(2);
  expect(facts["oldestMessageSeconds"]).toBeLessThan(60);
  await world.close();
  await expect(redisQueue.read(wanted, contextOf())).rejects.toThrow("nothing listens there");
});

test("a world that cannot start ends what it has begun", async () => {
  const address = loopback();
  const taken = createServer();
  taken.listen(0, address);
  await once(taken, "listening");
  onTestFinished(() => void taken.close());
  const tlsPort = (taken.address() as AddressInfo).port;
  const system = await makeSystem(
    "hosts: { a: { pages: {} } }\nfronts: { b: { names: { api.example.com: { service: api } } } }",
  );
  const starting = startWorld({
    system,
    folder: await testFolder(),
    address,
    tlsPort,
    resolver: "127.0.0.1:1",
    servicePort: () => 0,
  });
  await expect(starting).rejects.toThrow(
    `cannot listen on ${address}:${String(tlsPort)} (EADDRINUSE)`,
  );
});
