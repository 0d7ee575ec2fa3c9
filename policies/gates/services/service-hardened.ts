import { isRecord } from "../../contract/path.ts";
import { defineGate, fail, type Reason } from "../../gate.ts";
import { isText, listOf, shown } from "../../values.ts";

/** What an image may need to give up root as it starts, and to listen below port 1024. Nothing else is given back. */
const harmless: readonly unknown[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "NET_BIND_SERVICE",
  "SETGID",
  "SETUID",
];

/**
 * A container has no rights on its host that it was not given one by one, cannot get more, and cannot fill the disk with
 * its log. Whether it may write to its own files is the system's choice.
 */
export const serviceHardened = defineGate({
  id: "service-hardened",
  about: "resource",
  noun: "services",
  requires: "Every container runs without rights on its host, and its log is limited.",
  because: "Who breaks into one service would have the host, and a chatty one would fill its disk.",
  severity: "high",
  required: "not privileged, drops ALL, no-new-privileges and a max-size of its log",
  remedy: "set it where the container is declared, in infra/services",
  judge: ({ props }) => [
    ...judgePrivileged(props["privileged"]),
    ...judgeCapabilities(props["capabilities"]),
    ...judgeSecurityOpts(props["securityOpts"]),
    ...judgeLogOpts(props["logOpts"]),
  ],
});

function judgePrivileged(privileged: unknown): readonly Reason[] {
  const isNot = privileged === undefined || privileged === null || privileged === false;
  return isNot ? [] : [fail(`privileged is ${shown(privileged)}`)];
}

function judgeCapabilities(capabilities: unknown): readonly Reason[] {
  if (!isRecord(capabilities)) return [fail(`capabilities is ${shown(capabilities)}`)];
  const drops = listOf(capabilities["drops"]).map(nameOf);
  const added = listOf(capabilities["adds"]).map(nameOf);
  return [
    ...(drops.includes("ALL") ? [] : [fail("capabilities.drops does not hold ALL")]),
    ...added
      .filter((name) => !harmless.includes(name))
      .map((name) => fail(`capabilities.adds holds ${/^[A-Z_]+$/.test(name) ? name : "no name"}`)),
  ];
}

/** The name of a capability as Docker's daemon knows it, whichever way it was written. */
function nameOf(capability: unknown): string {
  return isText(capability) ? capability.toUpperCase().replace(/^CAP_/, "") : "";
}

function judgeSecurityOpts(options: unknown): readonly Reason[] {
  const accepted: readonly unknown[] = [
    "no-new-privileges",
    "no-new-privileges:true",
    "no-new-privileges=true",
  ];
  const all = listOf(options);
  return [
    ...(all.some((option) => accepted.includes(option))
      ? []
      : [fail("securityOpts does not hold no-new-privileges")]),
    ...all
      .filter((option) => isText(option) && /[:=]unconfined$/.test(option))
      .map(() => fail("securityOpts takes a confinement away")),
  ];
}

function judgeLogOpts(options: unknown): readonly Reason[] {
  const size = isRecord(options) ? options["max-size"] : undefined;
  if (isText(size) && /^[1-9]\d*[kmg]?$/i.test(size)) return [];
  return [fail(`logOpts.max-size is ${shown(size, ["0"])}`)];
}
