import { slots, type Slot } from "../../release/ledger.ts";
import { serviceAddress } from "../../release/plan.ts";
import { slotName } from "../../release/run-facts.ts";
import type { RenderSource } from "./compose.ts";
import { envTemplate } from "./compose-file.ts";
import type { RenderedFile } from "./rendered-file.ts";
import { renderUnit, unitName, type Unit, type UnitArgs } from "./systemd.ts";
import { toldTo, type Told } from "./told.ts";

/** A unit, and what it is told. */
export interface ServiceUnit extends Unit {
  readonly told: Told;
  /** The host's address, where it answers. */
  readonly address: string;
}

/**
 * The units of one service of a release; undefined for a service that systemd does not run, that has no place, or that
 * the release does not have.
 */
export function serviceUnit(
  name: string,
  slot: Slot,
  { config, release }: RenderSource,
): ServiceUnit | undefined {
  const settings = config.services[name];
  const address = serviceAddress(name, slot, config);
  const image = release.images[name];
  if (settings?.systemd === undefined || address === undefined || image === undefined)
    return undefined;
  const told = toldTo(name, config, (other) => {
    const port = config.services[other]?.port ?? 0;
    return `${serviceAddress(other, slot, config) ?? config.services[other]?.address ?? ""}:${port}`;
  });
  const unit = renderUnit({
    ...placed(name, slot, config),
    settings: { ...settings, systemd: settings.systemd },
    release: { version: release.version, image },
    environment: {
      ...told.open,
      ...(Object.hasOwn(told.open, "SLOT") ? { SLOT: slotName(name, slot, config) } : {}),
    },
    hasSecrets: Object.keys(told.secret).length > 0,
    healthSeconds: config.deadlines.healthSeconds,
    address,
    after: settings.dependsOn.flatMap((other) => {
      const others = config.services[other];
      if (others?.systemd === undefined || serviceAddress(other, slot, config) !== address)
        return [];
      return [
        `${unitName({ ...placed(other, slot, config), settings: { ...others, systemd: others.systemd } })}.service`,
      ];
    }),
  });
  return { ...unit, told, address };
}

/** The units of all services that systemd runs, in every slot, each with a template of its secrets. */
export function renderSystemd(source: RenderSource): RenderedFile[] {
  const { config, release } = source;
  return Object.entries(config.services).flatMap(([name, { placement }]) =>
    slots
      .slice(0, placement === "in-place" ? 1 : slots.length)
      .flatMap((slot) => serviceUnit(name, slot, source) ?? [])
      .flatMap(({ files, told, environmentFile }) => [
        ...files,
        ...(Object.keys(told.secret).length === 0
          ? []
          : [
              envTemplate(
                `${environmentFile}.example`,
                [
                  `The secrets of ${name}, release ${release.version}.`,
                  `Copy it to ${environmentFile}, owned by root with mode 0600, and fill it in.`,
                ],
                Object.entries(told.secret).map(([variable, from]) => ({
                  name: variable,
                  source: from,
                })),
              ),
            ]),
      ]),
  );
}

function placed(
  name: string,
  slot: Slot,
  { system, services }: RenderSource["config"],
): Pick<UnitArgs, "system" | "service" | "slot"> {
  const isAlone = services[name]?.placement === "in-place";
  return { system, service: name, slot: isAlone ? undefined : slot };
}
