import { randomUUID } from "node:crypto";
import { ApiError } from "../kind.ts";
import type { Collection } from "../store.ts";
import type { Account } from "./account.ts";
import { isLoopback, postText } from "./sns-delivery.ts";

interface TopicRecord {
  readonly name: string;
}

/** What SNS keeps of a subscription. */
export interface SubscriptionRecord {
  readonly topicArn: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly confirmed: boolean;
  readonly raw: boolean;
}

/** Protocols that the rehearsal has. */
export const protocols = ["email", "email-json", "http", "https", "sms"] as const;

/** One of them. */
export type Protocol = (typeof protocols)[number];

/** What became of a message for one subscriber. */
export interface Delivery {
  readonly subscriptionArn: string;
  readonly protocol: string;
  /**
   * `delivered`: the endpoint took it. `failed`: it did not. `pending`: nobody has confirmed the subscription.
   * `withheld`: it would leave this machine, and a rehearsal wakes nobody up.
   */
  readonly outcome: "delivered" | "failed" | "pending" | "withheld";
}

/**
 * Publishes a message: each confirmed http or https endpoint on this machine gets a POST in the form of SNS, without
 * a signature. Resolves once all were tried, once each.
 *
 * @throws ApiError when there is no such topic
 */
export async function publish(
  account: Account,
  topicArn: string,
  message: string,
): Promise<Delivery[]> {
  requireTopic(account, topicArn, "SNS: Publish");
  const messageId = randomUUID();
  const subscribed = subscriptionsOf(account)
    .entries()
    .filter(([, subscription]) => subscription.topicArn === topicArn);
  return Promise.all(
    subscribed.map(async ([subscriptionArn, subscription]) => {
      const { protocol, endpoint, confirmed, raw } = subscription;
      const outcome = async (): Promise<Delivery["outcome"]> => {
        if (!confirmed) return "pending";
        if (!isHttp(protocol) || !isLoopback(endpoint)) return "withheld";
        const body = {
          Type: "Notification",
          MessageId: messageId,
          TopicArn: topicArn,
          Message: message,
        };
        const isTaken = await post(account, subscriptionArn, subscription, body, raw);
        return isTaken ? "delivered" : "failed";
      };
      return { subscriptionArn, protocol, outcome: await outcome() };
    }),
  );
}

/**
 * Asks an endpoint to confirm its subscription, and tells whether it did. People confirm mail by hand, which no
 * rehearsal can; a telephone needs no confirmation.
 */
export async function confirm(
  account: Account,
  subscriptionArn: string,
  subscription: SubscriptionRecord,
): Promise<boolean> {
  const { protocol, endpoint, topicArn } = subscription;
  if (!isHttp(protocol)) return protocol === "sms";
  if (!isLoopback(endpoint)) return true;
  const body = {
    Type: "SubscriptionConfirmation",
    MessageId: randomUUID(),
    Token: randomUUID(),
    TopicArn: topicArn,
    Message: `You have chosen to subscribe to the topic ${topicArn}.`,
  };
  return post(account, subscriptionArn, subscription, body, false);
}

/** Tells whether the endpoint took it. */
function post(
  { store }: Account,
  subscriptionArn: string,
  { endpoint, topicArn }: SubscriptionRecord,
  body: { readonly Type: string; readonly MessageId: string; readonly Message: string },
  raw: boolean,
): Promise<boolean> {
  const text = raw
    ? body.Message
    : JSON.stringify({ ...body, Timestamp: new Date().toISOString() });
  return postText(store, endpoint, text, {
    "x-amz-sns-message-type": body.Type,
    "x-amz-sns-message-id": body.MessageId,
    "x-amz-sns-topic-arn": topicArn,
    ...(body.Type === "Notification" ? { "x-amz-sns-subscription-arn": subscriptionArn } : {}),
    ...(raw ? { "x-amz-sns-rawdelivery": "true" } : {}),
  });
}

/** Tells whether a message goes by POST. */
export function isHttp(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "https";
}

/** Looks a topic up. @throws ApiError when there is none */
export function requireTopic(account: Account, topicArn: string, operation: string): void {
  if (topicsOf(account).get(topicArn) !== undefined) return;
  throw new ApiError(operation, "NotFound", "Topic does not exist");
}

/** Topics by ARN. */
export function topicsOf({ store }: Account): Collection<TopicRecord> {
  return store.collection("aws-sns-topics");
}

/** Subscriptions by ARN. */
export function subscriptionsOf({ store }: Account): Collection<SubscriptionRecord> {
  return store.collection("aws-sns-subscriptions");
}
