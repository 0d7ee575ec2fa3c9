import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { engineValues, knownStacks } from "../../cli/project.ts";
import { parseConfig, type Config } from "../../infra/config.ts";
import { readRelease } from "../../infra/release/release.ts";

const project = join(import.meta.dirname, "..", "..");
const examples = readdirSync(join(project, "examples"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `examples/${name}`);
const folders = ["", ...examples];
const stacks = folders.flatMap((folder) =>
  knownStacks(join(project, folder)).map((stack) => [join(folder, stack), folder, stack] as const),
);

test("the flagship, stageos and workspace-platform have a staging stack beside production", () => {
  expect(stacks.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      "production",
      "staging",
      "examples/stageos/production",
      "examples/stageos/staging",
      "examples/workspace-platform/production",
      "examples/workspace-platform/staging",
    ]),
  );
});

test.each(stacks)("the program takes the committed config of %s", (_, folder, stack) => {
  const config = configOf(folder, stack);
  expect(config.clockScale).toBe(1);
  expect(config.phase).toBe("prepare");
  expect(readRelease(join(project, config.folder), config.release)?.version).toBe(config.release);
});

const pairs = stacks
  .filter(([, , stack]) => stack === "staging")
  .map(([, folder]) => [folder === "" ? "the top" : folder, folder] as const);

test.each(pairs)("staging and production of %s share no name and no address", (_, folder) => {
  const production = ownedBy(configOf(folder, "production"));
  const staging = ownedBy(configOf(folder, "staging"));
  expect(staging.filter((name) => production.includes(name))).toEqual([]);
  expect(staging).toHaveLength(production.length);
});

function configOf(folder: string, stack: string): Config {
  return parseConfig(...engineValues(join(project, folder), { stack }));
}

/** What belongs to a stack and to no other: names in the cloud and in DNS, and addresses. */
function ownedBy(config: Config): string[] {
  const { database, backups, buckets, secrets, alarms, dns, slots, hosts, services, legacy } =
    config;
  return [
    database.kind === "rds" ? database.identifier : database.address,
    ...(backups === undefined ? [] : [backups.vault]),
    ...Object.values(buckets).map(({ name }) => name),
    ...Object.values(secrets).map(({ name }) => name),
    ...(alarms === undefined ? [] : [alarms.topic]),
    ...Object.keys(dns.names),
    ...Object.values(slots ?? {}),
    ...Object.keys(hosts),
    ...Object.values(services).flatMap(({ address }) => address ?? []),
    ...(legacy === undefined ? [] : [legacy.address]),
  ];
}
