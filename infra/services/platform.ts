import type * as pulumi from "@pulumi/pulumi";
import { Network } from "@pulumi/docker/network.js";
import type { StepOptions } from "../component.ts";
import type { Config } from "../config.ts";
import type { Run } from "../release/run.ts";
import { containerName } from "../release/run-facts.ts";
import { hostOf, hostsOf } from "./hosts.ts";
import { Service } from "./service.ts";
import { startOrder } from "./start-order.ts";

/** The system's own network on every host of its containers. */
export function networks(config: Config, step: StepOptions): pulumi.Resource[] {
  return hostsOf(containerAddresses(config), config).map(
    ({ provider, address }) =>
      new Network(
        provider === undefined ? "network" : `network-${address}`,
        { name: config.system, driver: "bridge" },
        { ...step, ...(provider === undefined ? {} : { provider }) },
      ),
  );
}

/** What the services of every release stand on: services whose image the stack config names. */
export function platform(run: Run, step: StepOptions): pulumi.Resource[] {
  const { config } = run;
  let behind = step;
  return (startOrder(config.services).order ?? []).flatMap((name) => {
    const settings = config.services[name];
    if (settings?.image === undefined || settings.address === undefined) return [];
    const { image, address, env, secrets } = settings;
    const told = Object.entries(secrets).map(([key, secret]) => [key, run.secrets[secret] ?? ""]);
    const service = new Service(
      name,
      {
        container: containerName(config.system, undefined, name),
        image,
        address,
        settings,
        system: config.system,
        env: { ...env, ...(Object.fromEntries(told) as Record<string, pulumi.Input<string>>) },
        healthSeconds: config.deadlines.healthSeconds,
        protect: true,
        host: hostOf(address, config),
      },
      behind,
    );
    behind = { ...step, dependsOn: [...step.dependsOn, service] };
    return [service];
  });
}

function containerAddresses({ services, slots, legacy, database }: Config): string[] {
  const inPlace = Object.values(services).flatMap(({ address, systemd }) =>
    address === undefined || systemd !== undefined ? [] : [address],
  );
  const inSlots = slots === undefined ? [] : [slots.blue, slots.green];
  return [
    ...inSlots,
    ...inPlace,
    ...(legacy === undefined ? [] : [legacy.address]),
    ...(database.kind === "container" ? [database.address] : []),
  ];
}
