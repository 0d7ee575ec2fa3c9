import { once } from "node:events";
import { rm } from "node:fs/promises";
import http, { type IncomingMessage, type Server } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startProvider, type RunningProvider } from "../../infra/provider/serve.ts";
import { openAws, type Aws } from "../../rehearsal/stand-ins/aws.ts";
import { openAuthority } from "../../rehearsal/stand-ins/aws/rds/authority.ts";
import { claimNetwork, type Claim } from "../../rehearsal/stand-ins/network.ts";
import { openStore, type Store } from "../../rehearsal/stand-ins/store.ts";
import { connectToProvider, type EngineClient, type Wire } from "../support/engine.ts";
import { subjectOf, temporaryFolder, type Subject } from "./support.ts";

let folder: string;
let store: Store;
let claim: Claim;
let aws: Aws;
let provider: RunningProvider;
let client: EngineClient;
let topics: Subject;
let subscriptions: Subject;

beforeAll(async () => {
  folder = await temporaryFolder();
  store = openStore(folder);
  claim = await claimNetwork(store);
  aws = await openAws({ store, network: claim.network, clockScale: 1000, region: "us-east-1" });
  provider = await startProvider(aws);
  client = connectToProvider(provider.port);
  topics = subjectOf(client, "aws:sns/topic:Topic", "topic");
  subscriptions = subjectOf(client, "aws:sns/topicSubscription:TopicSubscription", "receiver");
});

afterAll(async () => {
  client.close();
  await provider.close();
  await claim.release();
  await rm(folder, { recursive: true });
});

interface Receiver {
  readonly url: string;
  readonly got: { type: string | undefined; topic: string | undefined; body: string }[];
  status: number;
}

async function receiver(
  make: (listener: http.RequestListener) => Server | https.Server = (listener) =>
    http.createServer(listener),
): Promise<Receiver> {
  const server = make((request, response) => {
    void take(request).then(() => {
      response.writeHead(made.status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const scheme = server instanceof https.Server ? "https" : "http";
  const made: Receiver = {
    url: `${scheme}://127.0.0.1:${String(port)}/hook`,
    got: [],
    status: 200,
  };
  const take = async (request: IncomingMessage): Promise<void> => {
    const { headers } = request;
    made.got.push({
      type: headers["x-amz-sns-message-type"] as string | undefined,
      topic: headers["x-amz-sns-topic-arn"] as string | undefined,
      body: await text(request),
    });
  };
  return made;
}

async function topic(name: string): Promise<string> {
  return (await topics.create({ name })).id;
}

function subscription(topicArn: string, protocol: string, endpoint: string, more: Wire = {}): Wire {
  return { topic: topicArn, protocol, endpoint, ...more };
}

test("an endpoint that confirmed gets what is published", async () => {
  const arn = await topic("heard");
  const hook = await receiver();
  const made = await subscriptions.create(subscription(arn, "http", hook.url));
  expect(made.outputs).toMatchObject({ arn: made.id, pendingConfirmation: false });
  expect(await aws.publish(arn, "the database is full")).toEqual([
    { subscriptionArn: made.id, protocol: "http", outcome: "delivered" },
  ]);

  expect(hook.got.map(({ type }) => type)).toEqual(["SubscriptionConfirmation", "Notification"]);
  expect(hook.got[1]?.topic).toBe(arn);
  expect(JSON.parse(hook.got[1]?.body ?? "")).toMatchObject({
    Type: "Notification",
    TopicArn: arn,
    Message: "the database is full",
    Timestamp: expect.stringMatching(/^\d{4}-/) as unknown,
  });
  await subscriptions.delete(made);
  expect(await aws.publish(arn, "again")).toEqual([]);
  expect(hook.got).toHaveLength(2);
});

test("an https endpoint with a certificate of the rehearsal gets it as well", async () => {
  const { certificate, key } = await (await openAuthority(store)).certify("127.0.0.1");
  const arn = await topic("encrypted");
  const hook = await receiver((listener) =>
    https.createServer({ cert: certificate, key }, listener),
  );
  await subscriptions.create(
    subscription(arn, "https", hook.url, { endpointAutoConfirms: true, rawMessageDelivery: true }),
  );

  expect(await aws.publish(arn, "as it is")).toMatchObject([{ outcome: "delivered" }]);
  expect(hook.got[1]).toMatchObject({ type: "Notification", body: "as it is" });
});

test("an endpoint that refuses is told nothing, and one that fails later is said to", async () => {
  const arn = await topic("refused");
  const hook = await receiver();
  hook.status = 500;
  const inputs = subscription(arn, "http", hook.url);
  expect(await subscriptions.refusal({ ...inputs, endpointAutoConfirms: true })).toMatch(
    /the endpoint did not confirm/,
  );
  const made = await subscriptions.create(inputs);
  expect(made.outputs["pendingConfirmation"]).toBe(true);
  expect(await aws.publish(arn, "lost")).toMatchObject([{ outcome: "pending" }]);
  hook.status = 200;
  await subscriptions.create(inputs);
  hook.status = 404;

  expect(await aws.publish(arn, "lost")).toMatchObject([
    { subscriptionArn: made.id, outcome: "failed" },
  ]);
});

test("nothing leaves this machine", async () => {
  const arn = await topic("abroad");
  await subscriptions.create(
    subscription(arn, "https", "https://alerts.example.com/hook", { endpointAutoConfirms: true }),
  );
  await subscriptions.create(subscription(arn, "email", "on-call@example.com"));
  await subscriptions.create(subscription(arn, "sms", "+15550100"));

  expect((await aws.publish(arn, "quiet")).map(({ outcome }) => outcome)).toEqual([
    "withheld",
    "pending",
    "withheld",
  ]);
});

test.each([
  ["a topic that is not there", {}, /NotFound: Topic does not exist/],
  ["an address that is none", { protocol: "email" }, /Endpoint does not match protocol email/],
  ["http for https", { protocol: "https" }, /Endpoint does not match protocol https/],
])("%s is refused", async (what, change, message) => {
  const arn = await topic("strict");
  const known = what.startsWith("a topic") ? `${arn}-none` : arn;

  expect(
    await subscriptions.refusal({
      ...subscription(known, "http", "http://127.0.0.1:1/"),
      ...change,
    }),
  ).toMatch(message);
});

test("a protocol that the rehearsal lacks, and a topic to publish to that is not there", async () => {
  expect(await subscriptions.check(subscription(await topic("x"), "sqs", "arn"))).toEqual({
    protocol: expect.stringMatching(/only has the protocols email/) as unknown,
  });
  await expect(aws.publish("arn:aws:sns:us-east-1:123456789012:none", "x")).rejects.toThrow(
    "Topic does not exist",
  );
});

test("another endpoint is another subscription", async () => {
  const arn = await topic("moved");
  const made = await subscriptions.create(subscription(arn, "email", "a@example.com"));

  expect(await subscriptions.diff(made, subscription(arn, "email", "b@example.com"))).toEqual({
    changes: ["endpoint"],
    replaces: ["endpoint"],
    deleteFirst: false,
  });
});
