import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readingsConfig } from "../../infra/readings/readings.ts";
import { availableVersions, readRelease, type Release } from "../../infra/release/release.ts";
import { imagesFolder, openRegistry } from "../registry/registry.ts";
import { makeAuthority } from "./authority.ts";
import { readDescription, type Description, type Page } from "./description.ts";
import { startFront } from "./front.ts";
import type { Listening } from "./listen.ts";
import { startHost, type Pages } from "./pages.ts";
import { startQueue } from "./queue.ts";
import { earlierImage, pushedImages, startRegistry } from "./registry-server.ts";
import { makeRepository } from "./repository.ts";
import { filled, textOf } from "./templates.ts";
import { startWebhook, type Webhook } from "./webhook.ts";

/** How a world is started. */
export interface WorldOptions {
  /** The system's folder with `releases/` and `rehearsal.yaml`. */
  readonly system: string;
  /** Where the world keeps what it makes: the repository, and the certificate of its CA. Made if absent. */
  readonly folder: string;
  /** Loopback address of everything that is not at an address of the stack. */
  readonly address: string;
  /** TCP port of what speaks TLS; 443, because the URLs of a checklist name none. */
  readonly tlsPort?: number;
  /** `address:port` of the resolver that clients ask. */
  readonly resolver: string;
  /** TCP port of a service of the rehearsed stack. It is asked for with each request. */
  readonly servicePort: (service: string) => number;
  /** What only the caller knows, which templates name as `given.<name>`. */
  readonly given?: Given;
}

/** Values by the name that templates have for them. */
export type Given = Readonly<Record<string, string | number | readonly string[]>>;

