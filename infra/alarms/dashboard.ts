import type { AlarmRule, AlarmsConfig } from "./config.ts";

/** A dashboard is 24 columns wide: two widgets a row. */
const width = 12;
const height = 6;

/**
 * The body of a CloudWatch dashboard with one widget a rule, in the order of the config, as JSON.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 *
 * @param region where the metrics are
 */
export function dashboardBody(rules: AlarmsConfig["rules"], region: string): string {
  const widgets = Object.entries(rules).map(([name, rule], index) => ({
    type: "metric",
    x: (index % 2) * width,
    y: Math.floor(index / 2) * height,
    width,
    height,
    properties: {
      title: name,
      region,
      metrics: [[rule.namespace, rule.metric, ...Object.entries(rule.dimensions).flat()]],
      stat: rule.statistic,
      period: rule.periodSeconds,
      annotations: { horizontal: [limitOf(rule)] },
    },
  }));
  return JSON.stringify({ widgets });
}

function limitOf({ above, below }: AlarmRule): { readonly label: string; readonly value: number } {
  return above === undefined
    ? { label: "alarms below", value: below ?? Number.NaN }
    : { label: "alarms above", value: above };
}
