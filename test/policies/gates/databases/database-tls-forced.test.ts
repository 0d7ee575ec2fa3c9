import { expect, test } from "vitest";
import { databaseTlsForced } from "../../../../policies/gates/databases/database-tls-forced.ts";
import {
  another,
  judgeWorld,
  set,
  testGate,
  unset,
  without,
} from "../../../support/gate-tester.ts";

const parameters = "parameterGroup.parameters";

testGate(databaseTlsForced, {
  needs: ["facts.covers.databases", parameters, `${parameters}.0.name`, `${parameters}.0.value`],
  names: ["database.identifier", "database.parameterGroupName", "parameterGroup.name"],
  passes: {
    "other parameters beside it": [
      set(`${parameters}.1`, { name: "log_min_duration_statement", value: "500" }),
    ],
    "a parameter group that nobody uses": [
      another("parameterGroup", { name: "old", parameters: [] }),
    ],
  },
  fails: {
    "not forced": [
      [set(`${parameters}.0.value`, "0")],
      "fail",
      "database orders: rds.force_ssl is 0",
    ],
    "a value of another type": [
      [set(`${parameters}.0.value`, true)],
      "fail",
      "database orders: rds.force_ssl is true",
    ],
    "no value": [
      [unset(`${parameters}.0.value`)],
      "fail",
      "database orders: rds.force_ssl is not set",
    ],
    "forced and then not": [
      [set(`${parameters}.1`, { name: "rds.force_ssl", value: "0" })],
      "fail",
      "database orders: rds.force_ssl is 0",
    ],
    "other parameters only": [
      [set(`${parameters}.0.name`, "ssl")],
      "fail",
      "database orders: its parameter group does not set rds.force_ssl",
    ],
    "RDS's own parameter group": [
      [unset("database.parameterGroupName")],
      "fail",
      "database orders: parameterGroupName is not set",
    ],
    "a parameter group that is not declared": [
      [without("parameterGroup")],
      "inconclusive",
      "database orders: no declared ParameterGroup names it",
    ],
    "a second database without one": [
      [another("database", { identifier: "second", parameterGroupName: "default.postgres18" })],
      "inconclusive",
      "database second: no declared ParameterGroup names it",
    ],
  },
});

test("what a group of others says is not known, so the stack is to make its own", () => {
  const found = judgeWorld(databaseTlsForced, [set("database.parameterGroupName", "tuned")]);
  expect(found.map(({ remedy }) => remedy)).toEqual([
    "pulumi config rm --path cutover:database.parameterGroup",
  ]);
});
