import { randomUUID } from "node:crypto";
import { z } from "zod";
import { accountId, type Account } from "../aws/account.ts";
import { AwsError, awsErrorOf } from "./error.ts";
import { jsonService, operation, pageOf, type ApiService } from "./protocols.ts";

/** An alarm as the stand-in keeps it: the inputs of its resource, and its ARN. */
interface AlarmRecord {
  readonly arn: string;
  readonly actionsEnabled?: boolean;
  readonly alarmActions?: readonly string[];
  readonly okActions?: readonly string[];
  readonly insufficientDataActions?: readonly string[];
  readonly alarmDescription?: string;
  readonly namespace?: string;
  readonly metricName?: string;
  readonly statistic?: string;
  readonly extendedStatistic?: string;
  readonly comparisonOperator?: string;
  readonly threshold?: number;
  readonly period?: number;
  readonly evaluationPeriods?: number;
  readonly dimensions?: Readonly<Record<string, string>>;
}

interface AlarmState {
  readonly value: z.output<typeof stateValue>;
  readonly reason: string;
  /** JSON that came with the reason. */
  readonly data: string | undefined;
  /** ISO 8601. */
  readonly at: string;
}

/** An entry of an alarm's history. */
interface HistoryItem {
  readonly alarm: string;
  readonly at: string;
  readonly type: "StateUpdate" | "Action";
  readonly summary: string;
  readonly data: string | undefined;
}

const stateValue = z.enum(["OK", "ALARM", "INSUFFICIENT_DATA"]);

/** How an alarm begins. */
const unmeasured = {
  value: "INSUFFICIENT_DATA",
  reason: "Unchecked: Initial alarm creation",
  data: undefined,
} as const;

/** Which actions a state takes. */
const actionsOf: Readonly<
  Record<AlarmState["value"], "okActions" | "alarmActions" | "insufficientDataActions">
> = { OK: "okActions", ALARM: "alarmActions", INSUFFICIENT_DATA: "insufficientDataActions" };

/**
 * What of CloudWatch the API imitates. Nothing is measured: an alarm knows nothing until somebody sets its state, which
 * tells its topics and writes its history as a measured one would.
 */
