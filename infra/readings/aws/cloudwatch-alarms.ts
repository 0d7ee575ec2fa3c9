import { z } from "zod";
import { readingKind } from "../reading.ts";
import { region, withAws } from "./client.ts";

const target = z.strictObject({
  alarms: z.array(z.string().min(1).max(255)).min(1).max(100).meta({
    description: "names of CloudWatch alarms, metric and composite ones, at most 100",
    example: '["orders-errors"]',
  }),
  region,
});

/** Reads whether alarms exist, are able to tell somebody, and what they say. */
export const cloudwatchAlarms = readingKind({
  kind: "cloudwatch-alarms",
  title: "existence, actions and states of CloudWatch alarms",
  target,
  facts: {
    alarms:
      "by name, a record of `exists` (true when it does), `actionsEnabled` (true when its actions are on) and `hasAction` (true when it has an action for the state ALARM), both null when it does not exist, and `state` (OK, ALARM or INSUFFICIENT_DATA; null when it does not exist or does not say)",
    missing: "list of the names of alarms that do not exist",
    silent:
      "list of the names of alarms that tell nobody: their actions are off, or they have none",
    inAlarm: "list of the names of alarms in the state ALARM",
    insufficientData: "list of the names of alarms in the state INSUFFICIENT_DATA",
  },
  subject: ({ alarms }) => alarms.join(", "),

  async read({ alarms, ...where }, context) {
    const { CloudWatchClient, paginateDescribeAlarms } = await import("@aws-sdk/client-cloudwatch");
    return withAws(
      (options) => new CloudWatchClient(options),
      where,
      context,
      async ({ client, list }) => {
        const described = await list(
          "cloudwatch:DescribeAlarms",
          (options) =>
            paginateDescribeAlarms(
              { client, pageSize: 100 },
              { AlarmNames: alarms, AlarmTypes: ["MetricAlarm", "CompositeAlarm"] },
              options,
            ),
          ({ MetricAlarms = [], CompositeAlarms = [] }) => [...MetricAlarms, ...CompositeAlarms],
        );
        const found = alarms.map((name) => {
          const alarm = described.find(({ AlarmName }) => AlarmName === name);
          const exists = alarm !== undefined;
          const facts = {
            exists,
            actionsEnabled: exists ? (alarm.ActionsEnabled ?? false) : null,
            hasAction: exists ? (alarm.AlarmActions ?? []).length > 0 : null,
            state: alarm?.StateValue ?? null,
          };
          return [name, facts] as const;
        });
        type Facts = (typeof found)[number][1];
        const namesOf = (holds: (facts: Facts) => boolean): string[] =>
          found.filter(([, facts]) => holds(facts)).map(([name]) => name);
        return {
          alarms: Object.fromEntries(found),
          missing: namesOf(({ exists }) => !exists),
          silent: namesOf(
            ({ exists, actionsEnabled, hasAction }) =>
              exists && (actionsEnabled !== true || hasAction !== true),
          ),
          inAlarm: namesOf(({ state }) => state === "ALARM"),
          insufficientData: namesOf(({ state }) => state === "INSUFFICIENT_DATA"),
        };
      },
    );
  },
});
