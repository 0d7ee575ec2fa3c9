import { dotted, removeValue, setValue } from "../config-path.ts";
import type { Problem } from "../errors.ts";
import type { AlarmRule, AlarmsConfig } from "./config.ts";

/** What is wrong between the keys of `alarms`. */
export function alarmRelations({
  alarms,
}: {
  readonly alarms?: AlarmsConfig | undefined;
}): Problem[] {
  if (alarms === undefined) return [];
  return [
    ...somebodyIsTold(alarms),
    ...Object.entries(alarms.receivers).flatMap(endpointFits),
    ...Object.entries(alarms.rules).flatMap(hasOneThreshold),
    ...Object.entries(alarms.rules).flatMap(looksBackNotTooFar),
  ];
}

function somebodyIsTold({ receivers }: AlarmsConfig): Problem[] {
  if (Object.keys(receivers).length > 0) return [];
  return [
    {
      where: dotted(["alarms", "receivers"]),
      found: "nobody",
      required: "at least one receiver",
      todo: setValue(["alarms", "receivers", "on-call", "endpoint"], "on-call@example.com"),
    },
  ];
}

type Receiver = AlarmsConfig["receivers"][string];

const endpointForms: Readonly<
  Record<
    Receiver["protocol"],
    { readonly form: RegExp; readonly what: string; readonly example: string }
  >
> = {
  email: { form: /^[^\s@]+@[^\s@]+$/, what: "an e-mail address", example: "on-call@example.com" },
  https: {
    form: /^https:\/\/[^\s/]+/,
    what: "a URL that begins with https://",
    example: "https://alarms.example.com/hooks",
  },
  sms: {
    form: /^\+[1-9]\d{6,14}$/,
    what: "a telephone number such as +4930…",
    example: "+493012345678",
  },
};

function endpointFits([name, { protocol, endpoint }]: [string, Receiver]): Problem[] {
  const { form, what, example } = endpointForms[protocol];
  if (form.test(endpoint)) return [];
  return [
    {
      where: dotted(["alarms", "receivers", name, "endpoint"]),
      // A webhook's path is often a password, so what was given is not shown.
      found: `something else for ${protocol} (not shown)`,
      required: what,
      todo: setValue(["alarms", "receivers", name, "endpoint"], example),
    },
  ];
}

function hasOneThreshold([name, { above, below }]: [string, AlarmRule]): Problem[] {
  if ((above === undefined) !== (below === undefined)) return [];
  const neither = above === undefined;
  return [
    {
      where: dotted(["alarms", "rules", name]),
      found: neither ? "neither above nor below" : "both above and below",
      required: "one of above and below: an alarm has one threshold",
      todo: neither
        ? setValue(["alarms", "rules", name, "above"], "80")
        : `${removeValue(["alarms", "rules", name, "below"])}, and give it a rule of its own`,
    },
  ];
}

const secondsPerDay = 86_400;

/**
 * CloudWatch looks back a day at most, or a week where a period is an hour or longer.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
function looksBackNotTooFar([name, { periodSeconds, periods }]: [string, AlarmRule]): Problem[] {
  const most = periodSeconds >= 3600 ? 7 * secondsPerDay : secondsPerDay;
  if (periodSeconds * periods <= most) return [];
  return [
    {
      where: dotted(["alarms", "rules", name, "periods"]),
      found: `${periods} × ${periodSeconds} s`,
      required: `at most ${most} s together`,
      todo: setValue(
        ["alarms", "rules", name, "periods"],
        String(Math.floor(most / periodSeconds)),
      ),
    },
  ];
}
