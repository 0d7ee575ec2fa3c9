import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../../config.ts";
import { environmentOf } from "../../databases/database.ts";
import { identityEnvironment } from "../../identity/redirect-uris.ts";
import { hostOf } from "../../services/hosts.ts";
import { neighbourVariable } from "../../services/neighbour.ts";
import { InPlace, Service, type ServiceArgs } from "../../services/service.ts";
import { slots, type PlacedRelease, type Slot } from "../ledger.ts";
import { serviceAddress } from "../plan.ts";
import { Job } from "../resources.ts";
import { containerName, slotName } from "../run-facts.ts";
import type { Declare, Run } from "../run.ts";
import { unit } from "./units.ts";

/** Starts one service: in every slot that holds a release, or in its place. */
export function service(run: Run, step: Parameters<Declare>[1], name: string): pulumi.Resource[] {
  const { config, plan } = run;
  const inPlace = config.services[name]?.placement === "in-place";
  const filled = slots.filter((slot) => plan.slots[slot] !== null);
  const wanted = inPlace ? filled.filter((slot) => slot === plan.serving) : filled;
  return wanted.flatMap((slot) => {
    const placed = plan.slots[slot];
    if (config.services[name]?.systemd !== undefined && placed !== null) {
      return unit(run, step, name, slot, environment(name, slot, placed, run));
    }
    const args = serviceArgs(name, slot, run);
    if (args === undefined) return [];
    if (!inPlace) return [new Service(`${slot}-${name}`, args, step)];
    const release = plan.slots[slot]?.version ?? "";
    return [new InPlace(name, { ...args, stack: run.stack, release }, step)];
  });
}

/** Runs the jobs of a step, each once for the release, one after another. */
export function jobs(at: "data-jobs" | "check-jobs"): Declare {
  return (run, step) => {
    const { config, plan } = run;
    const { migratedFor } = plan;
    const release = slots
      .map((slot) => plan.slots[slot])
      .find((one) => one?.version === migratedFor);
    if (release === undefined || release === null) return [];
    const slot = slots.find((one) => plan.slots[one] === release) as Slot;
    let behind = step;
    return Object.entries(config.jobs)
      .filter(([, job]) => job.step === at)
      .map(([name, { image, command, deadlineSeconds, memoryMib, env }]) => {
        const address = serviceAddress(image, slot, config);
        const job = new Job(
          name,
          {
            stack: run.stack,
            release: release.version,
            name: `${config.system}-${name}`,
            image: release.images[image] ?? "",
            command,
            envs: envsOf({ ...environment(image, slot, release, run), ...env }),
            memory: memoryMib,
            networks: [config.system],
            host: address === undefined ? undefined : config.hosts[address],
            deadlineSeconds,
          },
          behind,
        );
        behind = { ...step, dependsOn: [job] };
        return job;
      });
  };
}

function serviceArgs(name: string, slot: Slot, run: Run): ServiceArgs | undefined {
  const { config, plan } = run;
  const release = plan.slots[slot];
  const settings = config.services[name];
  const address = serviceAddress(name, slot, config);
  const image = release?.images[name];
  if (release === null || settings === undefined || address === undefined) return undefined;
  // A release from before this service has none of it.
  if (image === undefined) return undefined;
  return {
    container: containerName(config.system, slotOf(name, slot, config), name),
    image,
    address,
    settings,
    system: config.system,
    env: environment(name, slot, release, run),
    healthSeconds: config.deadlines.healthSeconds,
    protect: false,
    host: hostOf(address, config),
  };
}

function slotOf(name: string, slot: Slot, config: Config): Slot | undefined {
  return config.services[name]?.placement === "in-place" ? undefined : slot;
}

/** What a service is told. Values of secrets stay where they are: it is told where. */
function environment(
  name: string,
  slot: Slot,
  release: PlacedRelease,
  run: Run,
): Record<string, pulumi.Input<string>> {
  const { config, database } = run;
  const { dependsOn = [], env = {}, secrets = {} } = config.services[name] ?? {};
  const others = dependsOn.map((other) => {
    const { port = 0 } = config.services[other] ?? {};
    const address = serviceAddress(other, slot, config) ?? "";
    return neighbourVariable(other, config.services[other], `${address}:${port}`);
  });
  return {
    SLOT: slotName(name, slot, config),
    ...(database === undefined ? {} : environmentOf(database.connection)),
    ...Object.fromEntries(others),
    // What a release was started with stays, or a later phase would start the service that serves anew.
    ...identityEnvironment(config.identity, "cutover"),
    ...(Object.keys(release.flags).length === 0 ? {} : { FLAGS: JSON.stringify(release.flags) }),
    ...(release.safeMode ? { SAFE_MODE: "1" } : {}),
    ...env,
    ...Object.fromEntries(
      Object.entries(secrets).map(([key, secret]) => [key, run.secrets[secret] ?? ""]),
    ),
  };
}

function envsOf(env: Readonly<Record<string, pulumi.Input<string>>>): pulumi.Input<string>[] {
  return Object.entries(env).map(([name, value]) => pulumi.interpolate`${name}=${value}`);
}
