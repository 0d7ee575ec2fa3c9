import { isIP } from "node:net";
import { z } from "zod";
import { digestOf } from "../../policies/contract/digest.ts";
import { messageOf } from "./error-text.ts";
import { copy, isThere, must, remove, writeText } from "./host-files.ts";
import { plainUrl } from "./http-get.ts";
import { inputFailures, parseInputs } from "./inputs.ts";
import { sameProperty } from "./properties.ts";
import { RefusedError, type Call, type ResourceType } from "./resource-type.ts";
import { sshUrlForm, withHost, type Host } from "./ssh.ts";
import { waitUntilWell, type Finding } from "./unit-health.ts";
import {
  readMarker,
  removeMarker,
  writeMarker,
  type Installed,
  type Marker,
} from "./unit-marker.ts";

const absolute = z.string().regex(/^\/[\w.@%+:/-]+$/, "required is an absolute path");

const inputs = z.strictObject({
  stack: z.string().min(1),
  release: z.string().min(1),
  /** The unit, without `.service`. */
  name: z.string().regex(/^[\w@:.-]+$/, "required is the name of a unit"),
  /** As `ssh://user@host:port`. */
  host: z.string().regex(sshUrlForm, "required is ssh://user@host:port"),
  /** The unit files and what they need, by their path. */
  files: z.record(
    absolute,
    z.strictObject({ text: z.string(), mode: z.enum(["0644", "0755", "0600"]) }),
  ),
  /** What must be there on the host already. */
  required: z.array(absolute),
  /** Where it answers; left out for one that answers nowhere. */
  health: z
    .strictObject({
      url: plainUrl,
      address: z.string().refine((text) => isIP(text) !== 0, "required is an IP address"),
    })
    .nullish(),
  /** How long it may take to be healthy. */
  healthSeconds: z.number().positive(),
  /** How long the one before may take to end. */
  graceSeconds: z.number().min(0),
});

/** Inputs of a unit. */
type UnitInputs = Readonly<z.infer<typeof inputs>>;

/**
 * A service under systemd on a host that is reached over SSH. It keeps its port, so the new one takes the old one's
 * place: the files of the last healthy one are kept beside as `.previous`, and come back when health does not.
 *
 * The host's own marker says which files were healthy last, so a run that follows a killed one does not take half of a
 * start for what was good. What is live and well already is not started again.
 *
 * Delete stops the service and removes its files.
 */
export const systemdUnit: ResourceType = {
  check: (news) => [...inputFailures(inputs, news), ...ownFileFailures(news)],

  diff(olds, news) {
    const diffs = Object.keys(inputs.shape).filter(
      (name) => !sameProperty(olds.inputs[name], news[name]),
    );
    const replaces = diffs.filter((name) => name === "name" || name === "host" || name === "stack");
    return { changes: diffs.length > 0, diffs, replaces };
  },

  async create(news, call) {
    if (call.preview) return { id: "", outputs: {} };
    const parsed = parseInputs(inputs, news);
    return { id: `${parsed.stack}:${parsed.name}`, outputs: await place(parsed, call) };
  },

  async update(_id, _olds, news, call) {
    return { outputs: call.preview ? {} : await place(parseInputs(inputs, news), call) };
  },

  async delete(_id, olds, call) {
    const parsed = parseInputs(inputs, olds.inputs);
    await withHost(parsed.host, call.signal, (host) => takeAway(parsed, host, call));
  },
};

function ownFileFailures(
  news: Readonly<Record<string, unknown>>,
): { property: string; reason: string }[] {
  const { name, files } = news;
  if (typeof name !== "string" || typeof files !== "object" || files === null) return [];
  const path = unitPath(name);
  if (Object.hasOwn(files, path)) return [];
  return [{ property: "files", reason: `required is a file ${path}` }];
}

function unitPath(name: string): string {
  return `/etc/systemd/system/${name}.service`;
}

function place(parsed: UnitInputs, call: Call): Promise<{ activeAt: string; mainPid: number }> {
  return withHost(parsed.host, call.signal, async (host) => {
    await requireThere(parsed, host);
    const marker = await readMarker(host, parsed.name);
    refuseForeign(parsed, marker, host);
    const { stack, release, files, name } = parsed;
    const next: Installed = { stack, release, digest: digestOf(files), files: Object.keys(files) };
    if (marker.starting === undefined && marker.live?.digest === next.digest) {
      const standing = await well(parsed, host, call, 0);
      if (standing.isWell) return outputs(standing);
    }
    const live =
      marker.starting === undefined ? await keep(parsed, host, marker.live) : marker.live;
    await writeMarker(host, name, { ...(live === undefined ? {} : { live }), starting: next });
    const left = [...(live?.files ?? []), ...(marker.starting?.files ?? [])];
    await remove(host, [...new Set(left.filter((path) => !next.files.includes(path)))]);
    for (const [path, file] of Object.entries(files)) await writeText(host, path, file);
    const found = await start(parsed, host, call);
    if (found.isWell) {
      await writeMarker(host, name, { live: next });
      return outputs(found);
    }
    throw await goBack(parsed, host, call, live, found.found);
  });
}

function outputs({ mainPid }: Finding & { isWell: true }): { activeAt: string; mainPid: number } {
  return { activeAt: new Date().toISOString(), mainPid };
}

