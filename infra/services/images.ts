import type * as pulumi from "@pulumi/pulumi";
import { RemoteImage } from "@pulumi/docker/remoteImage.js";
import type { StepOptions } from "../component.ts";
import type { Config } from "../config.ts";
import { releasedServices } from "../release/plan.ts";
import type { Run } from "../release/run.ts";
import { hostsOf } from "./hosts.ts";

/**
 * The images of every release that a slot holds or is about to hold, on every host that may run them: a cutover waits for
 * no registry, nor does the way back. They stay on the host when the release goes.
 */
export function images(
  { config, plan }: Pick<Run, "config" | "plan">,
  step: StepOptions,
): pulumi.Resource[] {
  const releases = [plan.release, plan.slots.blue, plan.slots.green].filter((one) => one !== null);
  const byVersion = new Map(releases.map((release) => [release.version, release]));
  return [...byVersion.values()].flatMap(({ version, images: named }) =>
    releasedServices(config).flatMap((service) => {
      const name = named[service];
      if (name === undefined) return [];
      return hostsOf(addressesOf(service, config), config).map(
        ({ provider, address }) =>
          new RemoteImage(
            [version, service, "image", ...(provider === undefined ? [] : [address])].join("-"),
            { name, keepLocally: true },
            { ...step, ...(provider === undefined ? {} : { provider }) },
          ),
      );
    }),
  );
}

/** Where containers of a service can run; nowhere for one that systemd runs. */
function addressesOf(service: string, { services, slots }: Config): string[] {
  const { placement, address, systemd } = services[service] ?? {};
  if (systemd !== undefined) return [];
  if (placement === "in-place") return address === undefined ? [] : [address];
  return slots === undefined ? [] : [slots.blue, slots.green];
}
