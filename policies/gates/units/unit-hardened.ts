import { isRecord } from "../../contract/path.ts";
import { defineGate, fail, type Reason } from "../../gate.ts";
import { isText } from "../../values.ts";

/**
 * What containers owe, of a service that systemd runs: it is a release by digest, it is waited for until healthy, comes
 * back when it dies, cannot take the host's memory with it, and has no rights on its host. Its own text says so, because
 * that is what systemd reads; nothing else may add to it.
 */
export const unitHardened = defineGate({
  id: "unit-hardened",
  about: "resource",
  noun: "units",
  requires:
    "Every unit of systemd runs a release by digest, waited for, restarted, limited and confined.",
  because: "Traffic would move to what is not known, does not stay up, or owns its host.",
  severity: "critical",
  required: "the directives that cutover render systemd writes, and a health URL",
  remedy: "declare the service in cutover:services, which renders its unit",
  judge: ({ props }) => {
    const { name, files, health } = props;
    const path = `/etc/systemd/system/${isText(name) ? name : ""}.service`;
    const file = isRecord(files) ? files[path] : undefined;
    const text = isRecord(file) ? file["text"] : undefined;
    if (!isRecord(files) || !isText(text)) return [fail("files holds no unit of its name")];
    const said = directives(text);
    return [
      ...judgeAlone(text, path, Object.keys(files)),
      ...directiveTable
        .filter(([key, holds]) => !holds(said.get(`Service.${key}`) ?? []))
        .map(([key]) => fail(`${key}= is not as it must be`)),
      ...judgeHealth(health, said),
    ];
  },
});

type Holds = (values: readonly string[]) => boolean;

const last =
  (...accepted: readonly string[]): Holds =>
  (values) =>
    accepted.includes(values.at(-1) ?? "");

const lastLike =
  (form: RegExp): Holds =>
  (values) =>
    form.test(values.at(-1) ?? "");

/** What a unit must say in its section Service. */
const directiveTable: readonly (readonly [key: string, holds: Holds])[] = [
  ["User", lastLike(/^(?!root$)[a-z_][a-z0-9_-]*$/)],
  ["NoNewPrivileges", last("yes")],
  [
    "CapabilityBoundingSet",
    (values) =>
      values.length > 0 && values.every((one) => one === "" || one === "CAP_NET_BIND_SERVICE"),
  ],
  ["ProtectSystem", last("strict")],
  ["Restart", last("on-failure", "always")],
  ["MemoryMax", lastLike(/^[1-9]\d*[KMGT]?$/)],
  [
    "Environment",
    (values) => {
      const images = values.filter((one) => one.includes("RELEASE_IMAGE="));
      const isPinned = (one: string): boolean =>
        /^"RELEASE_IMAGE=[^" ]+@sha256:[0-9a-f]{64}"$/.test(one);
      return images.length === 1 && images.every(isPinned);
    },
  ],
];

/** A line that goes on in the next one would hide it, and a drop-in would say otherwise. */
function judgeAlone(text: string, path: string, paths: readonly string[]): readonly Reason[] {
  return [
    ...(/\\\s*$/m.test(text) ? [fail("a line of the unit goes on in the next one")] : []),
    ...(paths.some((one) => one.startsWith(`${path}.d/`))
      ? [fail("files holds a drop-in of the unit")]
      : []),
  ];
}

/** One that may bind no port answers nowhere. */
function judgeHealth(
  health: unknown,
  said: ReadonlyMap<string, readonly string[]>,
): readonly Reason[] {
  if (isRecord(health) && isText(health["url"])) return [];
  const bindsNone =
    said.get("Service.SocketBindAllow") === undefined &&
    said.get("Service.SocketBindDeny")?.at(-1) === "any";
  const isLeftOut = health === undefined || health === null;
  return isLeftOut && bindsNone ? [] : [fail("health names no URL")];
}

/** The values of each directive, in their order, by section and name. */
function directives(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let section = "";
  for (const line of text.split("\n")) {
    const header = /^\[(\w+)\]$/.exec(line);
    if (header !== null) section = header[1] ?? "";
    const at = line.indexOf("=");
    if (header !== null || at < 1 || /^[#;]/.test(line)) continue;
    const key = `${section}.${line.slice(0, at)}`;
    found.set(key, [...(found.get(key) ?? []), line.slice(at + 1)]);
  }
  return found;
}