async function requireThere({ required, name, release }: UnitInputs, host: Host): Promise<void> {
  const missing: string[] = [];
  for (const path of required) if (!(await isThere(host, path))) missing.push(path);
  if (missing.length === 0) return;
  throw new RefusedError(
    [
      `${name}.service cannot run ${release} on ${host.name}. Nothing was changed there.`,
      `found:    nothing at ${missing.join(", ")}`,
      "required: the release's folder, its conda environment and its volumes",
      "to do:    put them there, and run pulumi up again",
    ].join("\n"),
  );
}

function refuseForeign({ name, stack }: UnitInputs, { live, starting }: Marker, host: Host): void {
  const other = [live, starting].find((one) => one !== undefined && one.stack !== stack);
  if (other === undefined) return;
  throw new RefusedError(
    [
      `${name}.service on ${host.name} belongs to another stack. Nothing was changed there.`,
      `found:    ${other.stack}`,
      `required: ${stack}`,
      "to do:    give the service another host or another system's name",
    ].join("\n"),
  );
}

/** Keeps the files that are healthy now beside themselves. What somebody set up by hand counts as healthy. */
async function keep(
  { name, stack, files }: UnitInputs,
  host: Host,
  live: Installed | undefined,
): Promise<Installed | undefined> {
  const known = live?.files ?? Object.keys(files);
  const there: string[] = [];
  for (const path of known) if (await isThere(host, path)) there.push(path);
  if (!there.includes(unitPath(name))) return undefined;
  for (const path of there) await copy(host, path, `${path}.previous`);
  return live === undefined ? { stack, digest: "", files: there } : { ...live, files: there };
}

/** Starts what the files say, and waits until it is well. */
async function start(parsed: UnitInputs, host: Host, call: Call): Promise<Finding> {
  const { name, healthSeconds, graceSeconds } = parsed;
  const service = `${name}.service`;
  await must(host, ["systemctl", "daemon-reload"]);
  // A unit that failed too often is not started before this; one that did not fail has nothing to reset.
  await host.run(["systemctl", "reset-failed", service]);
  const enabled = await host.run(["systemctl", "enable", service]);
  // It returns when the service says that it is ready, or when systemd gives up on it.
  const started = await host.run(["systemctl", "restart", service], {
    deadlineSeconds: healthSeconds + graceSeconds + 30,
  });
  const failed = [enabled, started].find(({ code }) => code !== 0);
  if (failed !== undefined) {
    const [said = ""] = failed.stderr.trim().split("\n");
    return { isWell: false, found: `systemctl ended with ${failed.code}: ${said}` };
  }
  return well(parsed, host, call, healthSeconds);
}

function well(
  { name, health }: UnitInputs,
  host: Host,
  { signal }: Call,
  seconds: number,
): Promise<Finding> {
  return waitUntilWell(host, name, health ?? undefined, seconds, signal);
}

/** Puts the last healthy one back in its place. Returns what to say of it all. */
async function goBack(
  parsed: UnitInputs,
  host: Host,
  call: Call,
  live: Installed | undefined,
  found: string,
): Promise<Error> {
  const { name, files, health, healthSeconds, release } = parsed;
  const own = Object.keys(files);
  const failure = (headline: string, more: readonly string[] = []): string =>
    [
      `${name}.service of ${release} did not become healthy on ${host.name}. ${headline}`,
      `found:    ${found}`,
      `required: ${health === undefined || health === null ? "an active service" : `status 200 from ${health.url} at ${health.address}`} within ${healthSeconds} s`,
      ...more,
      `to do:    journalctl -u ${name} -n 50 on the host says why; mend the release`,
    ].join("\n");
  if (live === undefined) {
    await stop(parsed, host);
    await remove(host, own);
    await must(host, ["systemctl", "daemon-reload"]);
    await removeMarker(host, name);
    return new RefusedError(failure("There was none before it: nothing runs now."));
  }
  const before = live.release ?? "the one before";
  try {
    for (const path of live.files) await copy(host, `${path}.previous`, path);
    await remove(
      host,
      own.filter((path) => !live.files.includes(path)),
    );
    const back = await start(parsed, host, call);
    if (back.isWell) {
      await writeMarker(host, name, { live });
      return new RefusedError(failure(`${before} is back in its place and healthy.`));
    }
    return new Error(
      failure(`${before} was put back and is not healthy either.`, [`then:     ${back.found}`]),
    );
  } catch (error) {
    // A run that was stopped says nothing about the service.
    call.signal.throwIfAborted();
    return new Error(
      failure(`${before} could not be put back.`, [`then:     ${messageOf(error)}`]),
      { cause: error },
    );
  }
}

async function stop({ name, graceSeconds }: UnitInputs, host: Host): Promise<void> {
  await must(host, ["systemctl", "disable", "--now", `${name}.service`], {
    deadlineSeconds: graceSeconds + 30,
  });
}

async function takeAway(parsed: UnitInputs, host: Host, call: Call): Promise<void> {
  const { name, stack, files } = parsed;
  const marker = await readMarker(host, name);
  const other = [marker.live, marker.starting].find(
    (one) => one !== undefined && one.stack !== stack,
  );
  if (other !== undefined) {
    call.log("warning", `${name}.service on ${host.name} belongs to ${other.stack} now and stays`);
    return;
  }
  // Disabling a unit without a file is an error, and means that an earlier run came further than this.
  if (await isThere(host, unitPath(name))) await stop(parsed, host);
  const all = [
    ...new Set([
      ...Object.keys(files),
      ...(marker.live?.files ?? []),
      ...(marker.starting?.files ?? []),
    ]),
  ];
  await remove(
    host,
    all.flatMap((path) => [path, `${path}.previous`]),
  );
  await must(host, ["systemctl", "daemon-reload"]);
  await removeMarker(host, name);
}
