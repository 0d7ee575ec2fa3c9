import * as pulumi from "@pulumi/pulumi";
import type { StepOptions } from "../../component.ts";
import { environmentOf } from "../../databases/database.ts";
import { LegacyD1 } from "../../legacy/d1.ts";
import { hostOf } from "../../services/hosts.ts";
import { Service } from "../../services/service.ts";
import { phaseTable } from "../phases.ts";
import { ContainerState } from "../resources.ts";
import { containerName } from "../run-facts.ts";
import type { Declare, Run } from "../run.ts";

/** Keeps the legacy system declared until `decommission`. */
export const legacy: Declare = (run, step) => {
  const { config, plan } = run;
  if (!plan.legacy || config.legacy === undefined || run.database === undefined) return [];
  const { address, image, port } = config.legacy;
  const first = Object.values(config.dns.names)[0]?.service ?? "";
  const place = "legacy";
  return [
    ...legacyD1(run, step),
    new Service(
      place,
      {
        container: containerName(config.system, place),
        image,
        address,
        settings: { port: port ?? config.services[first]?.port ?? 80, writable: true },
        system: config.system,
        env: { SLOT: place, ...environmentOf(run.database.connection) },
        healthSeconds: config.deadlines.healthSeconds,
        protect: phaseTable[plan.phase].protectsLegacy,
        mustRun: config.legacy.afterCutover !== "stopped",
        host: hostOf(address, config),
      },
      step,
    ),
  ];
};

/** The legacy system's own database, exported once more before it may go. */
function legacyD1(run: Run, step: StepOptions): pulumi.Resource[] {
  const { config, plan, stack } = run;
  const settings = config.legacy?.d1;
  if (settings === undefined) return [];
  const bucket = config.buckets[settings.exportTo];
  const exports = phaseTable[plan.phase].exportsLegacy && bucket !== undefined;
  const database = new LegacyD1(
    "legacy-d1",
    {
      settings,
      protect: phaseTable[plan.phase].protectsLegacy,
      lastExport: exports ? { stack, release: plan.release.version, bucket } : undefined,
    },
    step,
  );
  const { lastExport } = database;
  if (lastExport !== undefined) {
    run.legacyExport = pulumi
      .all([lastExport.takenAt, lastExport.bytes, lastExport.sha256])
      .apply(([at, bytes, sha256]) => ({ at, bytes, sha256 }));
  }
  return [database];
}

/** Stops the legacy system while a release serves, and starts it again when none does; in the end what was kept goes. */
export const retire: Declare = (run, step) => {
  const { config, plan } = run;
  if (plan.phase === "decommission" && run.upgrade !== undefined) {
    const gone = run.database?.removeBlue?.("blue-removal", run.upgrade, step);
    if (gone !== undefined) return [gone];
  }
  if (!plan.legacy || config.legacy?.afterCutover !== "stopped") return [];
  // It stays stopped while the next release is prepared.
  const stops = plan.serving !== "legacy";
  return [
    new ContainerState(
      "legacy-state",
      {
        container: containerName(config.system, "legacy"),
        host: config.hosts[config.legacy.address],
        state: stops ? "stopped" : "running",
        graceSeconds: 30,
      },
      step,
    ),
  ];
};
