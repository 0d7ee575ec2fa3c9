import {
  CloudWatchClient,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
  type StateValue,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeEach, expect, test } from "vitest";
import { cloudwatchAlarms } from "../../../../infra/readings/aws/cloudwatch-alarms.ts";
import { startMoto } from "../../../support/moto.ts";
import { contextOf, readFacts } from "../context.ts";
import { answerAws, useAws } from "./aws.ts";

const moto = await startMoto();
afterAll(() => moto.close());
beforeEach(() => {
  useAws(moto.environment);
});

interface Alarm {
  readonly name: string;
  readonly actionsEnabled?: boolean;
  readonly actions?: string[];
  readonly state?: StateValue;
}

async function create({ name, actionsEnabled, actions, state }: Alarm): Promise<void> {
  const client = new CloudWatchClient();
  await client.send(
    new PutMetricAlarmCommand({
      AlarmName: name,
      MetricName: "Errors",
      Namespace: "Orders",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanThreshold",
      ActionsEnabled: actionsEnabled ?? true,
      AlarmActions: actions ?? ["arn:aws:sns:eu-central-1:123456789012:on-call"],
    }),
  );
  if (state !== undefined) {
    const set = { AlarmName: name, StateValue: state, StateReason: "canary" };
    await client.send(new SetAlarmStateCommand(set));
  }
  client.destroy();
}

function read(...alarms: string[]): Promise<Readonly<Record<string, unknown>>> {
  return readFacts(cloudwatchAlarms, { alarms }, contextOf());
}

const well = { exists: true, actionsEnabled: true, hasAction: true, state: "OK" };

test("an alarm that is quiet and able to tell somebody", async () => {
  await create({ name: "good", state: "OK" });
  const value = await read("good");
  expect(value).toEqual({
    alarms: { good: well },
    missing: [],
    silent: [],
    inAlarm: [],
    insufficientData: [],
  });
  expect(JSON.stringify(value)).not.toMatch(/canary|123456789012/);
});

test("alarms that are not, each in its lists", async () => {
  await create({ name: "disabled", actionsEnabled: false, state: "OK" });
  await create({ name: "unheard", actions: [], state: "OK" });
  await create({ name: "loud", state: "ALARM" });
  await create({ name: "blind", state: "INSUFFICIENT_DATA" });
  expect(await read("disabled", "unheard", "loud", "blind", "none")).toEqual({
    alarms: {
      disabled: { ...well, actionsEnabled: false },
      unheard: { ...well, hasAction: false },
      loud: { ...well, state: "ALARM" },
      blind: { ...well, state: "INSUFFICIENT_DATA" },
      none: { exists: false, actionsEnabled: null, hasAction: null, state: null },
    },
    missing: ["none"],
    silent: ["disabled", "unheard"],
    inAlarm: ["loud"],
    insufficientData: ["blind"],
  });
});

test("composite alarms are asked for and count", async () => {
  const asked = await answerAws(() =>
    JSON.stringify({
      MetricAlarms: [],
      CompositeAlarms: [
        { AlarmName: "whole", ActionsEnabled: true, AlarmActions: ["arn"], StateValue: "OK" },
      ],
    }),
  );
  expect(await read("whole")).toMatchObject({ alarms: { whole: well }, missing: [] });
  expect(JSON.parse(asked[0]?.body ?? "")).toEqual({
    AlarmNames: ["whole"],
    AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
    MaxRecords: 100,
  });
});

test("alarms on a later page count", async () => {
  await answerAws(({ body }) =>
    body.includes('"NextToken"')
      ? JSON.stringify({ MetricAlarms: [{ AlarmName: "second", StateValue: "ALARM" }] })
      : JSON.stringify({
          MetricAlarms: [{ AlarmName: "first", StateValue: "OK" }],
          NextToken: "next",
        }),
  );
  expect(await read("first", "second")).toMatchObject({ missing: [], inAlarm: ["second"] });
});

test("what AWS leaves out of an alarm is not well", async () => {
  await answerAws(() => JSON.stringify({ MetricAlarms: [{ AlarmName: "bare" }] }));
  expect(await read("bare")).toMatchObject({
    alarms: { bare: { exists: true, actionsEnabled: false, hasAction: false, state: null } },
    silent: ["bare"],
  });
});

test("an alarm of another name, or in other letters, is none of ours", async () => {
  await answerAws(() => JSON.stringify({ MetricAlarms: [{ AlarmName: "Orders" }] }));
  expect(await read("orders")).toMatchObject({ missing: ["orders"] });
});

test("an empty answer means that all are missing", async () => {
  await answerAws(() => "");
  expect(await read("a", "b")).toMatchObject({ missing: ["a", "b"] });
});

test.each([[[]], [[""]], [["a".repeat(256)]], [Array.from({ length: 101 }, (_, n) => `a${n}`)]])(
  "the alarms %j are refused",
  (alarms) => {
    expect(cloudwatchAlarms.target.safeParse({ alarms }).success).toBe(false);
  },
);

test("a hundred alarms can be asked for", () => {
  const alarms = Array.from({ length: 100 }, (_, n) => `a${n}`);
  expect(cloudwatchAlarms.target.safeParse({ alarms }).success).toBe(true);
});