/** What a rehearsed system's readings ask for and its stack does not own. */
export interface World {
  /** What a process that reads must have in its environment: it trusts the world's CA by it. */
  readonly env: Readonly<Record<string, string>>;
  /** Commits of the releases in the world's repository, by version; see `rewriteCommits`. */
  readonly commits: Readonly<Record<string, string>>;
  /** Values for the checklist's `open`, by name. */
  readonly open: Readonly<Record<string, unknown>>;
  /** Receivers of announcements by name. */
  readonly webhooks: Readonly<Record<string, Webhook>>;
  /**
   * The entries of `cutover:readings` for a release, by name.
   *
   * @param more overrides what was given
   * @throws Error when there is no such release, or an entry cannot be used
   */
  readings(version: string, more?: Given): Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

/**
 * Starts what a system's readings ask for beside the stack, as its `rehearsal.yaml` says: a git repository, a registry,
 * hosts, what stands before services, queues of other systems, and webhooks.
 *
 * @throws Error when the description cannot be used, or a port cannot be had
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const ends: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await start(options, ends)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: WorldOptions,
  ends: (() => Promise<void>)[],
): Promise<Omit<World, "close">> {
  const { system, folder, address, tlsPort = 443, given = {} } = options;
  await mkdir(folder, { recursive: true });
  const description = await readDescription(system);
  const releases = await committedReleases(description, system, join(folder, "repository"));
  const ended = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    ends.push(() => part.close());
    return part;
  };
  const about = { given, repository: join(folder, "repository") };

  const { before, repositories } = description.registry;
  const images = [
    ...(await pushedImages(imagesFolder)),
    ...repositories.map((repository) => earlierImage(repository, before)),
  ];
  const registry = originOf(address, ended(await startRegistry(address, images)), "");

  const host: Record<string, string> = {};
  for (const [name, { pages }] of Object.entries(description.hosts)) {
    const answers = pagesFor(pages, releases, about, `hosts.${name}`);
    host[name] = originOf(address, ended(await startHost(address, answers)));
  }

  const authority = await makeAuthority(folder);
  const front: Record<string, { readonly address: string; readonly url: string }> = {};
  for (const [name, described] of Object.entries(description.fronts)) {
    const at =
      described.at === undefined ? undefined : textOf(described.at, about, `fronts.${name}.at`);
    const place = at ?? address;
    const listening = ended(
      await startFront({
        ...options,
        ...described,
        at,
        address: place,
        port: described.tls ? tlsPort : 0,
        before: pagesFor(described.before, releases, about, `fronts.${name}.before`),
        authority,
      }),
    );
    front[name] = { address: place, url: originOf(place, listening) };
  }

  const queue: Record<string, { readonly host: string; readonly port: number }> = {};
  const rehearsed = openRegistry();
  for (const [name, { image, streams }] of Object.entries(description.queues)) {
    const found = rehearsed.images.find((each) => each.image.repository.endsWith(`/${image}`));
    if (found === undefined) throw new Error(`queues.${name}: no image is called ${image}`);
    const { host: at, port } = ended(await startQueue(address, found.image, streams));
    queue[name] = { host: at, port };
  }

  const webhooks: Record<string, Webhook> = {};
  for (const name of description.webhooks)
    webhooks[name] = ended(await startWebhook(address, name));

  const context = { ...about, registry, host, front, queue, tlsPort, ca: authority.file };
  return {
    env: { NODE_EXTRA_CA_CERTS: authority.file },
    commits: Object.fromEntries(releases.map(({ release }) => [release.version, release.commit])),
    open: filled(description.open, context, "open") as Record<string, unknown>,
    webhooks,
    readings(version, more = {}) {
      const release = releases.find((each) => each.release.version === version);
      if (release === undefined) throw new Error(`${system} has no release ${version}`);
      const whole = { ...context, ...release, given: { ...given, ...more } };
      const readings = filled(description.readings, whole, "readings") as Record<string, unknown>;
      const parsed = readingsConfig.safeParse(readings);
      if (parsed.success) return readings;
      throw new Error(
        `the readings of ${version} cannot be used:\n${z.prettifyError(parsed.error)}`,
      );
    },
  };
}

/** What templates can name of a release. */
interface ReleaseContext {
  readonly release: Omit<Release, "digest"> & {
    readonly number: string;
    /** As `YYYYMMDD`. */
    readonly day: string;
    readonly tag: string;
  };
  /** What ran before it. */
  readonly previous: { readonly number: string };
}

/** The releases with the commits of the world's repository, in order. */
async function committedReleases(
  { repository, registry }: Description,
  system: string,
  folder: string,
): Promise<ReleaseContext[]> {
  let previous = { number: registry.before };
  const releases = availableVersions(system).map((version): ReleaseContext => {
    const release = readRelease(system, version);
    if (release === undefined) throw new Error(`${system} has no release ${version}`);
    const number = version.slice(1);
    const dated = { ...release, number, day: release.date.replaceAll("-", "") };
    const tag = textOf(repository.tag, { release: dated }, "repository.tag");
    const context = { release: { ...dated, tag }, previous };
    previous = { number };
    return context;
  });
  const commits = await makeRepository(
    folder,
    releases.map(({ release }) => release),
  );
  return releases.map(({ release, ...rest }) => ({
    ...rest,
    release: { ...release, commit: commits[release.version] ?? "" },
  }));
}

/**
 * The pages of a host for every release. A page that says something of a release must have it in its path as well.
 *
 * @throws Error when two releases would answer otherwise at one path
 */
function pagesFor(
  described: Readonly<Record<string, Page>>,
  releases: readonly ReleaseContext[],
  about: object,
  where: string,
): Pages {
  const pages = new Map<string, Page>();
  for (const release of releases) {
    const all = filled(described, { ...about, ...release }, where) as Record<string, Page>;
    for (const [path, page] of Object.entries(all)) {
      const other = pages.get(path);
      if (other !== undefined && JSON.stringify(other) !== JSON.stringify(page)) {
        throw new Error(
          `${where}: ${path} differs by release. To do: put the release into its path`,
        );
      }
      pages.set(path, page);
    }
  }
  return pages;
}

function originOf(address: string, { port }: Listening, scheme = "http://"): string {
  return `${scheme}${address}:${String(port)}`;
}
