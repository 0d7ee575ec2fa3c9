import { alarmsConfig, type AlarmsConfig } from "../../../infra/alarms/config.ts";

/** One rule of the config's `alarms`. */
export function rule(change: object = {}): object {
  return {
    namespace: "AWS/RDS",
    metric: "CPUUtilization",
    dimensions: { DBInstanceIdentifier: "flagship" },
    statistic: "Average",
    above: 80,
    periodSeconds: 60,
    periods: 5,
    ...change,
  };
}

/** The config's `alarms`. */
export function settings(change: object = {}): AlarmsConfig {
  return alarmsConfig.parse({
    topic: "flagship-alarms",
    receivers: { "on-call": { protocol: "email", endpoint: "on-call@example.com" } },
    rules: { cpu: rule() },
    ...change,
  });
}
