import * as pulumi from "@pulumi/pulumi";
import type { Zone } from "./zones.ts";

/**
 * Options that take over a record which exists already. Its comment is left as it is, because it is its owner's and
 * answers nobody.
 *
 * The engine takes over whatever it finds, and changes it to what is declared in the same run: so an adopted record
 * needs a look at what was found, such as {@link changesOnlyFrom} or {@link changesOnlyTtl}.
 *
 * @param id Cloudflare's id of the record; undefined for one that the stack makes
 */
export function adoption(zone: Zone, id: string | undefined): pulumi.CustomResourceOptions {
  return id === undefined ? {} : { import: `${zone.id}/${id}`, ignoreChanges: ["comment"] };
}

/**
 * The hooks of a step, and a look at each update before it is made. A preview looks as well: it knows all that is looked
 * at, and it comes before anything is taken over.
 *
 * @param name unlike that of any other hook
 */
export function lookAtUpdates(
  hooks: pulumi.ResourceHookBinding | undefined,
  name: string,
  look: pulumi.ResourceHookFunction,
): pulumi.ResourceHookBinding {
  const hook = new pulumi.ResourceHook(name, look, { onDryRun: true });
  return { ...hooks, beforeUpdate: [...(hooks?.beforeUpdate ?? []), hook] };
}

/**
 * Refuses to point a record elsewhere that does not answer with what this stack knows: another system's record must not
 * be moved by a wrong id or a wrong address.
 *
 * @param known the addresses that it may be changed from
 */
export function changesOnlyFrom(
  host: string,
  known: readonly string[],
): pulumi.ResourceHookFunction {
  return (args) => {
    const { name, type, content } = found(args);
    if (name === host && type === "A" && known.some((address) => address === content)) return;
    throw new Error(
      [
        `The record of ${host} is not changed: that would move somebody else's clients.`,
        `Found: ${shown(type)} record of ${shown(name)} that answers ${shown(content)}.`,
        `Required: an A record of ${host} that answers ${known.join(" or ")}.`,
        `To do: correct adopt in cutover:dns.names["${host}"], or the address that serves now`,
        ...afterwards(args),
      ].join("\n"),
    );
  };
}

/** Refuses to change anything of a kept record but its TTL: an adopted one must be what the stack config says. */
export function changesOnlyTtl(record: string): pulumi.ResourceHookFunction {
  return (args) => {
    const before = found(args);
    const wanted = args.newInputs ?? {};
    const changed = answering.filter(
      (key) => wanted[key] !== undefined && !says(before[key], wanted[key]),
    );
    if (changed.length === 0) return;
    throw new Error(
      [
        `The record ${record} is not changed: a kept record stays as it is.`,
        `Found: ${changed.map((key) => `${key} ${shown(before[key])}`).join(", ")}.`,
        `Required: ${changed.map((key) => `${key} ${shown(wanted[key])}`).join(", ")}.`,
        "To do: write into cutover:dns.kept what the zone says, or correct its adopt",
        ...afterwards(args),
      ].join("\n"),
    );
  };
}

/** What makes up a record's answer, besides its TTL. */
const answering = ["name", "type", "content", "data", "priority", "proxied"] as const;

/** What the zone holds: of a record that is being taken over, what the import found. */
function found({ oldInputs, oldOutputs }: pulumi.ResourceHookArgs): Record<string, unknown> {
  return { ...oldInputs, ...oldOutputs };
}

/** Whether a value says all that is wanted; providers add parts that nobody gave, and turn numbers into texts. */
function says(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return shown(value) === shown(wanted);
  const parts = (value ?? {}) as Record<string, unknown>;
  return Object.entries(wanted).every(([key, part]) => says(parts[key], part));
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A run without a preview has taken the record over by now, and the engine keeps what it has. */
function afterwards({ urn }: pulumi.ResourceHookArgs): readonly string[] {
  if (pulumi.runtime.isDryRun()) return [];
  return [`       and let go of the wrong one: pulumi state delete --force '${urn}'`];
}
