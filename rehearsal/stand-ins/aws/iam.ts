import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import type { Collection } from "../store.ts";
import { globalArnOf, jsonText, newUuid, tags, whole, type Account } from "./account.ts";

/** A role, as other services look it up. */
export interface RoleRecord {
  readonly arn: string;
  readonly assumeRolePolicy: string;
  readonly policies: readonly string[];
}

/** Roles and the policies attached to them. Nothing is authorised; but only a role that exists can be named. */
export function iamTypes(account: Account): Record<string, ResourceType> {
  return {
    "aws:iam/role:Role": roleType(account),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": attachmentType(account),
  };
}

const roleInputs = z.strictObject({
  name: z.string().regex(/^[\w+=,.@-]{1,64}$/, {
    error: "must be 1 to 64 letters, digits or +=,.@-_",
  }),
  assumeRolePolicy: jsonText,
  description: z.string().optional(),
  path: z.string().optional(),
  maxSessionDuration: whole(3600, 43_200).optional(),
  tags,
});

function roleType({ store }: Account): ResourceType {
  const roles = store.collection<RoleRecord>("aws-iam-roles");
  return standIn({
    inputs: roleInputs,
    replaceOn: (name) => ["name", "path"].includes(name),
    physicalName: "name",
    create({ name, path = "/", assumeRolePolicy }) {
      if (roles.get(name) !== undefined) {
        throw new ApiError(
          "IAM: CreateRole",
          "EntityAlreadyExists",
          `Role with name ${name} already exists.`,
        );
      }
      const arn = globalArnOf("iam", `role${path}${name}`);
      roles.set(name, { arn, assumeRolePolicy, policies: [] });
      const uniqueId = `AROA${newUuid().replaceAll("-", "").slice(0, 17).toUpperCase()}`;
      const createDate = new Date().toISOString();
      return Promise.resolve({ id: name, outputs: { arn, uniqueId, createDate } });
    },
    update(olds, { name, assumeRolePolicy }) {
      const role = requireRole(roles, name, "IAM: UpdateAssumeRolePolicy");
      roles.set(name, { ...role, assumeRolePolicy });
      return Promise.resolve(computedOf(olds, ["arn", "uniqueId", "createDate"]));
    },
    exists: ({ id }) => roles.get(id) !== undefined,
    delete({ id }) {
      if ((roles.get(id)?.policies.length ?? 0) > 0) {
        throw new ApiError(
          "IAM: DeleteRole",
          "DeleteConflict",
          "Cannot delete entity, must detach all policies first.",
        );
      }
      roles.delete(id);
      return Promise.resolve();
    },
  });
}

const attachmentInputs = z.strictObject({ role: z.string(), policyArn: z.string() });

function attachmentType({ store }: Account): ResourceType {
  const roles = store.collection<RoleRecord>("aws-iam-roles");
  return standIn({
    inputs: attachmentInputs,
    replaceOn: "every",
    create({ role: name, policyArn }) {
      const role = requireRole(roles, name, "IAM: AttachRolePolicy");
      if (!/^arn:aws:iam::aws:policy\/.+/.test(policyArn)) {
        throw new ApiError(
          "IAM: AttachRolePolicy",
          "NoSuchEntity",
          `Policy ${policyArn} does not exist or is not attachable.`,
        );
      }
      roles.set(name, { ...role, policies: [...new Set([...role.policies, policyArn])] });
      return Promise.resolve({ id: `${name}/${policyArn}`, outputs: {} });
    },
    exists: (olds) =>
      roles.get(textOf(olds, "role"))?.policies.includes(textOf(olds, "policyArn")) ?? false,
    delete(olds) {
      const [name, policyArn] = [textOf(olds, "role"), textOf(olds, "policyArn")];
      const role = roles.get(name);
      if (role !== undefined) {
        roles.set(name, { ...role, policies: role.policies.filter((each) => each !== policyArn) });
      }
      return Promise.resolve();
    },
  });
}

function requireRole(roles: Collection<RoleRecord>, name: string, operation: string): RoleRecord {
  const role = roles.get(name);
  if (role !== undefined) return role;
  throw new ApiError(operation, "NoSuchEntity", `The role with name ${name} cannot be found.`);
}
