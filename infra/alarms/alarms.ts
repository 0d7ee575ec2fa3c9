import * as pulumi from "@pulumi/pulumi";
import { Dashboard } from "@pulumi/aws/cloudwatch/dashboard.js";
import { MetricAlarm } from "@pulumi/aws/cloudwatch/metricAlarm.js";
import { Key } from "@pulumi/aws/kms/key.js";
import { Topic } from "@pulumi/aws/sns/topic.js";
import { TopicSubscription } from "@pulumi/aws/sns/topicSubscription.js";
import { Component, type StepOptions } from "../component.ts";
import { alarmName } from "./alarm-name.ts";
import type { AlarmRule, AlarmsConfig } from "./config.ts";
import { dashboardBody } from "./dashboard.ts";

/** What alarms are made from: the config's `alarms` group. */
export interface AlarmsArgs {
  readonly settings: AlarmsConfig;
  /** Name of the system, which every alarm begins with. */
  readonly system: string;
  /** The system's key; its account is the one that may manage the topic's. */
  readonly kmsKeyArn: pulumi.Input<string>;
}

/** A topic that tells its receivers, an alarm for each rule that tells the topic, and a dashboard of them all. */
export class Alarms extends Component {
  constructor(name: string, args: AlarmsArgs, step: StepOptions) {
    super("alarms:Alarms", name, step);
    const topic = this.#createTopic(name, args, this.#createKey(name, args));
    for (const [receiver, { protocol, endpoint }] of Object.entries(args.settings.receivers)) {
      new TopicSubscription(
        `${name}-to-${receiver}`,
        { topic: topic.arn, protocol, endpoint },
        this.child,
      );
    }
    for (const [rule, settings] of Object.entries(args.settings.rules)) {
      this.#createAlarm(`${name}-${rule}-alarm`, alarmName(args.system, rule), settings, topic);
    }
    this.#drawDashboard(name, args, topic);
    this.registerOutputs({ topic: topic.arn });
  }

  /**
   * A key of the topic's own: CloudWatch can tell an encrypted topic only where the key's policy lets it, and the key of
   * the data should let nobody else in.
   * https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
   */
  #createKey(name: string, { kmsKeyArn }: AlarmsArgs): Key {
    return new Key(
      `${name}-key`,
      {
        description: "Alarms on their way to their receivers",
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: pulumi.output(kmsKeyArn).apply(topicKeyPolicy),
      },
      this.child,
    );
  }

  #createTopic(name: string, { settings }: AlarmsArgs, key: Key): Topic {
    return new Topic(
      `${name}-topic`,
      { name: settings.topic, kmsMasterKeyId: key.arn },
      this.child,
    );
  }

  #createAlarm(name: string, physical: string, rule: AlarmRule, topic: Topic): void {
    new MetricAlarm(
      name,
      {
        name: physical,
        namespace: rule.namespace,
        metricName: rule.metric,
        dimensions: rule.dimensions,
        ...(/^p\d/.test(rule.statistic)
          ? { extendedStatistic: rule.statistic }
          : { statistic: rule.statistic }),
        ...thresholdOf(rule),
        period: rule.periodSeconds,
        evaluationPeriods: rule.periods,
        // What says nothing any more is not well.
        treatMissingData: "breaching",
        actionsEnabled: true,
        alarmActions: [topic.arn],
        okActions: [topic.arn],
      },
      this.child,
    );
  }

  #drawDashboard(name: string, { settings, system }: AlarmsArgs, topic: Topic): void {
    if (!settings.dashboard || Object.keys(settings.rules).length === 0) return;
    new Dashboard(
      `${name}-dashboard`,
      {
        dashboardName: system,
        dashboardBody: topic.arn.apply((arn) => dashboardBody(settings.rules, partOf(arn, 3))),
      },
      this.child,
    );
  }
}

function thresholdOf({ above, below }: AlarmRule): {
  readonly comparisonOperator: string;
  readonly threshold: number;
} {
  return above === undefined
    ? { comparisonOperator: "LessThanThreshold", threshold: below ?? Number.NaN }
    : { comparisonOperator: "GreaterThanThreshold", threshold: above };
}

/** The account manages the key, CloudWatch uses it. */
function topicKeyPolicy(arn: string): string {
  const [partition, account] = [partOf(arn, 1), partOf(arn, 4)];
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Manage",
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
      {
        Sid: "TellTheTopic",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: "*",
        Condition: { StringEquals: { "aws:SourceAccount": account } },
      },
    ],
  });
}

/** A part of an ARN: 1 is the partition, 3 the region, 4 the account. */
function partOf(arn: string, index: number): string {
  return arn.split(":")[index] ?? "";
}
