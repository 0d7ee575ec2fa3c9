import { z } from "zod";
import { key, tableName } from "../config-key.ts";

/** A name in kebab case; 5xx-rate is one too. */
const ruleName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{1,62}$/)
  .meta({ description: "a name in kebab case" });

const rule = z.strictObject({
  namespace: key(z.string().min(1), "a CloudWatch namespace", "AWS/RDS"),
  metric: key(z.string().min(1), "a metric's name", "CPUUtilization"),
  dimensions: key(z.record(z.string(), z.string()).default({}), "dimensions by name", ""),
  statistic: key(
    z.string().regex(/^(Average|Sum|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?)$/),
    "Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p95",
    "p95",
  ),
  above: key(z.number().optional(), "the number above which it alarms", "80"),
  below: key(z.number().optional(), "the number below which it alarms", "30"),
  periodSeconds: key(
    z
      .number()
      .int()
      .min(10)
      .refine((seconds) => [10, 20, 30].includes(seconds) || seconds % 60 === 0),
    "seconds: 10, 20, 30 or a multiple of 60",
    "60",
  ),
  periods: key(z.number().int().min(1), "how many periods in a row", "5"),
});

/** The group `alarms`: who is told, and when. */
export const alarmsConfig = z.strictObject({
  topic: key(z.string().regex(/^[\w-]{1,256}$/), "the name of an SNS topic", "flagship-alarms"),
  receivers: key(
    z.record(
      tableName,
      z.strictObject({
        protocol: key(z.enum(["email", "https", "sms"]), "email, https or sms", "email"),
        endpoint: key(z.string().min(1), "where it is sent", "on-call@example.com"),
      }),
    ),
    "receivers by name",
    "",
  ),
  rules: key(z.record(ruleName, rule), "alarms by name", ""),
  dashboard: key(
    z.boolean().default(true),
    "true draws every rule on a CloudWatch dashboard",
    "true",
  ),
});

/** The alarms of the stack config. */
export type AlarmsConfig = z.infer<typeof alarmsConfig>;

/** When one alarm goes off. */
export type AlarmRule = z.infer<typeof rule>;
