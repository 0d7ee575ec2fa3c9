import { z } from "zod";
import type { ResourceType } from "../../../infra/provider/serve.ts";
import { ApiError, computedOf, standIn, textOf } from "../kind.ts";
import { arn, arnOf, globalArnOf, jsonText, tags, type Account } from "./account.ts";

/** CloudWatch: alarms and dashboards. Nothing is measured, so no alarm ever changes its state. */
export function cloudwatchTypes(account: Account): Record<string, ResourceType> {
  return {
    "aws:cloudwatch/metricAlarm:MetricAlarm": alarmType(account),
    "aws:cloudwatch/dashboard:Dashboard": dashboardType(account),
  };
}

const period = z
  .int()
  .refine((value) => [10, 20, 30].includes(value) || (value > 0 && value % 60 === 0), {
    error: "must be 10, 20, 30 or a multiple of 60",
  });

const actions = z.array(arn).max(5).optional();

const alarmInputs = z
  .strictObject({
    name: z.string().min(1).max(255),
    alarmDescription: z.string().max(1024).optional(),
    actionsEnabled: z.boolean().default(true),
    alarmActions: actions,
    okActions: actions,
    insufficientDataActions: actions,
    namespace: z.string().regex(/^[^:].{0,254}$/, { error: "must be 1 to 255 characters" }),
    metricName: z.string().min(1).max(255),
    dimensions: z.record(z.string(), z.string()).optional(),
    statistic: z.enum(["SampleCount", "Average", "Sum", "Minimum", "Maximum"]).optional(),
    extendedStatistic: z
      .string()
      .regex(/^p(100|\d{1,2}(\.\d{1,10})?)$/, { error: "must be a percentile, as in p95" })
      .optional(),
    comparisonOperator: z.enum([
      "GreaterThanOrEqualToThreshold",
      "GreaterThanThreshold",
      "LessThanThreshold",
      "LessThanOrEqualToThreshold",
    ]),
    threshold: z.number(),
    period,
    evaluationPeriods: z.int().min(1),
    datapointsToAlarm: z.int().min(1).optional(),
    treatMissingData: z.enum(["missing", "ignore", "breaching", "notBreaching"]).default("missing"),
    evaluateLowSampleCountPercentiles: z.enum(["evaluate", "ignore"]).optional(),
    unit: z.string().optional(),
    tags,
  })
  .refine(
    ({ statistic, extendedStatistic }) =>
      (statistic === undefined) !== (extendedStatistic === undefined),
    {
      path: ["statistic"],
      error: "one of statistic and extendedStatistic must be set, not both",
    },
  );

type AlarmInputs = z.output<typeof alarmInputs>;

/** An alarm as CloudWatch keeps it, by name. */
interface AlarmRecord extends AlarmInputs {
  readonly arn: string;
}

function alarmType(account: Account): ResourceType {
  const alarms = account.store.collection<AlarmRecord>("aws-cloudwatch-alarms");
  const put = (inputs: AlarmInputs): string => {
    const { name, period: seconds, evaluationPeriods } = inputs;
    const { datapointsToAlarm = evaluationPeriods } = inputs;
    const refuse = (message: string): never => {
      throw new ApiError("CloudWatch: PutMetricAlarm", "ValidationError", message);
    };
    if (datapointsToAlarm > evaluationPeriods) {
      refuse("DatapointsToAlarm must be less than or equal to EvaluationPeriods");
    }
    // An hour and more may be looked at for a week, anything finer for a day.
    const isCoarse = seconds >= 3600;
    const most = isCoarse ? 604_800 : 86_400;
    if (seconds * evaluationPeriods > most) {
      refuse(
        `Metrics cannot be checked across more than ${isCoarse ? "a week" : "a day"} ` +
          `(EvaluationPeriods * Period must be <= ${String(most)}).`,
      );
    }
    const alarmArn = arnOf(account, "cloudwatch", `alarm:${name}`);
    alarms.set(name, { ...inputs, arn: alarmArn });
    return alarmArn;
  };
  return standIn({
    inputs: alarmInputs,
    replaceOn: (name) => name === "name",
    physicalName: "name",
    create: (inputs) => Promise.resolve({ id: inputs.name, outputs: { arn: put(inputs) } }),
    update: (_olds, inputs) => Promise.resolve({ arn: put(inputs) }),
    exists: ({ id }) => alarms.get(id) !== undefined,
    delete(olds) {
      alarms.delete(textOf(olds, "name"));
      return Promise.resolve();
    },
  });
}

const widgetCount = 500;

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
const dashboardBody = z.looseObject({
  widgets: z
    .array(
      z.looseObject({
        type: z.enum(["alarm", "custom", "explorer", "log", "metric", "text"]),
        x: z.int().min(0).max(23).optional(),
        y: z.int().min(0).optional(),
        width: z.int().min(1).max(24).optional(),
        height: z.int().min(1).max(1000).optional(),
        properties: z.looseObject({}),
      }),
    )
    .max(widgetCount),
});

const dashboardInputs = z.strictObject({
  dashboardName: z.string().regex(/^[\w-]{1,255}$/, {
    error: "must be 1 to 255 letters, digits, hyphens or underscores",
  }),
  dashboardBody: jsonText,
});

function dashboardType({ store }: Account): ResourceType {
  const dashboards = store.collection<{ readonly arn: string }>("aws-cloudwatch-dashboards");
  const put = ({
    dashboardName,
    dashboardBody: body,
  }: z.output<typeof dashboardInputs>): string => {
    const problems = dashboardBody.safeParse(JSON.parse(body)).error?.issues ?? [];
    if (problems.length > 0) {
      throw new ApiError(
        "CloudWatch: PutDashboard",
        "InvalidParameterInput",
        `The dashboard body is invalid, there are ${String(problems.length)} validation errors: ` +
          JSON.stringify(
            problems.map(({ path, message }) => ({ dataPath: `/${path.join("/")}`, message })),
          ),
      );
    }
    const dashboardArn = globalArnOf("cloudwatch", `dashboard/${dashboardName}`);
    dashboards.set(dashboardName, { arn: dashboardArn });
    return dashboardArn;
  };
  return standIn({
    inputs: dashboardInputs,
    replaceOn: (name) => name === "dashboardName",
    physicalName: "dashboardName",
    create: (inputs) =>
      Promise.resolve({ id: inputs.dashboardName, outputs: { dashboardArn: put(inputs) } }),
    update(olds, inputs) {
      put(inputs);
      return Promise.resolve(computedOf(olds, ["dashboardArn"]));
    },
    exists: ({ id }) => dashboards.get(id) !== undefined,
    delete(olds) {
      dashboards.delete(textOf(olds, "dashboardName"));
      return Promise.resolve();
    },
  });
}
