import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Properties, ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn } from "../kind.ts";
import {
  accountId,
  arn,
  arnOf,
  jsonText,
  policyText,
  tags,
  usableKey,
  type Account,
} from "./account.ts";
import {
  confirm,
  isHttp,
  protocols,
  requireTopic,
  subscriptionsOf,
  topicsOf,
  type Protocol,
  type SubscriptionRecord,
} from "./sns.ts";

/**
 * SNS: topics and subscriptions. Subscribing an endpoint on this machine really asks it to confirm, and an answer of
 * 2xx does; there is no link to visit.
 */
export function snsTypes(account: Account): Record<string, ResourceType> {
  return {
    "aws:sns/topic:Topic": topicType(account),
    "aws:sns/topicSubscription:TopicSubscription": subscriptionType(account),
  };
}

const topicInputs = z.strictObject({
  name: z.string().regex(/^[\w-]{1,256}$/, {
    error:
      "must be 1 to 256 letters, digits, underscores or hyphens: the rehearsal has no FIFO topics",
  }),
  displayName: z.string().max(100).optional(),
  kmsMasterKeyId: z.string().optional(),
  policy: policyText.optional(),
  deliveryPolicy: jsonText.optional(),
  tags,
});

function topicType(account: Account): ResourceType {
  const topics = topicsOf(account);
  const judgeKey = (keyId: string | undefined, operation: string): void => {
    if (keyId === undefined || keyId === "alias/aws/sns") return;
    if (usableKey(account, keyId) !== undefined) return;
    throw new ApiError(
      operation,
      "KMSNotFoundException",
      `The request was rejected because the KMS key ${keyId} can't be found.`,
    );
  };
  return standIn({
    inputs: topicInputs,
    replaceOn: (name) => name === "name",
    physicalName: "name",
    create({ name, kmsMasterKeyId }) {
      judgeKey(kmsMasterKeyId, "SNS: CreateTopic");
      const topicArn = arnOf(account, "sns", name);
      topics.set(topicArn, { name });
      return Promise.resolve({ id: topicArn, outputs: { arn: topicArn, owner: accountId } });
    },
    update(olds, { kmsMasterKeyId }) {
      judgeKey(kmsMasterKeyId, "SNS: SetTopicAttributes");
      return Promise.resolve(computedOf(olds, ["arn", "owner"]));
    },
    exists: ({ id }) => topics.get(id) !== undefined,
    delete({ id }) {
      topics.delete(id);
      // A subscription to a topic that is gone stays until somebody ends it.
      return Promise.resolve();
    },
  });
}

const subscriptionInputs = z.strictObject({
  topic: arn,
  protocol: z.enum(protocols, {
    error: `the rehearsal only has the protocols ${protocols.join(", ")}`,
  }),
  endpoint: z.string().min(1),
  endpointAutoConfirms: z.boolean().default(false),
  confirmationTimeoutInMinutes: z.int().min(1).default(1),
  rawMessageDelivery: z.boolean().default(false),
  deliveryPolicy: jsonText.optional(),
});

const endpointForms: Readonly<Record<Protocol, RegExp>> = {
  email: /^[^@\s]+@[^@\s]+$/,
  "email-json": /^[^@\s]+@[^@\s]+$/,
  http: /^http:\/\/[^/\s]+/,
  https: /^https:\/\/[^/\s]+/,
  sms: /^\+?\d{6,15}$/,
};

function subscriptionType(account: Account): ResourceType {
  const subscriptions = subscriptionsOf(account);
  const outputsOf = (id: string, { confirmed }: SubscriptionRecord): Properties => ({
    arn: id,
    ownerId: accountId,
    pendingConfirmation: !confirmed,
    confirmationWasAuthenticated: false,
  });
  return standIn({
    inputs: subscriptionInputs,
    replaceOn: (name) => ["topic", "protocol", "endpoint"].includes(name),
    async create({ topic: topicArn, protocol, endpoint, endpointAutoConfirms, ...rest }) {
      const operation = "SNS: Subscribe";
      requireTopic(account, topicArn, operation);
      if (!endpointForms[protocol].test(endpoint)) {
        const message = `Invalid parameter: Endpoint does not match protocol ${protocol}`;
        throw new ApiError(operation, "InvalidParameter", message);
      }
      const same = subscriptions
        .entries()
        .find(
          ([, each]) =>
            each.topicArn === topicArn && each.protocol === protocol && each.endpoint === endpoint,
        );
      const id = same?.[0] ?? `${topicArn}:${randomUUID()}`;
      const asked = { topicArn, protocol, endpoint, raw: rest.rawMessageDelivery };
      const confirmed =
        same?.[1].confirmed === true ||
        (await confirm(account, id, { ...asked, confirmed: false }));
      if (endpointAutoConfirms && isHttp(protocol) && !confirmed) {
        throw new ApiError(
          operation,
          "timeout",
          `waiting for SNS Topic Subscription (${id}) confirmation: the endpoint did not confirm`,
        );
      }
      const subscription = { ...asked, confirmed };
      subscriptions.set(id, subscription);
      return { id, outputs: outputsOf(id, subscription) };
    },
    update(olds, { rawMessageDelivery: raw }) {
      const subscription = subscriptions.get(olds.id);
      if (subscription === undefined) {
        const message = "Subscription does not exist";
        throw new ApiError("SNS: SetSubscriptionAttributes", "NotFound", message);
      }
      const changed = { ...subscription, raw };
      subscriptions.set(olds.id, changed);
      return Promise.resolve(outputsOf(olds.id, changed));
    },
    exists: ({ id }) => subscriptions.get(id) !== undefined,
    delete({ id }) {
      subscriptions.delete(id);
      return Promise.resolve();
    },
  });
}