export function cloudwatchService(
  account: Account,
  publish: (topicArn: string, message: string) => Promise<unknown>,
): ApiService {
  const alarms = account.store.collection<AlarmRecord>("aws-cloudwatch-alarms");
  const states = account.store.collection<AlarmState>("aws-cloudwatch-alarm-states");
  const history = account.store.collection<HistoryItem>("aws-cloudwatch-alarm-history");
  const stateOf = ({ arn }: AlarmRecord): AlarmState =>
    states.get(arn) ?? { ...unmeasured, at: new Date().toISOString() };
  const remember = (item: HistoryItem): void => history.set(randomUUID(), item);
  const described = (name: string, alarm: AlarmRecord) => {
    const { value, reason, data, at } = stateOf(alarm);
    return {
      AlarmName: name,
      AlarmArn: alarm.arn,
      AlarmDescription: alarm.alarmDescription,
      ActionsEnabled: alarm.actionsEnabled ?? true,
      AlarmActions: alarm.alarmActions ?? [],
      OKActions: alarm.okActions ?? [],
      InsufficientDataActions: alarm.insufficientDataActions ?? [],
      StateValue: value,
      StateReason: reason,
      StateReasonData: data,
      StateUpdatedTimestamp: new Date(at),
      Namespace: alarm.namespace,
      MetricName: alarm.metricName,
      Statistic: alarm.statistic,
      ExtendedStatistic: alarm.extendedStatistic,
      Dimensions: Object.entries(alarm.dimensions ?? {}).map(([Name, Value]) => ({ Name, Value })),
      Period: alarm.period,
      EvaluationPeriods: alarm.evaluationPeriods,
      Threshold: alarm.threshold,
      ComparisonOperator: alarm.comparisonOperator,
    };
  };

  return jsonService("cloudwatch", "1.0", {
    DescribeAlarms: operation(
      "cloudwatch:DescribeAlarms",
      z.strictObject({
        AlarmNames: z.array(z.string()).max(100).optional(),
        AlarmTypes: z.array(z.enum(["MetricAlarm", "CompositeAlarm"])).optional(),
        StateValue: stateValue.optional(),
        MaxRecords: z.int().min(1).max(100).default(50),
        NextToken: z.string().optional(),
      }),
      ({ AlarmNames, AlarmTypes = ["MetricAlarm"], StateValue, MaxRecords, NextToken }) => {
        const found = alarms
          .entries()
          .filter(
            ([name, alarm]) =>
              AlarmTypes.includes("MetricAlarm") &&
              (AlarmNames?.includes(name) ?? true) &&
              (StateValue === undefined || stateOf(alarm).value === StateValue),
          )
          .map(([name, alarm]) => described(name, alarm));
        const { page, next } = pageOf(found, NextToken, MaxRecords);
        return { MetricAlarms: page, CompositeAlarms: [], NextToken: next };
      },
    ),
    SetAlarmState: operation(
      "cloudwatch:SetAlarmState",
      z.strictObject({
        AlarmName: z.string(),
        StateValue: stateValue,
        StateReason: z.string().max(1023),
        StateReasonData: z.string().optional(),
      }),
      async ({ AlarmName: name, StateValue: value, StateReason: reason, StateReasonData }) => {
        const alarm = alarms.get(name);
        if (alarm === undefined) throw new AwsError("ResourceNotFound", "", 404);
        const before = stateOf(alarm);
        const after = { value, reason, data: StateReasonData, at: new Date().toISOString() };
        states.set(alarm.arn, after);
        // Only a change is told, and only by an alarm that may tell.
        if (before.value === value) return {};
        remember({
          alarm: name,
          at: after.at,
          type: "StateUpdate",
          summary: `Alarm updated from ${before.value} to ${value}`,
          data: JSON.stringify({
            version: "1.0",
            oldState: { stateValue: before.value, stateReason: before.reason },
            newState: { stateValue: value, stateReason: reason },
          }),
        });
        if (alarm.actionsEnabled === false) return {};
        const message = JSON.stringify({
          AlarmName: name,
          AlarmDescription: alarm.alarmDescription ?? null,
          AWSAccountId: accountId,
          NewStateValue: value,
          NewStateReason: reason,
          StateChangeTime: after.at,
          Region: account.region,
          AlarmArn: alarm.arn,
          OldStateValue: before.value,
          Trigger: { Namespace: alarm.namespace, MetricName: alarm.metricName },
        });
        for (const action of alarm[actionsOf[value]] ?? []) {
          const summary = await publish(action, message).then(
            () => `Successfully executed action ${action}`,
            (error: unknown) =>
              `Failed to execute action ${action}. Received error: "${awsErrorOf(error).message}"`,
          );
          const at = new Date().toISOString();
          remember({ alarm: name, at, type: "Action", summary, data: undefined });
        }
        return {};
      },
    ),
    DescribeAlarmHistory: operation(
      "cloudwatch:DescribeAlarmHistory",
      z.strictObject({
        AlarmName: z.string(),
        HistoryItemType: z.enum(["StateUpdate", "Action"]).optional(),
        ScanBy: z.enum(["TimestampDescending", "TimestampAscending"]).optional(),
        MaxRecords: z.int().min(1).max(100).default(50),
        NextToken: z.string().optional(),
      }),
      ({ AlarmName: name, HistoryItemType: only, ScanBy, MaxRecords, NextToken }) => {
        const oldestFirst = history
          .items()
          .filter(({ alarm, type }) => alarm === name && (only === undefined || type === only))
          .map(({ alarm, at, type, summary, data }) => ({
            AlarmName: alarm,
            AlarmType: "MetricAlarm",
            Timestamp: new Date(at),
            HistoryItemType: type,
            HistorySummary: summary,
            HistoryData: data,
          }));
        const all = ScanBy === "TimestampAscending" ? oldestFirst : oldestFirst.toReversed();
        const { page, next } = pageOf(all, NextToken, MaxRecords);
        return { AlarmHistoryItems: page, NextToken: next };
      },
    ),
  });
}
