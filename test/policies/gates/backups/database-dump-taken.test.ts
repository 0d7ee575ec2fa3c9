import { databaseDumpTaken } from "../../../../policies/gates/backups/database-dump-taken.ts";
import { set, testGate, unknown, type Change } from "../../../support/gate-tester.ts";

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

const none = `database container ${name}: no declared DatabaseDump names it`;

testGate(databaseDumpTaken, {
  needs: [],
  mayRead: ["container.name", "facts.covers", "facts.release"],
  passes: {
    "no database in a container": [],
    "a dump of this release": [...inContainer, dump({})],
    "a dump of an earlier release beside it": [
      ...inContainer,
      dump({ release: "v1.0.0" }, "earlier"),
      dump({}),
    ],
  },
  fails: {
    "no dump": [inContainer, "inconclusive", none],
    "a dump of another container": [
      [...inContainer, dump({ container: "other" })],
      "inconclusive",
      none,
    ],
    "a dump of who knows what": [
      [...inContainer, dump({ container: unknown })],
      "inconclusive",
      `${none}; 1 declared one has a name that is unknown until the update`,
    ],
    "a dump of an earlier release": [
      [...inContainer, dump({ release: "v1.0.0" })],
      "fail",
      `database container ${name}: its dump is of a text, not of this release`,
    ],
    "a dump without a release": [
      [...inContainer, dump({ release: undefined })],
      "inconclusive",
      `database container ${name}: its dump does not say which release it was taken for`,
    ],
    "a release that is not known yet": [
      [...inContainer, dump({ release: unknown })],
      "inconclusive",
      `database container ${name}: release is unknown until the update`,
    ],
    "a container that is not declared": [
      [...inContainer, set("facts.covers.containerDatabases", [name, "left-out"]), dump({})],
      "inconclusive",
      "database container left-out: no declared database container carries this name",
    ],
  },
});
