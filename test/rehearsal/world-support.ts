import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { parseDocument } from "yaml";
import { readAll } from "../../infra/readings/read-all.ts";
import { readingKinds, readingsConfig } from "../../infra/readings/readings.ts";
import type { Connection } from "../../infra/provider/postgres-session.ts";
import { readRelease, type Release } from "../../infra/release/release.ts";
import { parseChecklist, type Checklist } from "../../policies/contract/checklist.ts";
import type { GuardFacts } from "../../policies/contract/facts.ts";
import type { Readings } from "../../policies/contract/readings.ts";
import type { KindContext } from "../../policies/kind.ts";
import { readingShows } from "../../policies/kinds/reading-shows.ts";
import { ownPaths } from "../../rehearsal/app/paths.ts";
import { startAuthoritative, type ZoneRecord } from "../../rehearsal/stand-ins/dns.ts";
import { startWorld, type Given, type World } from "../../rehearsal/world/world.ts";

/** A loopback address that no other test has. */
export function loopback(): string {
  return `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(2, 255)}`;
}

/** A temporary folder of one test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "world-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A world of one test, with a name server whose records the test changes. */
export interface TestWorld {
  readonly world: World;
  readonly records: ZoneRecord[];
  readonly resolver: string;
}

/** The project's examples. */
export const examples = resolve(import.meta.dirname, "..", "..", "examples");

/** Starts the world of a system's folder; `ports` are those of its services. */
export async function startTestWorld(
  system: string,
  ports: Readonly<Record<string, number>> = {},
  given: Given = {},
): Promise<TestWorld> {
  const address = loopback();
  const records: ZoneRecord[] = [];
  const names = await startAuthoritative(address, () => records);
  onTestFinished(() => names.close());
  const folder = await testFolder();
  const world = await startWorld({
    system,
    folder,
    address,
    resolver: names.server,
    servicePort: (service) => ports[service] ?? 0,
    given: { resolver: names.server, nameServer: names.server, ...given },
  });
  onTestFinished(() => world.close());
  return { world, records, resolver: names.server };
}

/** An A record that every resolver may keep for a minute. */
export function record(name: string, content: string): ZoneRecord {
  return { name, type: "A", content, ttl: 60, proxied: false };
}

/** A service of a release: it says its version and that it is well, as the process of the rehearsal does. */
export async function startService(address: string, version: string): Promise<number> {
  const server = createServer((request, response) => {
    const known = ownPaths.includes(request.url ?? "");
    const type = request.url === "/metrics" ? "text/plain; version=0.0.4" : "application/json";
    response.writeHead(known ? 200 : 404, { "content-type": type });
    response.end(JSON.stringify({ status: "ok", version, host: request.headers.host }));
  });
  server.listen(0, address);
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  const place = server.address();
  return typeof place === "object" && place !== null ? place.port : 0;
}

/** What a test reads, and for what. */
export interface Rehearsed {
  readonly system: string;
  readonly world: World;
  readonly version: string;
  readonly given?: Given;
  readonly databases?: readonly string[];
  readonly connection?: Connection;
}

/** The release with the commit of the world's repository. */
export function committed({ system, world, version }: Rehearsed): Release {
  const release = readRelease(join(examples, system), version);
  if (release === undefined) throw new Error(`no release ${version}`);
  return { ...release, commit: world.commits[version] ?? "" };
}

/** Reads these of a release's readings as the program does. */
export async function read(rehearsed: Rehearsed, names: readonly string[]): Promise<Readings> {
  const { world, version, given, connection } = rehearsed;
  const all = readingsConfig.parse(world.readings(version, given));
  const wanted = names.map((name) => {
    const { kind: kindName, target } = all[name] ?? { kind: "", target: undefined };
    const kind = readingKinds.find((one) => one.kind === kindName);
    if (kind === undefined) throw new Error(`there is no reading ${name}`);
    return [name, { kind, target }] as const;
  });
  const context = { now: new Date(), release: committed(rehearsed), database: connection };
  return readAll(Object.fromEntries(wanted), context);
}

/** The system's own checklist, with the world's values for what it leaves open. */
export async function checklistOf({ system, world }: Rehearsed): Promise<Checklist> {
  const file = resolve(examples, "..", "policies", "checklists", `${system}.yaml`);
  const document = parseDocument(await readFile(file, "utf8"));
  for (const [name, value] of Object.entries(world.open)) {
    if (!document.hasIn(["open", name])) throw new Error(`${system} leaves no ${name} open`);
    document.setIn(["open", name, "value"], document.createNode(value));
  }
  return parseChecklist(document.toString(), system, `checklists/${system}.yaml`);
}

/** What the gates of these readings find wrong, by gate; an open gate has no reason. */
export async function judge(
  rehearsed: Rehearsed,
  readings: Readings,
): Promise<Record<string, string[]>> {
  const checklist = await checklistOf(rehearsed);
  const facts = {
    release: committed(rehearsed),
    covers: { databases: rehearsed.databases ?? [] },
  } as unknown as GuardFacts;
  const context = { facts, now: Date.now() } as unknown as KindContext;
  const gates = checklist.gates.filter(({ reading = "" }) => reading in readings);
  const judged = gates.map(({ id, reading = "", requires }) => {
    const found = readings[reading];
    if (found === undefined) throw new Error(`nothing was read of ${reading}`);
    const reasons = readingShows.judge(found, readingShows.requires.parse(requires), context);
    return [id, reasons.map((reason) => `${reason.found} ${found.problem ?? ""}`.trim())] as const;
  });
  return Object.fromEntries(judged);
}

/** The names of the readings that a checklist asks for. */
export function askedOf(checklist: Checklist): string[] {
  const names = checklist.gates.flatMap(({ reading }) => (reading === undefined ? [] : [reading]));
  return [...new Set(names)].sort();
}
