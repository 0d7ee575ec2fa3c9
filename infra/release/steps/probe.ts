import type * as pulumi from "@pulumi/pulumi";
import type { Config } from "../../config.ts";
import { addressOf, releasedServices, serviceAddress, type Plan } from "../plan.ts";
import { Probe, type ProbeArgs } from "../resources.ts";
import type { Release } from "../release.ts";
import { stand, type Declare } from "../run.ts";
import { slotName } from "../run-facts.ts";
import type { Slot } from "../ledger.ts";

/** Asks every service of the release at its own address, whatever DNS says. */
export const probe: Declare = (run, step) => {
  const { config, plan } = run;
  const serving = servingRelease(plan);
  if (serving === undefined) return [];
  const probes = releasedServices(config)
    .filter((name) => serving.release.images[name] !== undefined)
    .flatMap((name) => {
      const address = serviceAddress(name, serving.slot, config);
      return address === undefined
        ? []
        : [
            {
              name: `probe-${name}`,
              probe: new Probe(
                `probe-${name}`,
                {
                  stack: run.stack,
                  release: serving.release.version,
                  url: urlOf(name, hostOf(name, config) ?? address, config),
                  address,
                  expect: expected(name, serving, config),
                  deadlineSeconds: config.deadlines.probeSeconds,
                },
                step,
              ),
            },
          ];
    });
  // Guards judge what is declared; only a probe of this run tells that the target answers.
  stand(
    run,
    ...probes.map(({ name, probe: asked }) => ({
      name,
      passed: asked.release,
      expected: serving.release.version,
    })),
  );
  return probes.map(({ probe: asked }) => asked);
};

/** Asks every name that moves through the resolvers. */
export const verify: Declare = (run, step): pulumi.Resource[] => {
  const { config, plan } = run;
  const serving = servingRelease(plan);
  if (serving === undefined) return [];
  return Object.entries(config.dns.names).map(([host, { service, proxied }]) => {
    const address = addressOf(plan.serving, host, config);
    return new Probe(
      `verify-${host}`,
      {
        stack: run.stack,
        release: serving.release.version,
        url: urlOf(service, host, config),
        resolvers: config.dns.resolvers,
        // Behind a proxy the resolvers answer with its edge.
        ...(proxied !== undefined || address === undefined ? {} : { expectAddress: address }),
        expect: expected(service, serving, config),
        // Resolvers may give the old answer for as long as it was allowed to live.
        deadlineSeconds: oldestAnswer(plan, config) + config.deadlines.probeSeconds,
      },
      step,
    );
  });
};

/** Seconds of the wall that an answer from before can live on. */
function oldestAnswer({ before }: Plan, { dns, clockScale }: Config): number {
  return Math.max(dns.ttl.lowered, before.ttl?.seconds ?? 0) / clockScale;
}

interface Serving {
  readonly release: Release;
  readonly slot: Slot;
}

function servingRelease({ serving, slots }: Plan): Serving | undefined {
  if (serving === "legacy") return undefined;
  const release = slots[serving];
  return release === null ? undefined : { release, slot: serving };
}

/** What a service of this release answers: its version without the v, and its slot. */
function expected(name: string, { release, slot }: Serving, config: Config): ProbeArgs["expect"] {
  const slotIs = slotName(name, slot, config);
  return { status: 200, version: release.version.slice(1), json: { slot: slotIs } };
}

function urlOf(service: string, host: string, { services }: Config): string {
  const { port = 80, health = "/healthz" } = services[service] ?? {};
  return `http://${host}:${port}${health}`;
}

/** The name that clients reach a service by; undefined for one that none asks. */
function hostOf(service: string, { dns }: Config): string | undefined {
  return Object.entries(dns.names).find(([, name]) => name.service === service)?.[0];
}
