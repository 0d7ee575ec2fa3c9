import { z } from "zod";
import type { ResourceType } from "../../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../../kind.ts";
import { arnOf, tags } from "../account.ts";
import {
  forceTlsParameter,
  forcesTlsBy,
  identifier,
  type Parameter,
  type Service,
} from "./service.ts";

const parameterGroupInputs = z.strictObject({
  name: identifier,
  family: z.string().regex(/^postgres\d+$/, { error: "the rehearsal only has postgres" }),
  description: z.string().optional(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        value: z.string(),
        applyMethod: z.enum(["immediate", "pending-reboot"]).default("immediate"),
      }),
    )
    .optional(),
  tags,
});

/** Parameter groups. Of what they set only rds.force_ssl reaches the servers; the rest is kept. */
export function parameterGroupType(rds: Service): ResourceType {
  return standIn({
    inputs: parameterGroupInputs,
    replaceOn: (name) => ["name", "family", "description"].includes(name),
    physicalName: "name",
    create({ name, family, parameters = [] }) {
      judge(parameters, "RDS: ModifyDBParameterGroup");
      if (rds.groups.get(name) !== undefined) {
        throw new ApiError(
          "RDS: CreateDBParameterGroup",
          "DBParameterGroupAlreadyExists",
          `Parameter group ${name} already exists`,
        );
      }
      const record = { arn: arnOf(rds.account, "rds", `pg:${name}`), family, parameters };
      rds.groups.set(name, record);
      return Promise.resolve({ id: name, outputs: { arn: record.arn } });
    },
    async update(olds, { name, parameters = [] }) {
      judge(parameters, "RDS: ModifyDBParameterGroup");
      const group = rds.groups.get(name);
      if (group === undefined) {
        throw new ApiError(
          "RDS: ModifyDBParameterGroup",
          "DBParameterGroupNotFound",
          `DBParameterGroup not found: ${name}`,
        );
      }
      rds.groups.set(name, { ...group, parameters });
      await applyTo(rds, name, parameters);
      return computedOf(olds, ["arn"]);
    },
    exists: ({ id }) => rds.groups.get(id) !== undefined,
    delete(olds) {
      const name = textOf(olds, "name");
      if (rds.instances.items().some(({ parameterGroupName }) => parameterGroupName === name)) {
        throw new ApiError(
          "RDS: DeleteDBParameterGroup",
          "InvalidDBParameterGroupState",
          `One or more database instances are still members of this parameter group ${name}, so the group cannot be deleted`,
        );
      }
      rds.groups.delete(name);
      return Promise.resolve();
    },
  });
}

function judge(parameters: readonly Parameter[], operation: string): void {
  for (const { name, value } of parameters) {
    if (name !== forceTlsParameter || ["0", "1"].includes(value)) continue;
    throw new ApiError(
      operation,
      "InvalidParameterValue",
      `Invalid parameter value: ${value} for: ${name} allowed values are: 0,1`,
    );
  }
}

/** What waits for a reboot is in force when a server starts anew. */
async function applyTo(
  rds: Service,
  group: string,
  parameters: readonly Parameter[],
): Promise<void> {
  const parameter = parameters.find(({ name }) => name === forceTlsParameter);
  if (parameter?.applyMethod === "pending-reboot") return;
  const members = rds.instances.items().filter((each) => each.parameterGroupName === group);
  await Promise.all(
    members.map(async ({ identifier: member }) => {
      await rds.servers.get(member)?.forceTls(forcesTlsBy(parameters) === true);
    }),
  );
}
