import { isRecord } from "../../contract/path.ts";
import { defineGate, fail, type Reason } from "../../gate.ts";
import { findParts } from "../../parts.ts";
import type { Sighting } from "../../run.ts";
import { isText, listOf, shown } from "../../values.ts";

const nameIn = "parameterGroupName";
const group = {
  kind: "ParameterGroup",
  type: "aws:rds/parameterGroup:ParameterGroup",
  ownerIn: "name",
};

/** Without a group of others, the stack makes one of its own. */
const ownGroup = "pulumi config rm --path cutover:database.parameterGroup";

/**
 * The server refuses connections without TLS. It must be spelled out in a parameter group that the stack declares: what
 * RDS's own groups say depends on the version of PostgreSQL. What a group says that others made, nobody sees here: that
 * is for a waiver, by somebody who has looked.
 */
export const databaseTlsForced = defineGate({
  id: "database-tls-forced",
  about: "relation",
  nouns: ["databases"],
  requires: "Every database refuses connections without TLS.",
  because: "One client that is set up wrongly would send the password and the data in clear.",
  severity: "high",
  required: "a declared ParameterGroup with rds.force_ssl set to 1",
  remedy: "pulumi config set --path cutover:database.tlsForced true",
  judge: (database, seen) => {
    const name = database.props[nameIn];
    if (!isText(name)) return [fail(`${nameIn} is ${shown(name)}`)];
    const { parts, missing } = findParts(group, database, nameIn, seen);
    return [...missing.map((reason) => ({ ...reason, remedy: ownGroup })), ...parts.flatMap(judge)];
  },
});

function judge({ props }: Sighting): readonly Reason[] {
  const forced = listOf(props["parameters"])
    .filter(isRecord)
    .filter((parameter) => parameter["name"] === "rds.force_ssl");
  if (forced.length === 0) return [fail("its parameter group does not set rds.force_ssl")];
  return forced
    .filter(({ value }) => value !== "1")
    .map(({ value }) => fail(`rds.force_ssl is ${shown(value, ["0"])}`));
}
