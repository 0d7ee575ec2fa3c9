import type { SQSClient } from "@aws-sdk/client-sqs";
import { z } from "zod";
import { readingKind, type ReadingContext } from "../reading.ts";
import { latest, nameInArn, numberFact, region, withAws, type Aws } from "./client.ts";

const target = z.strictObject({
  queue: z
    .string()
    .regex(
      /^(https?:\/\/[^/\s]+\/\d{12}\/)?[\w-]{1,80}(\.fifo)?$/,
      "must be the name or the URL of an SQS queue",
    )
    .meta({ description: "name or URL of the SQS queue", example: "orders" }),
  deadLetterQueue: z
    .string()
    .regex(/^[\w-]{1,80}(\.fifo)?$/, "must be the name of an SQS queue")
    .optional()
    .meta({
      description: "name of the dead-letter queue, where the queue's redrive policy names none",
      example: "orders-dead",
    }),
  region,
});

/** Reads how much waits in an SQS queue and its dead-letter queue. Depths are the approximate counts that AWS tells. */
export const sqsQueue = readingKind({
  kind: "sqs-queue",
  title: "depth and age of an SQS queue and its dead-letter queue",
  target,
  facts: {
    depth: "how many messages wait, approximately; null when AWS does not say",
    notVisible:
      "how many messages were received and not deleted yet, approximately; null when AWS does not say",
    delayed: "how many messages cannot be received yet, approximately; null when AWS does not say",
    oldestMessageSeconds:
      "seconds, the age of the oldest message as CloudWatch measured it last, within 15 minutes; without a measurement 0 for an empty queue, and null otherwise",
    deadLetterQueue: "name of the dead-letter queue; null when there is none",
    deadLetterDepth:
      "how many messages wait in the dead-letter queue, approximately; null when there is none, it does not exist, or AWS does not say",
    maxReceiveCount:
      "how often a message is received before it moves to the dead-letter queue; null without a redrive policy",
  },
  subject: ({ queue }) => queueOf(queue).name,

  async read({ queue, deadLetterQueue, ...where }, context) {
    const { SQSClient } = await import("@aws-sdk/client-sqs");
    const { name, account } = queueOf(queue);
    return withAws(
      // A queue's URL names a host; requests go where the configuration says.
      (options) => new SQSClient({ ...options, useQueueUrlAsEndpoint: false }),
      where,
      context,
      async (aws) => {
        const attributes = await attributesOf(aws, name, account);
        if (attributes === undefined) throw await aws.absent(`SQS queue ${name}`);
        const redrive = redriveOf(attributes["RedrivePolicy"]);
        const dead = nameInArn(redrive?.deadLetterTargetArn) ?? deadLetterQueue;
        const deadAccount = redrive?.deadLetterTargetArn.split(":")[4] ?? account;
        const deadAttributes =
          dead === undefined ? undefined : await attributesOf(aws, dead, deadAccount);
        const depth = numberIn(attributes, "ApproximateNumberOfMessages");
        const notVisible = numberIn(attributes, "ApproximateNumberOfMessagesNotVisible");
        const delayed = numberIn(attributes, "ApproximateNumberOfMessagesDelayed");
        const isEmpty = depth === 0 && notVisible === 0 && delayed === 0;
        return {
          depth,
          notVisible,
          delayed,
          oldestMessageSeconds:
            (await oldestMessageSeconds(name, where, context)) ?? (isEmpty ? 0 : null),
          deadLetterQueue: dead ?? null,
          deadLetterDepth: numberIn(deadAttributes, "ApproximateNumberOfMessages"),
          maxReceiveCount: redrive?.maxReceiveCount ?? null,
        };
      },
    );
  },
});

function queueOf(queue: string): { readonly name: string; readonly account: string | undefined } {
  const [name = queue, account] = queue.split("/").toReversed();
  return { name, account };
}

type Attributes = Readonly<Record<string, string>>;

/** The attributes of a queue; undefined when it does not exist. */
async function attributesOf(
  { client, find }: Aws<SQSClient>,
  name: string,
  account: string | undefined,
): Promise<Attributes | undefined> {
  const { GetQueueAttributesCommand, GetQueueUrlCommand } = await import("@aws-sdk/client-sqs");
  const absent = ["QueueDoesNotExist"];
  const found = await find("sqs:GetQueueUrl", absent, (options) =>
    client.send(
      new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account }),
      options,
    ),
  );
  if (found?.QueueUrl === undefined) return undefined;
  const { QueueUrl } = found;
  const answer = await find("sqs:GetQueueAttributes", absent, (options) =>
    client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }), options),
  );
  return answer === undefined ? undefined : (answer.Attributes ?? {});
}

function numberIn(attributes: Attributes | undefined, name: string): number | null {
  const text = attributes?.[name] ?? "";
  return /^\d+$/.test(text) ? numberFact(Number(text)) : null;
}

const redrivePolicy = z.object({
  deadLetterTargetArn: z.string(),
  maxReceiveCount: z.coerce.number().int().positive(),
});

function redriveOf(text: string | undefined): z.infer<typeof redrivePolicy> | undefined {
  if (text === undefined) return undefined;
  try {
    return redrivePolicy.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const windowMilliseconds = 15 * 60 * 1000;

async function oldestMessageSeconds(
  queue: string,
  where: { readonly region?: string | undefined },
  context: ReadingContext,
): Promise<number | null> {
  const { CloudWatchClient, GetMetricStatisticsCommand } =
    await import("@aws-sdk/client-cloudwatch");
  const command = new GetMetricStatisticsCommand({
    Namespace: "AWS/SQS",
    MetricName: "ApproximateAgeOfOldestMessage",
    Dimensions: [{ Name: "QueueName", Value: queue }],
    StartTime: new Date(context.now.getTime() - windowMilliseconds),
    EndTime: context.now,
    Period: 60,
    Statistics: ["Maximum"],
  });
  return withAws(
    (options) => new CloudWatchClient(options),
    where,
    context,
    async ({ client, ask }) => {
      const { Datapoints = [] } = await ask("cloudwatch:GetMetricStatistics", (options) =>
        client.send(command, options),
      );
      const newest = latest(
        Datapoints,
        ({ Timestamp }) => Timestamp,
        () => true,
      );
      return numberFact(newest?.Maximum);
    },
  );
}
