import {
  CloudWatchClient,
  PutMetricDataCommand,
  type MetricDatum,
} from "@aws-sdk/client-cloudwatch";
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeEach, expect, test } from "vitest";
import { sqsQueue } from "../../../../infra/readings/aws/sqs-queue.ts";
import { startMoto } from "../../../support/moto.ts";
import { contextOf, failureOf, readFacts } from "../context.ts";
import { answerAws, useAws, type Answered, type Asked } from "./aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());
beforeEach(() => {
  useAws(moto.environment);
});

async function withClient<Result>(work: (client: SQSClient) => Promise<Result>): Promise<Result> {
  const client = new SQSClient();
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

/** Makes a queue and returns its URL. */
function create(name: string, dead?: { readonly name: string; readonly after: number }) {
  return withClient(async (client) => {
    const policy =
      dead === undefined
        ? undefined
        : JSON.stringify({
            deadLetterTargetArn: `arn:aws:sqs:eu-central-1:123456789012:${dead.name}`,
            maxReceiveCount: dead.after,
          });
    const { QueueUrl } = await client.send(
      new CreateQueueCommand({
        QueueName: name,
        ...(policy === undefined ? {} : { Attributes: { RedrivePolicy: policy } }),
      }),
    );
    return QueueUrl ?? "";
  });
}

function send(url: string, delay = 0) {
  return withClient((client) =>
    client.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: "canary", DelaySeconds: delay }),
    ),
  );
}

function read(queue: string, deadLetterQueue?: string): Promise<Readonly<Record<string, unknown>>> {
  // Moto keeps what was measured until the end of the second.
  const now = new Date(Date.now() + 1000);
  return readFacts(sqsQueue, { queue, deadLetterQueue }, contextOf({ now }));
}

test("an empty queue with an empty dead-letter queue", async () => {
  await create("good-dead");
  await create("good", { name: "good-dead", after: 5 });
  expect(await read("good")).toEqual({
    depth: 0,
    notVisible: 0,
    delayed: 0,
    oldestMessageSeconds: 0,
    deadLetterQueue: "good-dead",
    deadLetterDepth: 0,
    maxReceiveCount: 5,
  });
});

test("a queue whose messages wait, fail and grow old", async () => {
  const dead = await create("bad-dead");
  const url = await create("bad", { name: "bad-dead", after: 1 });
  for (let sent = 0; sent < 4; sent += 1) await send(url);
  await send(url, 600);
  await withClient((client) => client.send(new ReceiveMessageCommand({ QueueUrl: url })));
  await send(dead);
  await send(dead);
  const cloudwatch = new CloudWatchClient();
  const measured = (seconds: number, ago: number): MetricDatum => ({
    MetricName: "ApproximateAgeOfOldestMessage",
    Dimensions: [{ Name: "QueueName", Value: "bad" }],
    Value: seconds,
    Timestamp: new Date(Date.now() - ago * 1000),
  });
  await cloudwatch.send(
    new PutMetricDataCommand({
      Namespace: "AWS/SQS",
      MetricData: [measured(700, 0), measured(640, 60), measured(9000, 3600)],
    }),
  );
  cloudwatch.destroy();
  const value = await read("bad");
  expect(value).toEqual({
    depth: 3,
    notVisible: 1,
    delayed: 1,
    oldestMessageSeconds: 700,
    deadLetterQueue: "bad-dead",
    deadLetterDepth: 2,
    maxReceiveCount: 1,
  });
  expect(JSON.stringify(value)).not.toContain("canary");
});

test("a queue with messages of which nothing is measured has no age", async () => {
  await send(await create("unmeasured"));
  expect(await read("unmeasured")).toMatchObject({ depth: 1, oldestMessageSeconds: null });
});

test("a queue without a redrive policy", async () => {
  await create("alone");
  expect(await read("alone")).toMatchObject({
    deadLetterQueue: null,
    deadLetterDepth: null,
    maxReceiveCount: null,
  });
});

test("a dead-letter queue of the reading, where the queue names none", async () => {
  await create("named");
  await send(await create("named-dead"));
  expect(await read("named", "named-dead")).toMatchObject({
    deadLetterQueue: "named-dead",
    deadLetterDepth: 1,
    maxReceiveCount: null,
  });
});

test("the queue's own dead-letter queue goes before that of the reading", async () => {
  await send(await create("own-dead"));
  await create("other-dead");
  await create("own", { name: "own-dead", after: 3 });
  expect(await read("own", "other-dead")).toMatchObject({
    deadLetterQueue: "own-dead",
    deadLetterDepth: 1,
  });
});

test("what a dead-letter queue that does not exist holds is unknown", async () => {
  await create("orphan");
  expect(await read("orphan", "nowhere")).toMatchObject({
    deadLetterQueue: "nowhere",
    deadLetterDepth: null,
  });
});

test("a queue by its URL, of which only name and account count", async () => {
  const url = await create("by-url");
  const elsewhere = "https://sqs.eu-central-1.example.com/123456789012/by-url";
  expect(await read(url)).toMatchObject({ depth: 0 });
  expect(await read(elsewhere)).toMatchObject({ depth: 0 });
  expect(sqsQueue.subject({ queue: url })).toBe("by-url");
});

test("a queue that does not exist", async () => {
  const { message } = await failureOf(read("none"));
  expect(message).toBe("there is no SQS queue none in eu-central-1");
});

/** A queue with these attributes, in the protocol of AWS. */
function queueWith(attributes: object): (asked: Asked) => Answered {
  const answers: Readonly<Record<string, string>> = {
    GetQueueUrl: '{"QueueUrl":"https://sqs.eu-central-1.example.com/123456789012/orders"}',
    GetQueueAttributes: JSON.stringify({ Attributes: attributes }),
    GetMetricStatistics: '{"Datapoints":[]}',
  };
  return ({ action }) => answers[action] ?? [400, "{}"];
}

test("requests go where the configuration says, whatever the queue's URL", async () => {
  const asked = await answerAws(queueWith({ ApproximateNumberOfMessages: "7" }));
  expect(await read("orders")).toMatchObject({ depth: 7 });
  expect(asked.map(({ action }) => action)).toEqual([
    "GetQueueUrl",
    "GetQueueAttributes",
    "GetMetricStatistics",
  ]);
});

test.each([{}, { ApproximateNumberOfMessages: "-1" }, { ApproximateNumberOfMessages: "many" }])(
  "without a depth, neither depth nor age is known: %j",
  async (attributes) => {
    await answerAws(queueWith(attributes));
    expect(await read("orders")).toMatchObject({ depth: null, oldestMessageSeconds: null });
  },
);

test.each(["{", "[]", '{"deadLetterTargetArn":5}', '{"maxReceiveCount":"x"}'])(
  "the redrive policy %j is none",
  async (policy) => {
    await answerAws(queueWith({ RedrivePolicy: policy }));
    expect(await read("orders")).toMatchObject({ deadLetterQueue: null, maxReceiveCount: null });
  },
);

test.each([
  ["orders", true],
  ["orders.fifo", true],
  ["https://sqs.eu-central-1.amazonaws.com/123456789012/orders", true],
  ["", false],
  ["or ders", false],
  ["https://sqs.eu-central-1.amazonaws.com/orders", false],
  ["arn:aws:sqs:eu-central-1:123456789012:orders", false],
  ["a".repeat(80), true],
  ["a".repeat(81), false],
])("the queue %j", (queue, valid) => {
  expect(sqsQueue.target.safeParse({ queue }).success).toBe(valid);
});
