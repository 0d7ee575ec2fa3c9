import { describe, expect, test } from "vitest";
import { databaseDumpTaken } from "../../../../policies/gates/backups/database-dump-taken.ts";
import { verdictOf } from "../../../../policies/gate.ts";
import {
  expectReadable,
  judgeWorld,
  set,
  unknown,
  type Change,
} from "../../../support/gate-tester.ts";

const name = "orders-database";
const containerType = "docker:index/container:Container";
const dumpType = "cutover:index:DatabaseDump";

/** The open world, with its database in a container. */
const inContainer: readonly Change[] = [
  set("facts.covers.containerDatabases", [name]),
  declare("server", containerType, { name }),
];

function declare(short: string, type: string, props: Readonly<Record<string, unknown>>): Change {
  return (world) => {
    world.resources[short] = { type, props: { ...props } };
  };
}

function dump(props: Readonly<Record<string, unknown>>, short = "dump"): Change {
  return declare(short, dumpType, { container: name, release: "v1.1.0", ...props });
}

describe("database-dump-taken", () => {
  test.each<[string, readonly Change[]]>([
    ["no database in a container", []],
    ["a dump of this release", [...inContainer, dump({})]],
    [
      "a dump of an earlier release beside it",
      [...inContainer, dump({ release: "v1.0.0" }, "earlier"), dump({})],
    ],
  ])("passes: %s", (_, changes) => {
    expect(judgeWorld(databaseDumpTaken, changes)).toEqual([]);
  });

  const none = `database container ${name}: no declared DatabaseDump names it`;
  test.each<[string, readonly Change[], string, string]>([
    ["no dump", [], "inconclusive", none],
    ["a dump of another container", [dump({ container: "other" })], "inconclusive", none],
    [
      "a dump of who knows what",
      [dump({ container: unknown })],
      "inconclusive",
      `${none}; 1 declared one has a name that is unknown until the update`,
    ],
    [
      "a dump of an earlier release",
      [dump({ release: "v1.0.0" })],
      "fail",
      `database container ${name}: its dump is of a text, not of this release`,
    ],
    [
      "a dump without a release",
      [dump({ release: undefined })],
      "inconclusive",
      `database container ${name}: its dump does not say which release it was taken for`,
    ],
    [
      "a release that is not known yet",
      [dump({ release: unknown })],
      "inconclusive",
      `database container ${name}: release is unknown until the update`,
    ],
    [
      "a container that is not declared",
      [set("facts.covers.containerDatabases", [name, "left-out"]), dump({})],
      "inconclusive",
      "database container left-out: no declared database container carries this name",
    ],
  ])("fails: %s", (_, changes, verdict, found) => {
    const findings = judgeWorld(databaseDumpTaken, [...inContainer, ...changes]);
    expect(findings.map((each) => `${each.subject}: ${each.found}`)).toEqual([found]);
    expect(verdictOf(findings)).toBe(verdict);
    findings.forEach(expectReadable);
  });
});
