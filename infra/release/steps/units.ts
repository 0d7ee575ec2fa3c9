import * as pulumi from "@pulumi/pulumi";
import type { StepOptions } from "../../component.ts";
import { serviceUnit } from "../../services/render/systemd-files.ts";
import { environmentText } from "../../services/render/systemd-text.ts";
import type { Slot } from "../ledger.ts";
import { SystemdUnit } from "../resources.ts";
import type { Run } from "../run.ts";

/**
 * Starts a service that systemd runs; nothing for a service that has no place, or that the release does not have.
 *
 * @param told its whole environment. What its unit does not say itself lies in a file that only root may read.
 */
export function unit(
  run: Run,
  step: StepOptions,
  name: string,
  slot: Slot,
  told: Readonly<Record<string, pulumi.Input<string>>>,
): pulumi.Resource[] {
  const { config, plan, stack } = run;
  const release = plan.slots[slot];
  const settings = config.services[name];
  if (release === null || settings === undefined) return [];
  const { version, flags, safeMode } = release;
  const rendered = serviceUnit(name, slot, { config: { ...config, flags, safeMode }, release });
  const host = rendered === undefined ? undefined : config.hosts[rendered.address];
  if (rendered === undefined || host === undefined) return [];
  const { files, required, environmentFile, address } = rendered;
  const open = files.map(({ path, text, mode }) => [path, { text, mode }] as const);
  const kept = Object.entries(told).filter(([key]) => !Object.hasOwn(rendered.told.open, key));
  const text = pulumi.secret(
    pulumi.all(Object.fromEntries(kept)).apply((values) => environmentText(values)),
  );
  const hasSecrets = Object.keys(rendered.told.secret).length > 0;
  const health = { url: `http://${address}:${settings.port}${settings.health}`, address };
  const args = {
    stack,
    release: version,
    name: rendered.name,
    host,
    files: {
      ...Object.fromEntries(open),
      ...(hasSecrets ? { [environmentFile]: { text, mode: "0600" as const } } : {}),
    },
    required,
    health: settings.systemd?.listens === true ? health : undefined,
    healthSeconds: config.deadlines.healthSeconds,
    graceSeconds: settings.drainSeconds,
  };
  return [new SystemdUnit(name, args, step)];
}
