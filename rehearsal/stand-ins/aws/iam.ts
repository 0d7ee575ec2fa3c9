import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import type { Collection } from "../store.ts";
import {
  globalArnOf,
  jsonText,
  policyText,
  newUuid,
  tags,
  whole,
  type Account,
} from "./account.ts";

/** A role, as other services look it up. */
export interface RoleRecord {
  readonly arn: string;
  readonly assumeRolePolicy: string;
  readonly policies: readonly string[];
  /** Names of the policies that are part of it. */
  readonly inline: readonly string[];
}

/** Roles, the policies attached to them and those that are part of them. Nothing is authorised; but only a role that exists can be named. */
export function iamTypes(account: Account): Record<string, ResourceType> {
  return {
    "aws:iam/role:Role": roleType(account),
    "aws:iam/rolePolicy:RolePolicy": inlineType(account),
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
      roles.set(name, { arn, assumeRolePolicy, policies: [], inline: [] });
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
      const { policies = [], inline = [] } = roles.get(id) ?? {};
      if (policies.length > 0 || inline.length > 0) {
        const todo = policies.length > 0 ? "detach all policies" : "delete policies";
        throw new ApiError(
          "IAM: DeleteRole",
          "DeleteConflict",
          `Cannot delete entity, must ${todo} first.`,
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

const inlineInputs = z.strictObject({
  name: z.string().regex(/^[\w+=,.@-]{1,128}$/, {
    error: "must be 1 to 128 letters, digits or +=,.@-_",
  }),
  role: z.string(),
  policy: policyText,
});

function inlineType({ store }: Account): ResourceType {
  const roles = store.collection<RoleRecord>("aws-iam-roles");
  const put = (roleName: string, name: string): void => {
    const role = requireRole(roles, roleName, "IAM: PutRolePolicy");
    roles.set(roleName, { ...role, inline: [...new Set([...role.inline, name])] });
  };
  return standIn({
    inputs: inlineInputs,
    replaceOn: (name) => name !== "policy",
    create({ role, name }) {
      put(role, name);
      return Promise.resolve({ id: `${role}:${name}`, outputs: {} });
    },
    update(_olds, { role, name }) {
      put(role, name);
      return Promise.resolve({});
    },
    exists: (olds) =>
      roles.get(textOf(olds, "role"))?.inline.includes(textOf(olds, "name")) ?? false,
    delete(olds) {
      const [roleName, name] = [textOf(olds, "role"), textOf(olds, "name")];
      const role = roles.get(roleName);
      if (role !== undefined) {
        roles.set(roleName, { ...role, inline: role.inline.filter((each) => each !== name) });
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
