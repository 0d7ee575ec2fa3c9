import { expect, test } from "vitest";
import { alarmsConfig } from "../../../infra/alarms/config.ts";
import { alarmRelations } from "../../../infra/alarms/relations.ts";
import { rule, settings } from "./samples.ts";

const hook = "https://alarms.example.com/canary-5e0a91";

test("no alarms are right", () => {
  expect(alarmRelations({ alarms: undefined })).toEqual([]);
});

test.each<[string, object]>([
  ["one receiver, one rule", {}],
  ["no rule", { rules: {} }],
  ["a webhook", { receivers: { hook: { protocol: "https", endpoint: hook } } }],
  ["a telephone", { receivers: { pager: { protocol: "sms", endpoint: "+493012345678" } } }],
  ["a threshold of zero", { rules: { errors: rule({ above: 0 }) } }],
  ["a threshold from below", { rules: { free: rule({ above: undefined, below: 0 }) } }],
  ["a whole day", { rules: { cpu: rule({ periodSeconds: 60, periods: 1440 }) } }],
  ["a whole week of hours", { rules: { cpu: rule({ periodSeconds: 3600, periods: 168 }) } }],
])("%s is right", (_, change) => {
  expect(alarmRelations({ alarms: settings(change) })).toEqual([]);
});

test.each<[string, object, string, string, string]>([
  [
    "nobody is told",
    { receivers: {} },
    "cutover:alarms.receivers",
    "nobody",
    "pulumi config set --path 'cutover:alarms.receivers.on-call.endpoint' 'on-call@example.com'",
  ],
  [
    "an e-mail to a webhook",
    { receivers: { hook: { protocol: "email", endpoint: hook } } },
    "cutover:alarms.receivers.hook.endpoint",
    "something else for email (not shown)",
    "pulumi config set --path 'cutover:alarms.receivers.hook.endpoint' 'on-call@example.com'",
  ],
  [
    "a webhook without TLS",
    { receivers: { hook: { protocol: "https", endpoint: hook.replace("https", "http") } } },
    "cutover:alarms.receivers.hook.endpoint",
    "something else for https (not shown)",
    "pulumi config set --path 'cutover:alarms.receivers.hook.endpoint' 'https://alarms.example.com/hooks'",
  ],
  [
    "a telephone without its country",
    { receivers: { pager: { protocol: "sms", endpoint: "03012345678" } } },
    "cutover:alarms.receivers.pager.endpoint",
    "something else for sms (not shown)",
    "pulumi config set --path 'cutover:alarms.receivers.pager.endpoint' '+493012345678'",
  ],
  [
    "no threshold",
    { rules: { cpu: rule({ above: undefined }) } },
    "cutover:alarms.rules.cpu",
    "neither above nor below",
    "pulumi config set --path 'cutover:alarms.rules.cpu.above' '80'",
  ],
  [
    "two thresholds",
    { rules: { cpu: rule({ below: 10 }) } },
    "cutover:alarms.rules.cpu",
    "both above and below",
    "pulumi config rm --path 'cutover:alarms.rules.cpu.below', and give it a rule of its own",
  ],
  [
    "a period more than a day",
    { rules: { cpu: rule({ periodSeconds: 60, periods: 1441 }) } },
    "cutover:alarms.rules.cpu.periods",
    "1441 × 60 s",
    "pulumi config set --path 'cutover:alarms.rules.cpu.periods' '1440'",
  ],
  [
    "an hour more than a week",
    { rules: { cpu: rule({ periodSeconds: 3600, periods: 169 }) } },
    "cutover:alarms.rules.cpu.periods",
    "169 × 3600 s",
    "pulumi config set --path 'cutover:alarms.rules.cpu.periods' '168'",
  ],
])("%s is wrong", (_, change, where, found, todo) => {
  const problems = alarmRelations({ alarms: settings(change) });
  expect(problems).toEqual([
    { where, found, todo, required: expect.stringMatching(/\S/) as unknown },
  ]);
  expect(JSON.stringify(problems)).not.toContain("canary");
});

test("all problems are told at once", () => {
  const rules = { cpu: rule({ above: undefined, periods: 1441 }), free: rule({ below: 1 }) };
  const problems = alarmRelations({ alarms: settings({ receivers: {}, rules }) });
  expect(problems.map(({ where }) => where)).toEqual([
    "cutover:alarms.receivers",
    "cutover:alarms.rules.cpu",
    "cutover:alarms.rules.free",
    "cutover:alarms.rules.cpu.periods",
  ]);
});

test.each([10, 20, 30, 60, 120, 3600])("a period of %i s is taken", (periodSeconds) => {
  expect(() => settings({ rules: { cpu: rule({ periodSeconds }) } })).not.toThrow();
});

test.each([
  ["a period of no second", { periodSeconds: 0 }],
  ["a period that CloudWatch does not have", { periodSeconds: 45 }],
  ["no period", { periods: 0 }],
  ["a statistic that CloudWatch does not have", { statistic: "Median" }],
])("a rule with %s is refused", (_, change) => {
  const rules = { cpu: rule(change) };
  expect(alarmsConfig.safeParse({ ...settings(), rules }).success).toBe(false);
});
