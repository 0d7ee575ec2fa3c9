import { describe, expect, test } from "vitest";
import { alarmName } from "../../../infra/alarms/alarm-name.ts";
import { Alarms } from "../../../infra/alarms/alarms.ts";
import { declared, firstStep, only, type Declared } from "../../support/declared.ts";
import { rule, settings } from "./samples.ts";

const types = {
  key: "aws:kms/key:Key",
  topic: "aws:sns/topic:Topic",
  subscription: "aws:sns/topicSubscription:TopicSubscription",
  alarm: "aws:cloudwatch/metricAlarm:MetricAlarm",
  dashboard: "aws:cloudwatch/dashboard:Dashboard",
} as const;
const topicArn = "arn:aws:sns:eu-central-1:123456789012:flagship-alarms";
const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1";

test("the topic is encrypted with a key of its own", async () => {
  const resources = await alarms();
  expect(only(resources, types.topic).inputs).toEqual({
    name: "flagship-alarms",
    kmsMasterKeyId: "arn:topic-key",
  });
});

test("the key lets CloudWatch use it for this account, and the account manage it", async () => {
  const { inputs } = only(await alarms(), types.key);
  expect(inputs).toMatchObject({ enableKeyRotation: true, deletionWindowInDays: 30 });
  const { Statement } = JSON.parse(inputs["policy"] as string) as { Statement: unknown };
  expect(Statement).toMatchObject([
    { Principal: { AWS: "arn:aws:iam::123456789012:root" }, Action: "kms:*" },
    {
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
      Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } },
    },
  ]);
});

test("every receiver is told by the topic", async () => {
  const receivers = {
    "on-call": { protocol: "email", endpoint: "on-call@example.com" },
    pager: { protocol: "sms", endpoint: "+493012345678" },
  };
  const resources = await alarms({ receivers });
  const told = resources.filter(({ type }) => type === types.subscription);
  expect(told.map(({ name, inputs }) => [name, inputs])).toEqual([
    ["alarms-to-on-call", { topic: topicArn, ...receivers["on-call"] }],
    ["alarms-to-pager", { topic: topicArn, ...receivers.pager }],
  ]);
});

describe("an alarm", () => {
  test("tells the topic when it goes off and when it is over, and goes off when nothing is said", async () => {
    expect(await alarm()).toEqual({
      name: "flagship-cpu",
      namespace: "AWS/RDS",
      metricName: "CPUUtilization",
      dimensions: { DBInstanceIdentifier: "flagship" },
      statistic: "Average",
      comparisonOperator: "GreaterThanThreshold",
      threshold: 80,
      period: 60,
      evaluationPeriods: 5,
      treatMissingData: "breaching",
      actionsEnabled: true,
      alarmActions: [topicArn],
      okActions: [topicArn],
    });
    expect(alarmName("flagship", "cpu")).toBe("flagship-cpu");
  });

  test("goes off below its threshold where that is asked, even at zero", async () => {
    const inputs = await alarm({ above: undefined, below: 0 });
    expect(inputs).toMatchObject({ comparisonOperator: "LessThanThreshold", threshold: 0 });
  });

  test("of a percentile is one of CloudWatch's extended statistics", async () => {
    const inputs = await alarm({ statistic: "p99.9" });
    expect(inputs).toMatchObject({ extendedStatistic: "p99.9" });
    expect(inputs).not.toHaveProperty("statistic");
  });
});

describe("the dashboard", () => {
  test("has a widget for each rule, two beside each other", async () => {
    const rules = {
      cpu: rule(),
      slow: rule({ namespace: "Flagship", metric: "Latency", statistic: "p95", dimensions: {} }),
      free: rule({ above: undefined, below: 30 }),
    };
    const { inputs } = only(await alarms({ rules }), types.dashboard);
    expect(inputs["dashboardName"]).toBe("flagship");
    const { widgets } = JSON.parse(inputs["dashboardBody"] as string) as {
      widgets: { x: number; y: number; properties: Record<string, unknown> }[];
    };
    expect(widgets.map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [12, 0],
      [0, 6],
    ]);
    expect(widgets.map(({ properties }) => properties)).toEqual([
      {
        title: "cpu",
        region: "eu-central-1",
        metrics: [["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", "flagship"]],
        stat: "Average",
        period: 60,
        annotations: { horizontal: [{ label: "alarms above", value: 80 }] },
      },
      expect.objectContaining({ metrics: [["Flagship", "Latency"]], stat: "p95" }),
      expect.objectContaining({
        annotations: { horizontal: [{ label: "alarms below", value: 30 }] },
      }),
    ]);
  });

  test.each([
    ["that was switched off", { dashboard: false }],
    ["without a rule", { rules: {} }],
  ])("%s is not there", async (_, change) => {
    expect((await alarms(change)).map(({ type }) => type)).not.toContain(types.dashboard);
  });
});

function alarms(change: object = {}): Promise<Declared[]> {
  const args = { settings: settings(change), system: "flagship", kmsKeyArn: keyArn };
  return declared(() => new Alarms("alarms", args, firstStep), {
    [types.key]: { arn: "arn:topic-key" },
    [types.topic]: { arn: topicArn },
  });
}

async function alarm(change: object = {}): Promise<Declared["inputs"]> {
  return only(await alarms({ rules: { cpu: rule(change) } }), types.alarm).inputs;
}
